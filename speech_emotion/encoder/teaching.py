"""The teaching: the encoder's outputs, read by one matrix, are to be what the teacher saw a little earlier;
and their mean and deviation over a sentence the teacher's. No label is used."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from speech_emotion import cli
from speech_emotion.encoder.network import Encoder
from speech_emotion.encoder.sound import Sentence
from speech_emotion.encoder.teacher import COMPONENTS

LOOK = (
    5  # frames of 20 ms that the encoder has heard when it says what the teacher saw: about 100 ms
)
_CLIPS = 24  # a step
_RATE = 6e-3
_SENTENCE = 0.3  # what the error of a sentence's mean and deviation counts
_SILENCE = 0.25  # what a frame without speech counts
_LARGEST = 0.9998  # quantile of an output that becomes the largest there is


@dataclass(frozen=True)
class Taught:
    """frame_error: the last epoch's, of components of variance 1."""

    network: Encoder
    frame_error: float


def teach(
    sentences: list[Sentence], targets: list[np.ndarray], units: int, epochs: int, seed: int
) -> Taught:
    """targets: of each sentence, (frames of 20 ms, COMPONENTS)."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    lessons = _Lessons(sentences, targets)
    network = Encoder(sentences[0].inputs[0].shape[1], units)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE / 2, weight_decay=1e-4)
    per_epoch = len(sentences) // _CLIPS
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=epochs * per_epoch)
    order, error = list(range(len(sentences))), 0.0
    for epoch in cli.progress(range(epochs), total=epochs, what="teach", unit="epoch"):
        if epoch == max(1, epochs * 3 // 4):
            _round(network, lessons, order)
        # once it is in bytes, the normalisation's statistics stay; its gains are taught on
        network.train(not network.as_bytes)
        random.shuffle(order)
        error = 0.0
        for step in range(per_epoch):
            chosen = order[step * _CLIPS : (step + 1) * _CLIPS]
            versions = random.integers(0, len(sentences[0].inputs), _CLIPS)
            of_frames, of_sentences = lessons.errors(network, chosen, versions)
            optimiser.zero_grad()
            (of_frames + _SENTENCE * of_sentences).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            if epoch * per_epoch + step < epochs * per_epoch - 1:
                schedule.step()
            error += of_frames.item() / per_epoch
    return Taught(network, error)


@torch.no_grad()
def _round(network, lessons, order):
    """From here on outputs have a largest value, and all is rounded as the chip will."""
    network.eval()
    network.tops = [float("inf")] * 2
    found: list[list] = [[], []]
    for first in range(0, min(480, len(order) - _CLIPS + 1), _CLIPS):
        x = lessons.inputs(order[first : first + _CLIPS], [0] * _CLIPS)
        for values, made in zip(found, (network.first(x), network(x)), strict=True):
            values.append(made.flatten()[::7])
    network.tops = [
        float(torch.quantile(torch.cat(values)[:8_000_000:5], _LARGEST)) for values in found
    ]
    network.as_bytes = True


class _Lessons:
    """What is put in, and what is to come out."""

    def __init__(self, sentences, targets):
        self._sentences, self._targets = sentences, targets
        moments = np.array([self._moments(i) for i in range(len(sentences))])
        self._mean = torch.from_numpy(moments.mean(axis=0).astype(np.float32))
        self._spread = torch.from_numpy(moments.std(axis=0).astype(np.float32))
        self._of_sentence = moments.astype(np.float32)

    def _moments(self, i):
        """Mean and deviation of what the teacher saw where there is speech."""
        target = self._targets[i]
        speech = np.repeat(self._sentences[i].speech[0], 2)[: len(target)]
        kept = target[: len(speech)][speech]
        return np.concatenate([kept.mean(axis=0), kept.std(axis=0)])

    def inputs(self, chosen, versions):
        taken = [self._sentences[i].inputs[k] for i, k in zip(chosen, versions, strict=True)]
        x = np.zeros((len(taken), taken[0].shape[1], max(map(len, taken))), np.float32)
        for row, values in zip(x, taken, strict=True):
            row[:, : len(values)] = values.T
        return torch.from_numpy(x)

    def errors(self, network, chosen, versions):
        """Of frames, and of sentences: mean squared ones."""
        x = self.inputs(chosen, versions)
        frames = x.shape[2] // 2
        wanted = np.zeros((len(chosen), COMPONENTS, frames), np.float32)
        counts, speech = (np.zeros((len(chosen), frames), np.float32) for _ in range(2))
        for row, (i, k) in enumerate(zip(chosen, versions, strict=True)):
            target, spoken = self._targets[i], self._sentences[i].speech[k]
            count = len(spoken)
            there = np.ones(count, bool)
            for half in range(2):
                place = 2 * np.arange(count) + half - (LOOK - 2)
                inside = (place >= 0) & (place < len(target))
                wanted[row, :, :count][:, inside] += 0.5 * target[place[inside]].T
                there &= inside
            counts[row, :count] = there * (_SILENCE + (1 - _SILENCE) * spoken)
            speech[row, :count] = spoken
        made = network(x)
        weights, spoken = torch.from_numpy(counts), torch.from_numpy(speech)
        said = network.frame(made.transpose(1, 2)).transpose(1, 2)
        error = ((said - torch.from_numpy(wanted)) ** 2).mean(1)
        of_frames = (error * weights).sum() / weights.sum()
        heard = spoken.sum(1, keepdim=True).clamp(min=1)
        mean = (made * spoken[:, None]).sum(2) / heard
        variance = ((made - mean[:, :, None]) ** 2 * spoken[:, None]).sum(2) / heard
        told = network.sentence(torch.cat([mean, (variance + 1e-4).sqrt()], 1))
        moments = torch.from_numpy(self._of_sentence[chosen])
        of_sentences = ((told - (moments - self._mean) / self._spread) ** 2).mean()
        return of_frames, of_sentences
