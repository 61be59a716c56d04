"""One clip in, one `Prediction` out: the emotion, its confidence, and every probability."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from speech_emotion.errors import UserError
from speech_emotion.features import audio, sentences, speech
from speech_emotion.features.measuring import measure_all
from speech_emotion.features.schema import SAMPLE_RATE
from speech_emotion.model import persistence
from speech_emotion.model.compiled import Library
from speech_emotion.model.voice import VoiceOfLibrary, VoiceOfModel


def open_model(path: str | Path) -> persistence.Model | Library:
    """The model that a path names: a model.joblib, or the folder of a generated library, whose C code then
    answers. UserError, in one line, for what is neither."""
    return Library(path) if (Path(path) / "src").is_dir() else persistence.load(path)


@dataclass(frozen=True)
class Prediction:
    """What a model hears in a clip. probabilities: by label, in the model's order, summing to 1; none where
    nobody speaks. silence: why nobody does, empty where somebody does. remarks: what was found out about the
    file. known: with a voice profile, how many sentences of this voice the answer stands on."""

    file: str
    seconds: float
    probabilities: dict[str, float]
    threshold: float = 0.0
    silence: str = ""
    remarks: tuple[str, ...] = ()
    known: int | None = None

    @property
    def speech(self) -> bool:
        return not self.silence

    @property
    def emotion(self) -> str | None:
        """The most probable label; the first of them where two are equal; None where nobody speaks."""
        return max(self.probabilities, key=self.probabilities.__getitem__) if self.speech else None

    @property
    def confidence(self) -> float | None:
        return None if self.emotion is None else self.probabilities[self.emotion]

    @property
    def uncertain(self) -> bool:
        return self.confidence is not None and self.confidence < self.threshold

    @property
    def runner_up(self) -> str:
        """The second most probable label."""
        others = {k: p for k, p in self.probabilities.items() if k != self.emotion}
        return max(others, key=others.__getitem__)

    def text(self) -> str:
        """One readable line."""
        if not self.speech:
            return f"{self.file}: no speech: {self.silence} ({self.seconds:.2f} s)"
        first = f"{self.emotion} {self.confidence:.1%}".replace("%", " %")
        second = f"{self.runner_up} {self.probabilities[self.runner_up]:.1%}".replace("%", " %")
        verdict = f"uncertain, perhaps {first}" if self.uncertain else first
        length = f"{self.seconds:.2f} s"
        if self.known is not None:
            length += f"; {self.known} sentences of this voice known"
        return f"{self.file}: {verdict}, then {second} ({length})"

    def as_json(self) -> dict:
        """file, emotion, confidence, probabilities, seconds, speech; uncertain where there is a threshold.

        Where nobody speaks, speech is false, emotion and confidence are null, probabilities are empty, and
        no_speech says why. remarks are there where something was found out about the file, start and end
        where it is a sentence in it.
        """
        file, place = sentences.parse(self.file)
        result: dict[str, object] = {
            "file": file,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "seconds": self.seconds,
            "speech": self.speech,
        }
        if place is not None:
            result["start"], result["end"] = place.seconds
        if not self.speech:
            result["no_speech"] = self.silence
        if self.threshold > 0:
            result["uncertain"] = self.uncertain
        if self.known is not None:
            result["known"] = self.known
        if self.remarks:
            result["remarks"] = list(self.remarks)
        return result


def predict_all(
    clips: Sequence[str | Path],
    model: persistence.Model | Library,
    *,
    engine: str | None = None,
    threshold: float | None = None,
    jobs: int = 1,
    voice: VoiceOfModel | VoiceOfLibrary | None = None,
) -> Iterator[Prediction | UserError]:
    """A prediction for every clip, in order; for a bad clip the UserError that says what is wrong.

    engine and threshold: the model's own unless given. jobs: processes that measure, -1 for all cores.
    A library listens itself, with no other engine than its own, in this process. voice: whose they are, in
    the order in which they were said (`voice.open_voice`); one with speech is learnt from, once answered.
    """
    engine = engine or model.engine
    threshold = model.threshold if threshold is None else threshold
    if isinstance(model, Library):
        if engine != model.engine:
            raise UserError(
                f"--engine {engine}: a library measures by its own C code; leave it out"
            )
        yield from (_listen(clip, model, threshold, voice) for clip in clips)
        return
    measured = measure_all(clips, engine=engine, jobs=jobs, only_speech=True)
    for clip, found in zip(clips, measured, strict=True):
        if isinstance(found, UserError):
            yield found
            continue
        probabilities, known = {}, None if voice is None else voice.known
        if found.vector is not None and not found.silence:
            if isinstance(voice, VoiceOfModel):
                row = voice.answer(found.vector)
            else:
                row = model.probabilities(found.vector[None])[0]
            probabilities = dict(zip(model.labels, row.tolist(), strict=True))
        yield Prediction(
            str(clip), found.seconds, probabilities, threshold, found.silence, found.remarks, known
        )


def _listen(clip, library, threshold, voice):
    """The library's own answer to a clip, from sound to label."""
    try:
        heard = sentences.hear(clip)
        samples = audio.cut(heard.samples, name=str(clip))
    except UserError as error:
        return error
    silence, probabilities = speech.absent(samples), {}
    known = None if voice is None else voice.known
    if not silence:
        answer = library.answer(samples) if voice is None else voice.hear(samples)
        probabilities = dict(zip(library.labels, answer.probabilities.tolist(), strict=True))
    return Prediction(
        str(clip),
        len(samples) / SAMPLE_RATE,
        probabilities,
        threshold,
        silence,
        heard.remarks,
        known,
    )
