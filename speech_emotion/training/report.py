"""reports/: the table of all models under all protocols, per-class scores, and the model card."""

import json
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import pandas as pd
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels
from tabulate import tabulate

from speech_emotion import corpora, names
from speech_emotion.corpora import folder
from speech_emotion.dataset.copies import is_voice
from speech_emotion.dataset.table import FeatureTable
from speech_emotion.files import replacing
from speech_emotion.training import meaning, paired, robustness
from speech_emotion.training.acquaintance import CONDITIONS, NONE
from speech_emotion.training.budget import Fit
from speech_emotion.training.candidates import CANDIDATES
from speech_emotion.training.experiment import UNSEEN
from speech_emotion.training.protocols import Protocol
from speech_emotion.training.scores import COVERAGE, Outcome, pareto_front

STUDIO_WARNING = (
    "Trained on clips as recorded: noise, or another level, may cost half of these scores "
    "(docs/history/choices.md). For a model to be flashed: dataset_generator.py --engine device --augment"
)
SYNTHETIC_WARNING = (
    "SYNTHETIC SPEECH took part. "
    "These scores show that the pipeline runs; they mean nothing for real speech."
)
FITTED_TO_ALL = (
    "The models in the files were then trained on every clip (--fit all). Nothing is left to test them on: "
    "the scores are those of the same recipe trained without the clips that it was tested on."
)
FOR_SCALE = """For scale, on complete corpora and so not directly comparable: human listeners reach 40.9 % on
CREMA-D's audio (Cao et al. 2014); the published ESP32 system that this project follows reports 61.2 %
weighted F1 and its CNN/LSTM relatives 68.9 % and 72 %, on random splits; frozen wav2vec2-base with a trained
head, speaker-independent, 61.9 % (CREMA-D) and 55.4 % (RAVDESS) UAR."""


_HEADINGS = {
    "seed": "seed",
    "speaker": "speaker",
    "speaker_without_tess": "no TESS",
    "corpus": "corpus",
}
_SCORES = {"weighted_f1": "weighted F1", "macro_f1": "macro F1", "uar": "UAR"}


@dataclass(frozen=True)
class Study:
    """All that a training run found: outcomes[model][protocol], estimated bytes, and the chosen model."""

    table: FeatureTable
    labels: list[str]
    label_set: str
    balance: str
    split: str
    protocols: list[Protocol]
    outcomes: dict[str, dict[str, Outcome]]
    held_out: dict[str, Outcome]
    sizes: dict[str, Fit]
    budget_kb: tuple[float, float]  # flash, RAM
    chosen: str
    degraded: dict[
        str, Outcome
    ]  # the chosen model's, by robustness.CONDITIONS; empty when not asked for
    twins: str  # a sentence on sounds that the table holds more than once; "" where there are none
    fit: str = "split"  # "all": the saved models were then fitted to every clip
    mixed: str = ""  # a sentence on own clips among others'; "" where they are alone
    chip: str = ""  # the one that the models are to keep up on, in words; "" where none was named

    @property
    def is_studio(self) -> bool:
        """Whether no clip of the table has a copy with noise, at another level ..."""
        kinds = set(self.table.clips["augmentation"]) - {""}
        return all(is_voice(kind) for kind in kinds)

    @property
    def is_synthetic(self) -> bool:
        return "synthetic" in set(self.table.clips["corpus"])

    def overview(self) -> pd.DataFrame:
        """One row per model; the columns that a review asks for first."""
        rows = {}
        for model, by_protocol in self.outcomes.items():
            summaries = {name: outcome.summary() for name, outcome in by_protocol.items()}
            row = {"seed: weighted F1": summaries["seed"]["weighted_f1"]}
            for protocol, heading in (
                ("speaker", "speaker"), ("speaker_without_tess", "no TESS"), ("corpus", "corpus"),
            ):  # fmt: skip
                scores = summaries.get(protocol, {})
                if scores and protocol != "corpus":
                    row[f"{heading}: macro F1"] = scores["macro_f1"]
                if protocol != "speaker_without_tess":
                    row |= {
                        f"{heading}: UAR {k[4:]}": v
                        for k, v in scores.items()
                        if k.startswith("uar_")
                    }
            rows[model] = row
        return pd.DataFrame.from_dict(rows, orient="index")

    def overview_text(self) -> pd.DataFrame:
        """The same with an interval beside each score, and in the headings how many clips were tested."""
        rows = {}
        for model, by_protocol in self.outcomes.items():
            row = {}
            for protocol, heading in _HEADINGS.items():
                outcome, unseen = by_protocol.get(protocol), protocol != "seed"
                if outcome is None:
                    continue
                score = {"seed": "weighted_f1", "corpus": ""}.get(protocol, "macro_f1")
                if score:
                    title = f"{heading}: {_SCORES[score]}, {meaning.tested(outcome)}"
                    row[title] = meaning.cell(outcome, score, by_speaker=unseen)
                if protocol in ("speaker", "corpus"):
                    for corpus in sorted(set(outcome.corpora.tolist())):
                        part = outcome.of(corpus)
                        title = f"{heading}: UAR {corpus}, {meaning.tested(part)}"
                        row[title] = meaning.cell(part, "uar", by_speaker=unseen)
            rows[model] = row
        return pd.DataFrame.from_dict(rows, orient="index")

    def meaning(self) -> list[str]:
        """What the chosen model's scores mean, in sentences, a line each."""
        chosen = self.chosen
        return meaning.sentences(chosen, self.outcomes[chosen], self.held_out[chosen], self.split)

    def points(self) -> dict[str, tuple[float, float]]:
        """Model -> (bytes, macro F1 on unseen speakers; on the seed split where there is only that)."""
        protocol = "speaker" if all("speaker" in o for o in self.outcomes.values()) else "seed"
        return {
            name: (self.sizes[name].bytes, outcomes[protocol].summary()["macro_f1"])
            for name, outcomes in self.outcomes.items()
            if name in CANDIDATES and CANDIDATES[name].exportable
        }

    def known_table(self, model: str) -> pd.DataFrame:
        """A model that knows voices: one row per history, from none on; UAR by corpus and calibration error,
        for speakers and for corpora that were never heard. Empty of other models."""
        rows: dict[str, dict] = {}
        for key, outcome in self.outcomes[model].items():
            protocol, _, condition = key.partition(", ")
            if (
                protocol not in UNSEEN
                or f"{protocol}, {next(iter(CONDITIONS))}" not in self.outcomes[model]
            ):
                continue
            row = rows.setdefault(condition or NONE, {})
            for name, score in outcome.summary().items():
                if name.startswith("uar_") or name == "ece":
                    row[f"{protocol}: {name.replace('uar_', 'UAR ').replace('ece', 'ECE')}"] = score
        return pd.DataFrame.from_dict(rows, orient="index")

    def size_table(self) -> pd.DataFrame:
        """KB of each model, and which of them no smaller one beats."""
        front = pareto_front(self.points())
        rows = {
            name: {
                "parameters KB": fit.parameters / 1024,
                "flash KB": None if fit.flash is None else fit.flash / 1024,
                "RAM KB": None if fit.ram is None else fit.ram / 1024,
                **self._paces(fit),
                "fits": "yes" if fit.within(*self.budget_kb) else "NO",
                "front": "*" if name in front else "",
                "measured": fit.why,
            }
            for name, fit in self.sizes.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").round(1)

    def _paces(self, fit):
        if not self.chip:
            return {}
        return {
            f"real time on {self.chip}, %": None if fit.pace is None else 100 * fit.pace.share,
            "response, ms": None if fit.pace is None else fit.pace.response_ms,
        }


def write(study: Study, place: Path, pictures: list[str]) -> None:
    """report.md, scores.json and model_card.md in `place`."""
    with replacing(place / "scores.json") as file:
        json.dump(_scores(study), file, indent=1)
        file.write("\n")
    with replacing(place / "report.md") as file:
        file.write(_report(study, pictures))
    with replacing(place / "model_card.md") as file:
        file.write(_model_card(study))


def _scores(study):
    return {
        "synthetic": study.is_synthetic,
        "labels": study.labels,
        "split": study.split,
        "balance": study.balance,
        "chosen": study.chosen,
        "robustness": {name: outcome.summary() for name, outcome in study.degraded.items()},
        "features": {name: study.table.info.get(name) for name in ("schema", "engine", "versions")},
        "models": {
            model: {
                **_shipped(study, model),
                "intervals": by_protocol["speaker"].intervals() if "speaker" in by_protocol else {},
                **{name: outcome.summary() for name, outcome in by_protocol.items()},
            }
            for model, by_protocol in study.outcomes.items()
        },
    }


def _shipped(study, model):
    """Of a model that is saved its size and held-out score; of a user's own estimator neither is known."""
    if model not in study.sizes:
        return {}
    size = study.sizes[model]
    return {
        "parameter_bytes": size.parameters,
        "flash_bytes": size.flash,
        "ram_bytes": size.ram,
        "held_out": study.held_out[model].summary(),
    }


def markdown(frame: pd.DataFrame, corner: str = "") -> str:
    """A table in Markdown; fractions with three digits."""
    rows = [[_escaped(name), *map(_cell, row)] for name, row in frame.iterrows()]
    head = [corner, *map(_escaped, frame.columns)]
    return tabulate(rows, head, "github", disable_numparse=True) + "\n"


def _escaped(text):
    """What a user may have named, such as a label, within Markdown."""
    text = str(text)
    return names.markdown(names.terminal(text) if names.flaw(text) else text)


def _cell(value):
    if pd.isna(value):
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return f"{value:,}"
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:,.0f}"


def _used(study):
    return sorted(set(study.table.clips["corpus"]))


def _clips(study):
    clips = study.table.clips[study.table.clips["augmentation"] == ""]
    counts = clips.groupby("corpus").agg(clips=("path", "size"), speakers=("speaker", "nunique"))
    hours = clips.groupby("corpus")["seconds"].sum() / 3600
    return counts.assign(hours=hours.map("{:.1f}".format))


def _report(study, pictures):
    parts = ["# Scores\n"]
    if study.is_synthetic:
        parts.append(f"**{SYNTHETIC_WARNING}**\n")
    parts += [
        f"{_escaped(study.label_set[0].upper() + study.label_set[1:])}; balance: {study.balance}; features: "
        f"engine {study.table.info.get('engine')}, schema {study.table.info.get('schema')}.\n",
        markdown(_clips(study), "corpus"),
        *([f"{study.twins}.\n"] if study.twins else []),
        *([f"{study.mixed}.\n"] if study.mixed else []),
        "## What the scores mean\n",
        *(f"{'  ' * line.startswith(' ')}- {_escaped(line.strip())}" for line in study.meaning()),
        *([f"- {FITTED_TO_ALL}"] if study.fit == "all" else []),
        "",
        "## All models, all protocols\n",
        markdown(study.overview_text(), "model"),
        *(f"- **{protocol.name}**: {protocol.about}" for protocol in study.protocols),
        "\nIn brackets: 95 % bootstrap intervals. UAR is the mean of the classes' recalls, of a corpus's own "
        "clips. Only the protocols without the tested speakers say what a new voice will get.\n",
        "## Sizes\n",
        markdown(study.size_table().astype(object), "model"),
        "Flash and RAM: extractor and model, compiled and linked; parameters: an estimate. `*`: no "
        f"smaller model scores higher. Budget: {study.budget_kb[0]:g} KB of flash, "
        f"{study.budget_kb[1]:g} KB of RAM.{_about_pace(study)}\n",
        f"Chosen: **{study.chosen}**, of those within the budget the best macro F1 in folds by speaker "
        "inside the training rows; no tested row took part in the choice.\n",
        *_compared(study),
        *_unseen(study),
        *_known(study),
    ]
    if not study.is_synthetic:
        parts.append(FOR_SCALE + "\n")
    parts += [f"![{name}]({name})" for name in pictures]
    parts += [
        "\n## Cite\n",
        *(f"- {line}" for line in corpora.citation(*_used(study)).splitlines()),
    ]
    parts.append("\n## Per class\n")
    for model, by_protocol in study.outcomes.items():
        for protocol, outcome in by_protocol.items():
            if ", " in protocol:  # a history: the table above has these
                continue
            table = markdown(_per_class(outcome), "class")
            parts.append(f"### {model}, {protocol}\n\n{table}")
    return "\n".join(parts) + "\n"


def _about_pace(study):
    if not study.chip:
        return ""
    return (
        f" {study.chip}: upper estimates from instructions counted in an emulator on a synthetic voice; a "
        "model that takes more than all of the time, or answers too late, is not chosen."
    )


def _per_class(outcome):
    """Precision, recall, F1 and clips of each label, and two means of them; whatever a label is called."""
    labels = unique_labels(outcome.truth, outcome.predicted)
    each = precision_recall_fscore_support(
        outcome.truth, outcome.predicted, labels=labels, zero_division=0
    )
    rows = [(label, *values) for label, *values in zip(labels, *each, strict=True)]
    for average in ("macro", "weighted"):
        *values, _ = precision_recall_fscore_support(
            outcome.truth, outcome.predicted, average=average, zero_division=0
        )
        rows.append((f"{average} avg", *values, len(outcome.truth)))
    columns = ["precision", "recall", "f1-score", "support"]
    return pd.DataFrame([row[1:] for row in rows], [row[0] for row in rows], columns)


def _unseen(study):
    """What another speaker will get: intervals, calibration, coverage, and recalls of the chosen model."""
    outcomes = {name: by["speaker"] for name, by in study.outcomes.items() if "speaker" in by}
    if not outcomes:
        return []
    rows = {}
    for name, outcome in outcomes.items():
        summary = outcome.summary()
        row = {
            score: f"{summary[score]:.3f} ({low:.3f} to {high:.3f})"
            for score, (low, high) in outcome.intervals().items()
        }
        row["ECE"] = summary["ece"]
        row[f"UAR at {COVERAGE:.0%} coverage"] = summary["confident_uar"]
        rows[name] = row
    recalls = pd.DataFrame(outcomes[study.chosen].recalls()).T
    return [
        "## Unseen speakers\n",
        markdown(pd.DataFrame.from_dict(rows, orient="index"), "speaker"),
        "In brackets: 95 % bootstrap intervals over speakers. ECE: expected calibration error, how far "
        f"confidence is from accuracy. Coverage: the {COVERAGE:.0%} most confident answers only; the "
        "threshold for that, found inside the training rows, is stored with each model.\n",
        f"Recalls of {study.chosen}, by the speakers' sex:\n",
        markdown(recalls, "recall"),
        *_robustness(study),
    ]


def _compared(study):
    """The chosen model against each other one, on the same clips of speakers that none had heard."""
    mine = study.outcomes[study.chosen].get("speaker")
    others = {
        n: by["speaker"]
        for n, by in study.outcomes.items()
        if n != study.chosen and "speaker" in by
    }
    if mine is None or not others:
        return []
    lines = [
        f"- {_escaped(paired.sentence(study.chosen, name, paired.compare(mine, other)))}"
        for name, other in others.items()
    ]
    return [
        "## Compared, clip by clip\n",
        *lines,
        "\nFolds by speaker. p: a permutation test that swaps the two models' answers speaker by speaker; "
        "intervals over speakers. Several comparisons on the same clips find differences by chance: divide "
        "0.05 by their number. Every answer is in predictions.csv, every fold in folds.csv.\n",
    ]


def _known(study):
    parts = []
    for model in study.outcomes:
        known = study.known_table(model)
        if len(known):
            parts += [
                f"## {model}, as a voice becomes known\n",
                markdown(known, "sentences heard before"),
                "Other clips of the tested speaker were heard before; nothing of his was trained on, and "
                "what he felt in them is not told. Mostly neutral: eight of ten. Recording order: the clips "
                "before it by name, which some corpora sort by emotion.\n",
            ]
    return parts


def _robustness(study):
    if not study.degraded:
        return []
    return [
        f"## Robustness of {study.chosen}\n",
        markdown(robustness.table(study.degraded), "clips"),
        "Folds by speaker; degraded clips are only tested, and measured by the chip's own code. SNR over the "
        f"whole clip, pauses included; babble: clips of {robustness.TALKERS} other speakers. Ten known: ten "
        "sentences of the voice, eight of them neutral, were heard before, degraded likewise.\n",
    ]


def _model_card(study):
    used = sorted(set(study.table.clips["corpus"]))
    public = [name for name in used if name not in (folder.NAME, "synthetic")]
    data = [
        f"- {about.title}: {about.licence}{f' ({about.url})' if about.url else ''}. {about.citation}".strip()
        for about in corpora.licences(used)
    ]
    own = folder.NAME in used
    lines = [
        f"# Model card: {study.chosen}\n",
        f"**{SYNTHETIC_WARNING}**\n" if study.is_synthetic else "",
        f"{CANDIDATES[study.chosen].about}. Labels: {_escaped(names.listed(study.labels))} "
        f"({_escaped(study.label_set)}).",
        f"Features: schema {study.table.info.get('schema')}, engine {study.table.info.get('engine')}.\n",
        "## Data\n",
        *data,
        "\nA model trained on a corpus is bound by its licence: those marked non-commercial or research only "
        "allow no product.\n"
        if public
        else "",
        markdown(_clips(study), "corpus"),
        *(_own_recordings(study) if own else ()),
        "## Scores\n",
        *(f"{'  ' * line.startswith(' ')}- {_escaped(line.strip())}" for line in study.meaning()),
        f"\n{FITTED_TO_ALL}" if study.fit == "all" else "",
        "\n## Limits\n",
        *(
            [
                "- Acted emotion, recorded in studios, by adults, mostly in English: not what people feel, "
                "and not how they speak when nobody asks them to act."
            ]
            if public
            else []
        ),
        *(
            [
                "- It knows the people, the room, the microphone and the sentences of these recordings; "
                "whether they spoke as they do when they feel so, only who recorded them can say.",
                "- Who recorded others needs their leave, also to pass the model on.",
            ]
            if own
            else []
        ),
        "- A new speaker, microphone, room or language scores lower than any number above.",
        *([f"- {STUDIO_WARNING}"] if study.is_studio else []),
        "- Not for decisions about people: employment, policing, health, education. In the EU, emotion "
        "recognition at work and in education is prohibited (AI Act, article 5).",
    ]
    return "\n".join(lines) + "\n"


def _own_recordings(study):
    """Who was recorded, how much of each emotion, and what was found out about the sound."""
    clips = study.table.clips
    mine = clips[(clips["corpus"] == folder.NAME) & (clips["augmentation"] == "")]
    counts = pd.crosstab(mine["speaker"], mine["emotion"])
    minutes = mine["seconds"].astype(float).sum() / 60
    people = set(mine["speaker"]) - {folder.UNKNOWN_SPEAKER}
    who = (
        f"{len(people)} {'speaker' if len(people) == 1 else 'speakers'}"
        if people
        else "nobody knows whom"
    )
    judged = study.table.info.get("own_recordings") or []
    return [
        f"\nOwn recordings: {len(mine)} clips of {who}, {minutes:.1f} minutes.\n",
        markdown(counts, "speaker"),
        *(f"- {_escaped(str(line))}" for line in judged if isinstance(line, str)),
        *([f"- {study.mixed}."] if study.mixed else []),
        "",
    ]
