"""A session: what to say is shown, sentences are cut as the board cuts them, each is judged and kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speech_emotion import names
from speech_emotion.dataset.own import LOUDEST, MOST_CLIPPED, QUIETEST, SHORTEST
from speech_emotion.errors import UserError
from speech_emotion.features import speech
from speech_emotion.features.device import Gate, Heard
from speech_emotion.features.schema import HOP, SAMPLE_RATE
from speech_emotion.recording.sources import Source
from speech_emotion.recording.takes import Takes

PROMPTS = (
    "The kettle is on the table.", "They left the door open again.", "It is raining outside.",
    "We have to be there at seven.", "I found it under the chair.", "Nobody told me about that.",
)  # fmt: skip
"""What to say, in turn, with every emotion alike: a model must not learn the words."""
AROUND = 0.7
"""Seconds of a sentence that are none: 200 ms before the gate opens, half a second of silence that closes
it."""
NOISY = -50.0
"""dB re full scale: of a louder room the gate opens late, and a sentence must be 10 dB above it."""


@dataclass(frozen=True)
class Sentence:
    """samples: int16 (n,); lost: how many of its samples never arrived."""

    samples: np.ndarray
    lost: int

    def flaws(self) -> list[str]:
        """What is wrong with it, in words; nothing where it is good."""
        level, seconds = speech.level(self.samples), len(self.samples) / SAMPLE_RATE - AROUND
        share = speech.clipped(self.samples) / len(self.samples)
        found = []
        if self.lost:
            found.append(f"{1000 * self.lost / SAMPLE_RATE:.0f} ms of it were lost")
        if share > MOST_CLIPPED:
            found.append(f"clipped ({100 * share:.1f} % of the samples): lower the gain")
        if level < QUIETEST:
            found.append(f"too quiet ({level:.0f} dBFS; {QUIETEST:g} or more): come nearer")
        elif level > LOUDEST:
            found.append(f"very loud ({level:.0f} dBFS): go back a little")
        if seconds < SHORTEST:
            found.append(f"only {seconds:.1f} s: say the whole sentence")
        return found


def sentences(hops: Iterator[tuple[np.ndarray, bool]], gate: Gate) -> Iterator[Sentence]:
    """The sentences in a sound that does not end."""
    unheard: list[bool] = []
    for hop, was_heard in hops:
        unheard.append(not was_heard)
        heard, samples = gate.push(hop)
        if samples is not None:
            lost = sum(unheard[-(len(samples) // HOP) :]) * HOP
            yield Sentence(samples, lost)
        if heard is not Heard.SPEECH:
            unheard = unheard[-600:]


def room(hops: Iterator[tuple[np.ndarray, bool]], gate: Gate, seconds: float = 2.0) -> float:
    """The room's level in dB re full scale, after listening to it for so long."""
    for _ in range(round(seconds * SAMPLE_RATE / HOP)):
        gate.push(next(hops)[0])
    return gate.room


def guided(
    source: Source, takes: Takes, labels: Sequence[str], speaker: str, *, wanted: int,
    say: Callable[[str], None], prompts: Sequence[str] = PROMPTS, keep_flawed: bool = False,
) -> dict[str, int]:  # fmt: skip
    """Records `wanted` takes of each label, those that the folder has counted in. A sentence with a flaw is
    told and asked for again, unless keep_flawed. Returns how many of each were kept now."""
    gate, hops = Gate(), source.hops()
    kept = dict.fromkeys(labels, 0)
    say("Silence, please: listening to the room for two seconds.")
    level = room(hops, gate)
    say(
        f"The room is at {level:.0f} dBFS"
        + ("; that is noisy, find a quieter place." if level > NOISY else ".")
    )
    heard = sentences(hops, gate)
    for take in range(wanted):  # labels in turn: nobody is happy thirty times on end
        for label in labels:
            if takes.count(label, speaker) > take:
                continue
            prompt = prompts[take % len(prompts)]
            say(f"[{names.terminal(label)}] {take + 1} of {wanted}: “{prompt}”")
            for sentence in heard:
                flaws = sentence.flaws()
                if flaws and not keep_flawed:
                    say(f"  again, please: {'; '.join(flaws)}")
                    continue
                path = takes.keep(
                    sentence.samples, label, speaker, device=source.device, rate=source.rate
                )
                kept[label] += 1
                length = len(sentence.samples) / SAMPLE_RATE
                level = speech.level(sentence.samples)
                told = "; ".join((f"{length:.1f} s", f"{level:.0f} dBFS", *flaws))
                say(f"  {path.relative_to(takes.folder).as_posix()}: {told}")
                break
            else:
                raise UserError("the sound ended before all takes were recorded")
    return kept


def continuous(
    source: Source,
    takes: Takes,
    label: str,
    speaker: str,
    *,
    seconds: float,
    say: Callable[[str], None],
) -> np.ndarray:
    """Records for so long without a break, to be cut later (dataset_generator.py --split). Returns the
    samples; those that were lost are 0."""
    wanted = round(seconds * SAMPLE_RATE / HOP)
    parts = []
    say(
        f"[{names.terminal(label)}] recording for {seconds:g} s: speak, and pause between sentences."
    )
    for hop, _ in source.hops():
        parts.append(hop)
        if len(parts) >= wanted:
            break
    samples = np.concatenate(parts)
    path = takes.keep(samples, label, speaker, device=source.device, rate=source.rate)
    say(f"  {path.relative_to(takes.folder).as_posix()}: {len(samples) / SAMPLE_RATE:.1f} s")
    return samples
