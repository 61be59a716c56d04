"""One clip in, one `Prediction` out: the emotion, its confidence, and every probability."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from speech_emotion.errors import UserError
from speech_emotion.features import audio
from speech_emotion.features.measuring import measure_all
from speech_emotion.features.schema import SAMPLE_RATE
from speech_emotion.model import persistence
from speech_emotion.model.compiled import Library


def open_model(path: str | Path) -> persistence.Model | Library:
    """The model that a path names: a model.joblib, or the folder of a generated library, whose C code then
    answers. UserError, in one line, for what is neither."""
    return Library(path) if (Path(path) / "src").is_dir() else persistence.load(path)


@dataclass(frozen=True)
class Prediction:
    """What a model hears in a clip. probabilities: by label, in the model's order, summing to 1."""

    file: str
    seconds: float
    probabilities: dict[str, float]
    threshold: float = 0.0

    @property
    def emotion(self) -> str:
        """The most probable label; the first of them where two are equal."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        return self.probabilities[self.emotion]

    @property
    def uncertain(self) -> bool:
        return self.confidence < self.threshold

    @property
    def runner_up(self) -> str:
        """The second most probable label."""
        others = {k: p for k, p in self.probabilities.items() if k != self.emotion}
        return max(others, key=others.__getitem__)

    def text(self) -> str:
        """One readable line."""
        first = f"{self.emotion} {self.confidence:.1%}".replace("%", " %")
        second = f"{self.runner_up} {self.probabilities[self.runner_up]:.1%}".replace("%", " %")
        verdict = f"uncertain, perhaps {first}" if self.uncertain else first
        return f"{self.file}: {verdict}, then {second} ({self.seconds:.2f} s)"

    def as_json(self) -> dict:
        """file, emotion, confidence, probabilities, seconds; uncertain where there is a threshold."""
        result = {
            "file": self.file,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "seconds": self.seconds,
        }
        if self.threshold > 0:
            result["uncertain"] = self.uncertain
        return result


def predict_all(
    clips: Sequence[Path],
    model: persistence.Model | Library,
    *,
    engine: str | None = None,
    threshold: float | None = None,
    jobs: int = 1,
) -> Iterator[Prediction | UserError]:
    """A prediction for every clip, in order; for a bad clip the UserError that says what is wrong.

    engine and threshold: the model's own unless given. jobs: processes that measure, -1 for all cores.
    A library listens itself, with no other engine than its own, in this process.
    """
    engine = engine or model.engine
    threshold = model.threshold if threshold is None else threshold
    if isinstance(model, Library):
        if engine != model.engine:
            raise UserError(
                f"--engine {engine}: a library measures by its own C code; leave it out"
            )
        yield from (_listen(clip, model, threshold) for clip in clips)
        return
    for clip, found in zip(clips, measure_all(clips, engine=engine, jobs=jobs), strict=True):
        if isinstance(found, UserError):
            yield found
            continue
        row = model.probabilities(found.vector[None])[0]
        probabilities = dict(zip(model.labels, row.tolist(), strict=True))
        yield Prediction(str(clip), found.seconds, probabilities, threshold)


def _listen(clip, library, threshold):
    """The library's own answer to a clip, from sound to label."""
    try:
        samples = audio.load(clip)
        if audio.is_silent(samples):
            raise UserError(f"{clip}: digital silence: nothing to recognise")
    except UserError as error:
        return error
    answer = library.answer(samples)
    probabilities = dict(zip(library.labels, answer.probabilities.tolist(), strict=True))
    return Prediction(str(clip), len(samples) / SAMPLE_RATE, probabilities, threshold)
