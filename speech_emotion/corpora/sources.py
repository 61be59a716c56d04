"""Where each corpus is published, and how to tell that it came whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from speech_emotion.corpora import (
    ased,
    cremad,
    emodb,
    emovo,
    nemo,
    ravdess,
    savee,
    tess,
    turev,
    urdu,
)
from speech_emotion.corpora.clip import Clip


@dataclass(frozen=True)
class Source:
    """Where a corpus is published, and how to tell that it came whole."""

    corpus: ModuleType
    folder: str  # below the download folder
    place: Callable[[Clip], str]  # path of a clip below `folder`
    clips: int  # published number of files
    size: int  # bytes to fetch, as published or about


@dataclass(frozen=True)
class Zip(Source):
    """A corpus published as one zip file."""

    url: str
    checksum: str | None  # as pooch writes it, "md5:..."; None: none was published
    tolerance: int  # bytes, of `size`
    unpacked: int  # bytes; a zip that claims more is refused


@dataclass(frozen=True)
class GitLfs(Source):
    """A corpus in a Git LFS repository; {name} in the URLs is a file name without ending."""

    names: str  # CSV with a column Filename
    pointer: str  # the pointer file, which holds the sha256
    media: str  # the file itself


@dataclass(frozen=True)
class Dataverse(Source):
    """A corpus in a Dataverse; {id} in the URL is the number the listing gives a file."""

    listing: str  # JSON with names and checksums
    file: str


_CREMAD = "CheyneyComputerScience/CREMA-D/master"
_TESS = "https://borealisdata.ca/api"

SOURCES: dict[str, Source] = {
    ravdess.NAME: Zip(
        corpus=ravdess,
        folder="Ravdess/audio_speech_actors_01-24",
        place=lambda clip: f"Actor_{clip.speaker}/{clip.path.name}",
        clips=1440,
        size=208_468_073,
        tolerance=0,
        url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
        checksum="md5:bc696df654c87fed845eb13823edef8a",
        unpacked=2_000_000_000,
    ),
    cremad.NAME: GitLfs(
        corpus=cremad,
        folder="Crema",
        place=lambda clip: clip.path.name,
        clips=7442,
        size=605_899_936,
        names=f"https://raw.githubusercontent.com/{_CREMAD}/SentenceFilenames.csv",
        pointer=f"https://raw.githubusercontent.com/{_CREMAD}/AudioWAV/{{name}}.wav",
        media=f"https://media.githubusercontent.com/media/{_CREMAD}/AudioWAV/{{name}}.wav",
    ),
    tess.NAME: Dataverse(
        corpus=tess,
        folder="Tess",
        place=lambda clip: f"{clip.speaker}_{clip.path.stem.split('_')[-1]}/{clip.path.name}",
        clips=2800,
        size=290_000_000,  # 2800 clips of about 2.1 s at 24414 Hz
        listing=f"{_TESS}/datasets/:persistentId/?persistentId=doi:10.5683/SP2/E8H2MF",
        file=f"{_TESS}/access/datafile/{{id}}",
    ),
    emodb.NAME: Zip(
        corpus=emodb,
        folder="EmoDB",
        place=lambda clip: clip.path.name,
        clips=535,
        size=40_500_000,
        tolerance=3_000_000,
        url="http://emodb.bilderbar.info/download/download.zip",
        checksum=None,
        unpacked=500_000_000,
    ),
}

#: What `download.download` accepts.
BY_HAND: dict[str, tuple[str, str]] = {
    savee.NAME: (
        "Savee",
        "register there, then unpack AudioData/ (folders DC, JE, JK, KL) into {folder}",
    ),
    nemo.NAME: (
        "nEMO",
        "clone that repository with git-lfs and put its folder samples/ into {folder}",
    ),
    urdu.NAME: ("URDU", "clone that repository into {folder}"),
    emovo.NAME: ("EMOVO", "ask its authors, then unpack the folders f1 to m3 into {folder}"),
    ased.NAME: (
        "ASED",
        "follow that repository's link to the sounds, then unpack them into {folder}",
    ),
    turev.NAME: (
        "TurEV-DB",
        "clone that repository; its folder 'Sound Source' belongs into {folder}",
    ),
}
"""Corpora that no program may or can fetch whole: folder below the download folder, and what to do."""

NAMES: tuple[str, ...] = (*SOURCES, *BY_HAND)
