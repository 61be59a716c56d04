"""The container of a model file: a zip of one JSON document and plain arrays (.npy), which cannot hold code.

`write` gives the bytes, `read` checks them and gives the document and the arrays back. What the document and
the arrays mean is not known here (`parts`). numpy's `load` opens such a file too.

Members are stored, not compressed, one after the other: the same contents are the same bytes whatever zlib is
installed, and a file cannot grow when it is read, so that the bound on its size bounds the memory as well.
An array's header is read by a pattern, never evaluated, and compared with the bytes that are there before
anything is allocated.

Why not skops, whose files are a zip of JSON and .npy too: its schema names Python's modules and classes, so
that a class that moves breaks old files, and it builds whatever a list of trusted names allows, states of
scikit-learn's trees included, without asking whether shapes and node numbers fit each other; ways past that
list were found (CVE-2025-54412, CVE-2025-54413). Here the file holds numbers only, and a declaration of ours
says for each class which numbers they must be.
"""

import io
import math
import re
import struct
import zipfile
from collections.abc import Mapping
from typing import Literal

import numpy as np

MAX_BYTES = 512 * 2**20
"""Of a file. A forest of 300 unlimited trees on four corpora takes a tenth of it."""
MAX_MEMBERS = 128
DOCUMENT = "model.json"
MAGIC = b"PK\x03\x04"

_NAME = re.compile(r"[a-z0-9_.]{1,40}\.npy", re.ASCII)
_DTYPES = ("|i1", "|u1", "<i2", "<i4", "<f4", "<f8")
_END = struct.Struct("<4s4H2LH")  # the zip's end record, without a comment
_ZIP64 = b"PK\x06\x07"  # its locator would stand 20 bytes before
_LOCAL = struct.Struct("<4sH2H4x3L2H")  # a member's own header: its name follows, and its content
_CENTRAL = 46 + 50  # and of its header in the directory at the end, name included
_NPY = b"\x93NUMPY\x01\x00"
_LONGEST_HEADER = 256
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([|<][a-z]\d)', 'fortran_order': (True|False), "
    rb"'shape': \((\d{1,10}), ?(\d{1,10})?\), \} *\n",
    re.DOTALL,
)


class Damaged(ValueError):
    """The bytes are no container that `write` made; the message says why, in a few words of our own."""


def write(document: bytes, arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a container. Pure: the same document and arrays give the same bytes.

    arrays: by names of lower case letters, digits, dots and underscores; int8, uint8, int32, float32 or
    float64, in C or Fortran order, which is kept.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry(DOCUMENT), document)
        for name, array in arrays.items():
            archive.writestr(_entry(f"{name}.npy"), _npy(array))
    return file.getvalue()


def _entry(name):
    entry = zipfile.ZipInfo(name)  # of 1980, which is the same day every day
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _npy(array):
    """The array as numpy.save writes it, but padded to 16 bytes, as the format first had it, not to 64."""
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    return _header(array.dtype.str, order, array.shape) + array.tobytes(order)


def _header(dtype, order, shape):
    text = f"{{'descr': '{dtype}', 'fortran_order': {order == 'F'}, 'shape': {shape}, }}"
    text += " " * (-(len(_NPY) + 2 + len(text) + 1) % 16) + "\n"
    return _NPY + struct.pack("<H", len(text)) + text.encode("ascii")


def read(data: bytes) -> tuple[bytes, dict[str, np.ndarray]]:
    """The document and the arrays by name. Raises Damaged for anything that `write` does not write."""
    _check_end(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries, data, archive.start_dir)
            contents = {entry.filename: archive.read(entry) for entry in entries}
    except (Damaged, MemoryError):
        raise
    except Exception as error:  # zipfile raises a dozen kinds for bytes that are wrong
        raise Damaged(f"no whole zip ({type(error).__name__})") from None
    document = contents.pop(DOCUMENT)
    return document, {name.removesuffix(".npy"): _array(name, c) for name, c in contents.items()}


def _check_end(data):
    """zipfile makes an object of each member, so their number is looked at first."""
    if not data.startswith(MAGIC) or len(data) < _END.size:
        raise Damaged("no zip")
    if len(data) > MAX_BYTES:
        raise Damaged(f"more than {MAX_BYTES >> 20} MB")
    signature, *disks, here, members, size, start, comment = _END.unpack(data[-_END.size :])
    if signature != b"PK\x05\x06" or comment or any(disks) or here != members:
        raise Damaged("its end is not that of a model file")
    if data[-_END.size - 20 :].startswith(_ZIP64) or start + size + _END.size != len(data):
        raise Damaged("its end is not that of a model file")
    if not 1 <= members <= MAX_MEMBERS or size > MAX_MEMBERS * _CENTRAL:
        raise Damaged(f"{members} members, from 1 to {MAX_MEMBERS} expected")


def _check_entries(entries, data, end):
    """One after the other without gaps: nothing is hidden, nothing is read twice."""
    if not entries or entries[0].filename != DOCUMENT:
        raise Damaged(f"its first member is not {DOCUMENT}")
    names = [entry.filename for entry in entries]
    if any(not _NAME.fullmatch(name) for name in names[1:]) or len(set(names)) < len(names):
        raise Damaged("a member's name is none of a model file")
    place = 0
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits or entry.extra:
            raise Damaged("a member is not simply stored")
        if entry.header_offset != place or entry.compress_size != entry.file_size:
            raise Damaged("its members do not follow each other")
        sizes = (entry.CRC, entry.file_size, entry.file_size, len(entry.filename), 0)
        if _LOCAL.unpack_from(data, place)[2:] != (0, 0, *sizes):
            raise Damaged("a member's two headers differ")
        place += _LOCAL.size + len(entry.filename) + entry.file_size
    if place != end:
        raise Damaged("its members do not follow each other")


def _array(name, content):
    """The array of a .npy file, built here from checked numbers: numpy would allocate what a header asks."""
    header = _HEADER.match(content[:_LONGEST_HEADER])
    if not header or (dtype := header[1].decode()) not in _DTYPES:
        raise Damaged(f"{name} is no array of plain numbers")
    order: Literal["C", "F"] = "F" if header[2] == b"True" else "C"
    shape = tuple(int(side) for side in (header[3], header[4]) if side)
    if header[0] != _header(dtype, order, shape):
        raise Damaged(f"{name} has no header of a model's array")
    numbers = content[len(header[0]) :]
    if math.prod(shape) * np.dtype(dtype).itemsize != len(numbers):
        raise Damaged(f"{name} is of another size than its header says")
    return np.frombuffer(bytearray(numbers), dtype).reshape(shape, order=order)
