"""Long recordings among a user's own: cut into sentences where that is wanted, named where it is not."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import joblib

from speech_emotion import cli, names, parallel
from speech_emotion.corpora import Clip, Discovery, folder
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, length, sentences
from speech_emotion.features.schema import SAMPLE_RATE

_SMALL = 8000
"""Bytes: a smaller file holds no 15 s, in whatever format (AMR takes 600 a second at least)."""
_MOST_TOLD = 5


class _Heard(NamedTuple):
    """What is to be known of a file before it is measured; seconds is 0 of what cannot be heard: whoever
    measures it says why."""

    seconds: float = 0.0
    cut: sentences.Cut | None = None


def split(found: Discovery, root: Path, *, longer: float = math.inf, jobs: int = 1) -> Discovery:
    """The same clips, those of own recordings of more than `longer` seconds each replaced by its sentences.

    A recording without a sentence is left out, with the reason. Long ones that stay whole are named, with
    the remedy. Raises UserError where the gate cannot be compiled. Clips of corpora are sentences already.
    """
    own = [
        i for i, clip in enumerate(found.clips) if clip.corpus == folder.NAME and _may_be_long(clip)
    ]
    if own and longer < math.inf:
        try:
            device.build()  # once, not in every process
        except UserError as error:
            raise UserError(f"--split: {error}") from None
    calls = (joblib.delayed(_hear)(found.clips[i].path, longer) for i in own)
    heard = parallel.spread(calls, jobs=min(jobs, len(own)) if own else 1, on_death=_unheard)
    told = dict(zip(own, cli.progress(heard, total=len(own), what="listen"), strict=True))

    clips, ignored, cut = (
        list[Clip](),
        list(found.ignored),
        dict[str, tuple[float, sentences.Cut]](),
    )
    whole: dict[str, float] = {}
    for i, clip in enumerate(found.clips):
        this = told.get(i, _Heard())
        name = clip.path.relative_to(root).as_posix()
        if this.cut is None:
            clips.append(clip)
            if this.seconds > sentences.LONG:
                whole[name] = this.seconds
        elif not this.cut.sentences:
            ignored.append((clip.path, "the board's gate hears no sentence in it"))
        else:
            cut[name] = this.seconds, this.cut
            recording = clip.recording or name
            clips += [replace(clip, recording=recording, place=s) for s in this.cut.sentences]
    notes = [*_of_whole(whole, longer), *_of_cut(cut)]
    notes += [
        f"left out: {p.relative_to(root).as_posix()}: {why}"
        for p, why in ignored[len(found.ignored) :]
    ]
    return Discovery(clips, ignored, (*found.notes, *notes))


def _may_be_long(clip):
    try:
        return clip.path.stat().st_size > _SMALL
    except OSError:
        return False


def _hear(path: Path, longer: float) -> _Heard:
    try:
        samples = audio.hear(path).samples
    except UserError:
        return _Heard()
    seconds = len(samples) / SAMPLE_RATE
    return _Heard(seconds, sentences.cut(samples) if seconds > longer else None)


def _unheard(call, end):
    return _Heard()


def _of_whole(whole, longer):
    """Names long recordings that stay one row."""
    if not whole:
        return
    longest = max(whole, key=lambda name: whole[name])
    count = "1 recording is" if len(whole) == 1 else f"{len(whole)} recordings are"
    remedy = (
        "an emotion is told of a sentence: --split cuts them into sentences"
        if longer == math.inf
        else f"--split {longer:g} leaves them whole"
    )
    yield (
        f"{count} longer than {sentences.LONG:g} s and counted as one clip each, "
        f"{names.short(longest, 200)} {length.text(whole[longest])}; {remedy}"
    )


def _of_cut(cut: dict[str, tuple[float, sentences.Cut]]) -> Sequence[str]:
    """Says what the gate made of the recordings."""
    said = []
    for name, (seconds, what) in list(cut.items())[:_MOST_TOLD]:
        count = len(what.sentences)
        kept = sum(s.end - s.begin for s in what.sentences) / 100
        line = (
            f"{names.short(name, 200)}, {length.text(seconds)}: {count} "
            f"{'sentence' if count == 1 else 'sentences'}, {length.text(kept)} in all"
        )
        if what.too_short:
            line += f"; {what.too_short} sounds shorter than a word left out"
        if what.early:
            line += (
                "; who speaks in its first half second, when the gate learns the room, is not heard"
            )
        said.append(line)
    if len(cut) > _MOST_TOLD:
        count = sum(len(what.sentences) for _, what in list(cut.values())[_MOST_TOLD:])
        said.append(f"{len(cut) - _MOST_TOLD} more recordings: {count} sentences")
    return said
