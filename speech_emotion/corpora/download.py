"""Fetch a corpus from its official home: licence first, resumed, checked, laid out for `discover`.

In: a corpus name and a folder. Out: the corpus below that folder, as the Kaggle set has it. A file
stands under its final name only once its checksum is right; what has arrived of the others waits
in `<folder>/.downloads/<corpus>`, and the same call goes on from there.
"""

from __future__ import annotations

import csv
import re
import shutil
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import ModuleType

import pooch
import requests
import urllib3
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.util import Retry

from speech_emotion.corpora.clip import Clip, Unused
from speech_emotion.corpora.registry import licences
from speech_emotion.corpora.sources import BY_HAND, NAMES, SOURCES, Dataverse, GitLfs, Source, Zip
from speech_emotion.errors import UserError
from speech_emotion.files import replacing

CONNECTIONS = 4  # at once, for corpora published file by file
TIMEOUT = (10, 60)  # s: to connect, and between two pieces of an answer
BLOCK = 1 << 16  # bytes


#: The list of names spells the one irregular file name out; the file itself is called otherwise.
_CREMAD_FILE = {"1040_ITH_SAD_XX": "1040_ITH_SAD_X"}


def download(name: str, into: Path, *, source: Source | None = None) -> Path:
    """Fetch a corpus, or go on with it; SAVEE: say how to get it.

    Parameters
    ----------
    name
        One of NAMES.
    into
        The corpora folder, made if absent. A complete corpus in it is not fetched again.
    source
        Another place to fetch from than SOURCES[name], for tests.

    Returns
    -------
    Path
        The corpus' folder below `into`.

    Raises
    ------
    UserError
        Unknown name, no connection, a file that is not there or not what was published, an unsafe
        or broken zip, no space, a folder that cannot be written.
    """
    if name not in NAMES:
        raise UserError(f"--download {name}: no such corpus; there are {', '.join(NAMES)}")
    into = Path(into)
    (about,) = licences([name])
    print(f"{about.title}: {about.licence} ({about.url})\n  {about.citation}")
    if name in BY_HAND:
        folder = into / BY_HAND[name][0]
        how = BY_HAND[name][1].format(folder=folder)
        print(f"  {about.title} is not downloaded by program: from {about.url}, {how}")
        return folder

    source = source or SOURCES[name]
    folder = into / source.folder
    if (found := _clips_in(folder, source.corpus)) >= source.clips:
        print(f"  complete in {folder}: {found} files")
        return folder
    waiting = into / ".downloads" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        waiting.mkdir(parents=True, exist_ok=True)
        arrived = sum(_size(path) for place in (folder, waiting) for path in place.rglob("*"))
        _need_space(folder, source.size - arrived)
        if isinstance(source, Zip):
            _fetch_zip(source, folder, waiting)
        else:
            _fetch_files(source, folder, waiting)
        shutil.rmtree(waiting)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder}: cannot be written ({error.strerror or error}); "
            "free space or choose another folder"
        ) from None
    found = _clips_in(folder, source.corpus)
    if found < source.clips:
        raise UserError(f"{folder}: {found} of {source.clips} published {about.title} files came")
    print(f"  complete in {folder}: {found} files")
    return folder


def _clips_in(folder: Path, corpus: ModuleType) -> int:
    return sum(_clip(corpus, path) is not None for path in folder.rglob("*.wav"))


def _clip(corpus: ModuleType, path: Path) -> Clip | None:
    """The clip of that name; None for anything else, such as EMO-DB's label files."""
    try:
        return corpus.parse(path) if path.suffix == ".wav" else None
    except Unused:
        return None


def _need_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UserError(
            f"{folder}: {size / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free; choose another folder"
        )


# ---- one zip ----------------------------------------------------------------------------------


def _fetch_zip(source: Zip, folder: Path, waiting: Path) -> None:
    if source.checksum is None:
        print("  no checksum was published: size, the zip's own checksums and the count must do")
    archive = waiting / f"{source.corpus.NAME}.zip"
    most = source.size + source.tolerance
    with _session() as session, _progress(source.size) as bar:
        _fetch(session, source.url, archive, source.checksum, most=most, bar=bar)
    try:
        if archive.stat().st_size < source.size - source.tolerance:
            raise UserError(f"{source.url}: sent {archive.stat().st_size} bytes, too few")
        unpack(archive, folder, source)
    except UserError:
        archive.unlink()  # of no use: the next call must fetch it anew
        raise


def unpack(archive: Path, folder: Path, source: Zip) -> None:
    """Write the clips in a zip to their places below `folder`, and nothing else.

    Every name is checked before the first byte is written.

    Raises
    ------
    UserError
        Broken zip; absolute name, `..`, link, or more than `source.unpacked` bytes in it.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            members = file.infolist()
            for member in members:
                _refuse_unsafe(archive, member)
            size = sum(member.file_size for member in members)
            if size > source.unpacked:
                raise UserError(
                    f"{archive}: would unpack to {size} bytes, more than the {source.unpacked} "
                    "a sound copy can hold; refused"
                )
            _need_space(folder, size)
            for member in tqdm(members, "  unpack", unit="file", disable=not sys.stderr.isatty()):
                clip = _clip(source.corpus, Path(member.filename))
                if clip and not member.is_dir():
                    # zipfile gives no more bytes than the size declared above, and checks the CRC.
                    with (
                        file.open(member) as packed,
                        replacing(folder / source.place(clip), "wb") as whole,
                    ):
                        shutil.copyfileobj(packed, whole)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise UserError(
            f"{archive}: not a whole zip file ({error}); run the same command again"
        ) from None


def _refuse_unsafe(archive: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    path = PurePosixPath(name)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name) or is_link:
        kind = "a link" if is_link else "a path that leads out of its folder"
        raise UserError(f"{archive}: holds {kind}, '{member.filename}'; refused, nothing unpacked")


# ---- many files -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Remote:
    """One file to fetch; its checksum is known, or is in the pointer file at `pointer`."""

    url: str
    path: Path
    checksum: str = ""
    pointer: str = ""


def _fetch_files(source: Source, folder: Path, waiting: Path) -> None:
    """All files, a few at a time; those the server does not have are named at the end."""
    with _session() as session, _progress(source.size) as bar:
        remotes = _listed(session, source, folder)

        def fetch(remote: _Remote) -> None:
            if remote.path.exists():  # it has this name because it was checked
                bar.update(remote.path.stat().st_size)
                return
            checksum = remote.checksum or _pointer_checksum(session, remote.pointer)
            arrived = waiting / remote.path.name
            _fetch(session, remote.url, arrived, checksum, most=source.size, bar=bar)
            remote.path.parent.mkdir(exist_ok=True)
            arrived.replace(remote.path)

        absent = []
        pool = ThreadPoolExecutor(CONNECTIONS)
        try:
            tasks = {pool.submit(fetch, remote): remote for remote in remotes}
            for task in as_completed(tasks):
                try:
                    task.result()
                except _Absent:
                    absent.append(tasks[task].path.name)
        finally:
            pool.shutdown(cancel_futures=True)
    if absent:
        raise UserError(
            f"{source.corpus.TITLE}: its server no longer has {len(absent)} of {len(remotes)} files "
            f"({', '.join(sorted(absent)[:3])} ...); the others are in {folder}"
        )


def _listed(session: requests.Session, source: Source, folder: Path) -> list[_Remote]:
    match source:
        case GitLfs():
            return _git_lfs(session, source, folder)
        case Dataverse():
            return _dataverse(session, source, folder)
    raise TypeError(f"{type(source).__name__}: no way to fetch it is written")


def _git_lfs(session: requests.Session, source: GitLfs, folder: Path) -> list[_Remote]:
    rows = csv.DictReader(_get(session, source.names).text.splitlines())
    names = [row.get("Filename") or "" for row in rows]
    found = [_clip(source.corpus, Path(f"{_CREMAD_FILE.get(name, name)}.wav")) for name in names]
    clips = [clip for clip in found if clip is not None]
    if not clips or len(clips) < len(found):
        raise UserError(f"{source.names}: not the list of {source.corpus.TITLE} files expected")
    return [
        _Remote(
            url=source.media.format(name=clip.path.stem),
            path=folder / source.place(clip),
            pointer=source.pointer.format(name=clip.path.stem),
        )
        for clip in clips
    ]


def _pointer_checksum(session: requests.Session, url: str) -> str:
    """The sha256 a Git LFS pointer file names; see git-lfs' docs/spec.md."""
    match = re.search(r"^oid (sha256:[0-9a-f]{64})$", _get(session, url).text, re.MULTILINE)
    if not match:
        raise UserError(f"{url}: not the Git LFS pointer expected; try again later")
    return match[1]


def _dataverse(session: requests.Session, source: Dataverse, folder: Path) -> list[_Remote]:
    try:
        files = _get(session, source.listing).json()["data"]["latestVersion"]["files"]
        listed = [
            (_clip(source.corpus, Path(file["filename"])), file["id"], file["md5"])
            for file in (entry["dataFile"] for entry in files)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{source.listing}: not the list of files expected ({type(error).__name__}: {error})"
        ) from None
    return [
        _Remote(source.file.format(id=number), folder / source.place(clip), f"md5:{md5}")
        for clip, number, md5 in listed
        if clip
    ]


# ---- HTTP -------------------------------------------------------------------------------------


class _Absent(UserError):
    """The server is there, the file is not."""


def _session() -> requests.Session:
    """A session that tries again what may pass: no connection, overload."""
    retry = Retry(
        total=3,
        backoff_factor=0.3,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry, pool_maxsize=CONNECTIONS))
    session.headers["Accept-Encoding"] = "identity"  # Content-Length then counts the file's bytes
    return session


def _progress(size: int) -> tqdm:
    return tqdm(
        total=size, desc="  fetch", unit="B", unit_scale=True, disable=not sys.stderr.isatty()
    )


@contextmanager
def _one_line_errors(url: str) -> Iterator[None]:
    try:
        yield
    except requests.HTTPError as error:
        kind = _Absent if error.response.status_code in (404, 410) else UserError
        raise kind(
            f"{url}: the server answers {error.response.status_code} {error.response.reason}; "
            "try again later"
        ) from None
    except requests.RequestException as error:
        raise UserError(
            f"{url}: no connection, or it broke off ({type(error).__name__}); check the network and "
            "run the same command again: it goes on where it stopped"
        ) from None


def _get(session: requests.Session, url: str) -> requests.Response:
    with _one_line_errors(url):
        response = session.get(url, timeout=TIMEOUT)
        response.raise_for_status()
        return response


def _fetch(
    session: requests.Session, url: str, path: Path, checksum: str | None, *, most: int, bar: tqdm
) -> None:
    """Fetch `url` to `path`, going on with what an earlier call left in `<path>.part`.

    pooch checks the checksum and gives the file its name; it cannot resume, so the transfer is ours.
    """
    part = path.with_name(f"{path.name}.part")

    def transfer(url: str, output: str, _pooch: object) -> None:
        bar.update(_size(part))
        while True:
            before = _size(part)
            try:
                _append(session, url, part, most, bar)
                break
            except requests.RequestException:
                if _size(part) <= before:  # broken off again, without a byte more
                    raise
        part.replace(output)

    pooch.get_logger().setLevel("WARNING")
    with _one_line_errors(url):
        try:
            pooch.retrieve(url, checksum, fname=path.name, path=path.parent, downloader=transfer)
        except ValueError as error:
            if isinstance(error, requests.RequestException):
                raise
            raise UserError(
                f"{url}: what came does not have the published checksum {checksum}; "
                "thrown away, run the same command again"
            ) from None


def _append(session: requests.Session, url: str, part: Path, most: int, bar: tqdm) -> None:
    """Ask for what is missing from `part` and add it; start again if the server cannot do that."""
    start = _size(part)
    wanted = {"Range": f"bytes={start}-"} if start else {}
    with session.get(url, headers=wanted, stream=True, timeout=TIMEOUT) as response:
        status, sent = response.status_code, response.headers
        misfit = status == 416 or (
            status == 206 and not sent.get("Content-Range", "").startswith(f"bytes {start}-")
        )
        if start and misfit:
            bar.update(-start)
            part.unlink()
            return _append(session, url, part, most, bar)
        response.raise_for_status()
        if start and status != 206:  # the whole file, from its beginning
            bar.update(-start)
            start = 0
        got = 0
        with part.open("ab" if start else "wb") as file:
            for block in _blocks(response):
                file.write(block)
                bar.update(len(block))
                got += len(block)
                if start + got > most:
                    break
        if start + got > most:
            part.unlink()
            raise UserError(f"{url}: sends more than the {most} bytes that were published; stopped")
        if got < int(sent.get("Content-Length", 0)):
            raise requests.ConnectionError("connection closed before the end")


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives: unlike iter_content, this loses nothing when the connection breaks."""
    try:
        while block := response.raw.read1(BLOCK):
            yield block
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
