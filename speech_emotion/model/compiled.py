"""A generated library on this computer: its own C code, compiled, answering clips and feature vectors.

Opening a library compiles and runs the C code in that folder: open only folders you trust, as with any
program.
"""

import contextlib
import ctypes
import hashlib
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from speech_emotion import native
from speech_emotion.errors import UserError
from speech_emotion.features import schema

_HOST = Path(__file__).resolve().parent / "host.c"


class Answer(NamedTuple):
    """What the library says of a clip. probabilities: float32 (labels,). known: sentences of this voice
    that the answer stands on."""

    label: str
    probabilities: np.ndarray
    seconds: float
    speech: bool
    known: int = 0


class Library:
    """A folder that `python -m codegen` wrote, opened. Has what prediction asks of a model: `labels`,
    `columns`-free `probabilities`, `engine`, `threshold`; and `answer`, from the samples themselves.

    Raises UserError for a folder that is no library, of another schema, or cannot be compiled.
    """

    engine = "device"

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._c = _load(build(self.folder))
        found = f"{self._c.ser_host_schema_hash():016x}"
        if found != schema.HASH or self._c.ser_host_features() != len(schema.COLUMNS):
            raise UserError(
                f"{folder}: library of schema {found}, this program's is {schema.HASH}; "
                "generate it again with python -m codegen"
            )
        count = self._c.ser_host_labels()
        self.labels = [self._c.ser_host_label(i).decode() for i in range(count)]
        self.name = self._c.ser_host_name().decode()
        self.threshold = round(self._c.ser_host_threshold(), 6)
        self._state = np.empty(self._c.ser_host_recognizer_size(), np.uint8)
        self.profile_columns = self._c.ser_host_profile_columns()
        """Columns that its voice profile holds; 0 for a model that knows no voices."""

    @property
    def state_bytes(self) -> int:
        """sizeof(ser_recognizer) on this computer."""
        return self._state.size

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """vectors: float32 (n, len(schema.COLUMNS)). Returns float32 (n, labels)."""
        if vectors.ndim != 2 or vectors.shape[1] != len(schema.COLUMNS):
            raise ValueError(f"(n, {len(schema.COLUMNS)}) expected, not {vectors.shape}")
        vectors = np.ascontiguousarray(vectors, np.float32)
        result = np.empty((len(vectors), len(self.labels)), np.float32)
        self._c.ser_host_predict(vectors.ctypes.data, len(vectors), result.ctypes.data)
        return result

    def nobody(self) -> np.ndarray:
        """A voice profile of nobody yet, as the chip keeps it: uint8 (bytes,)."""
        voice = np.zeros(self._c.ser_host_profile_size(), np.uint8)
        self._c.ser_profile_forget(voice.ctypes.data)
        return voice

    def known(self, voice: np.ndarray) -> int:
        """Sentences of a voice that an answer stands on."""
        return self._c.ser_host_profile_known(voice.ctypes.data)

    def belongs(self, voice: np.ndarray) -> bool:
        """Whether a profile is whole and this model's."""
        right = len(voice) == self._c.ser_host_profile_size()
        return bool(right and self._c.ser_profile_belongs(voice.ctypes.data))

    def sequence(self, vectors: np.ndarray, voice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sentences of one voice in the order heard, each answered and then learnt into `voice`.

        vectors: float32 (n, len(schema.COLUMNS)). Returns probabilities, float32 (n, labels), and how many
        sentences each answer stands on, int32 (n,)."""
        vectors = np.ascontiguousarray(vectors, np.float32)
        result = np.empty((len(vectors), len(self.labels)), np.float32)
        known = np.empty(len(vectors), np.int32)
        self._c.ser_host_sequence(
            vectors.ctypes.data,
            len(vectors),
            voice.ctypes.data,
            result.ctypes.data,
            known.ctypes.data,
        )
        return result, known

    def answer(self, samples: np.ndarray, voice: np.ndarray | None = None) -> Answer:
        """The library's answer to a clip: int16 (n,) from `audio.load`, pushed as one block. voice: whose
        it is (`nobody`); what was said is learnt into it."""
        samples = np.ascontiguousarray(samples, np.int16)
        state, row = self._state.ctypes.data, np.empty(len(self.labels), np.float32)
        seconds, speech = ctypes.c_float(), ctypes.c_int()
        self._c.ser_init(state)
        if voice is not None:
            self._c.ser_know(state, voice.ctypes.data)
        self._c.ser_push(state, samples.ctypes.data, len(samples))
        label = self._c.ser_host_answer(
            state, row.ctypes.data, ctypes.byref(seconds), ctypes.byref(speech)
        )
        known = 0
        if voice is not None:
            known = self._c.ser_host_profile_known(voice.ctypes.data)
            if speech.value:
                self._c.ser_host_heard(state, voice.ctypes.data)
        return Answer(self.labels[label], row, seconds.value, bool(speech.value), known)


def sources(folder: Path) -> list[Path]:
    """The C files of a library, in a fixed order. UserError: the folder is no library."""
    found = sorted((folder / "src").glob("*.c"))
    if not (folder / "src" / "ser_model.c").is_file():
        raise UserError(
            f"{folder}: no src/ser_model.c in it; name a model.joblib, or a folder that "
            "python -m codegen wrote"
        )
    return found


def build(folder: Path) -> Path:
    """The shared library of a folder's C code; compiled unless the cache holds these very sources.

    The extractor, which is the same for all models that use the same groups, is kept by itself. Safe
    while other processes do the same: each writes its own file and renames it into place.
    """
    files = sources(folder)
    command = [*native.compiler(), *native.FLAGS]
    headers = sorted((folder / "src").glob("*.h"))
    mine = [path for path in files if path.name in _PER_MODEL]
    shared = [path for path in files if path.name not in _PER_MODEL]
    common = [*shared, *(path for path in headers if path.name != "ser_model.h")]
    name = f"library-{_digest(command, [_HOST, *files, *headers])}{native.SHARED}"
    target = native.cache_folder() / name
    if target.exists():
        return target
    objects = native.cache_folder() / f"extractor-{_digest(command, common)}"
    with (
        native.keeping("library", target.parent),
        tempfile.TemporaryDirectory(dir=target.parent) as draft,
    ):
        draft = Path(draft)
        if not objects.is_dir():
            (draft / "objects").mkdir()
            compile_c([*command, "-c"], folder, shared, [], cwd=draft / "objects")
            with contextlib.suppress(OSError):  # another process was first
                (draft / "objects").rename(objects)
        made = sorted(objects.glob("*.o"))
        whole = [_HOST, *mine, *made]
        compile_c([*command, "-shared"], folder, whole, ["-o", str(draft / "library"), "-lm"])
        (draft / "library").replace(target)
    return target


_PER_MODEL = ("ser.c", "ser_model.c")  # the sources that include ser_model.h


def _digest(command, files):
    """Changes with the command and with every file's name and content."""
    digest = hashlib.sha256("\0".join(command).encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:20]


def compile_c(
    command: list[str],
    folder: Path,
    files: list[Path],
    rest: list[str],
    *,
    cwd: Path | None = None,
) -> None:
    """Run a compiler on C files with the library's headers in sight; UserError with its first complaint."""
    include = f"-I{(folder / 'src').resolve()}"
    try:
        native.run([*command, include, *(path.resolve() for path in files), *rest], cwd=cwd)
    except native.Complaint as complaint:
        raise UserError(
            f"{folder}: {command[0]} could not compile it ({complaint.reason})"
        ) from None


def _load(path):
    library = ctypes.CDLL(str(path))
    pointer = ctypes.c_void_p
    library.ser_host_recognizer_size.restype = ctypes.c_size_t
    library.ser_host_schema_hash.restype = ctypes.c_uint64
    library.ser_host_threshold.restype = ctypes.c_float
    library.ser_host_label.restype = ctypes.c_char_p
    library.ser_host_name.restype = ctypes.c_char_p
    library.ser_host_predict.argtypes = [pointer, ctypes.c_size_t, pointer]
    library.ser_host_answer.argtypes = [pointer, pointer, pointer, pointer]
    library.ser_host_profile_size.restype = ctypes.c_size_t
    library.ser_host_sequence.argtypes = [pointer, ctypes.c_size_t, pointer, pointer, pointer]
    library.ser_host_sequence.restype = None
    library.ser_host_heard.argtypes = [pointer, pointer]
    library.ser_host_profile_known.argtypes = [pointer]
    library.ser_profile_forget.argtypes = [pointer]
    library.ser_profile_forget.restype = None
    library.ser_profile_belongs.argtypes = [pointer]
    library.ser_know.argtypes = [pointer, pointer]
    library.ser_init.argtypes = [pointer]
    library.ser_push.argtypes = [pointer, pointer, ctypes.c_size_t]
    return library
