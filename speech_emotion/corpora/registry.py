"""Which corpora there are, and what each says about itself."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from speech_emotion import __version__
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

#: The corpora recognised by their file names, in the order their schemes are tried.
NAMED: tuple[ModuleType, ...] = (
    ravdess, cremad, savee, tess, emodb, nemo, urdu, emovo, ased, turev,
)  # fmt: skip

#: Every value `Clip.corpus` can take.
NAMES: tuple[str, ...] = (*(module.NAME for module in NAMED), "folder", "synthetic")


class About(NamedTuple):
    """What a report or model card has to say about a corpus it used."""

    name: str
    title: str
    licence: str
    url: str
    citation: str


def module(name: str) -> ModuleType:
    """The corpus module of that NAME, imported on demand (`synthetic` pulls in Praat)."""
    if name not in NAMES:
        raise KeyError(f"no corpus '{name}'; there are {', '.join(NAMES)}")
    return import_module(f"speech_emotion.corpora.{name}")


def licences(names: Iterable[str]) -> list[About]:
    """Title, licence and citation of each corpus named, once each, in the registry's order."""
    wanted = {name: module(name) for name in names}
    return [
        # Own and synthetic speech has no paper to cite.
        About(
            name,
            corpus.TITLE,
            corpus.LICENCE.text,
            corpus.LICENCE.url,
            getattr(corpus, "CITATION", ""),
        )
        for name in NAMES
        if (corpus := wanted.get(name))
    ]


def citation(*names: str) -> str:
    """What to cite: this software, and the corpora of these NAMEs (`cremad`, `ravdess` ...), a line each."""
    lines = [
        f"The Speech Emotion authors: Speech emotion on an ESP32, version {__version__}, MIT licence."
    ]
    lines += [about.citation for about in licences(names) if about.citation]
    return "\n".join(lines)
