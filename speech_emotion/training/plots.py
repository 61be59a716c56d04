"""The pictures in reports/: what a model confuses, what it listens to, whether more clips would help."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.multiclass import unique_labels

from speech_emotion.files import replacing
from speech_emotion.training.scores import (
    COVERAGE,
    Outcome,
    calibration_error,
    pareto_front,
    reliability,
)

plt.rcParams.update(
    {
        "figure.dpi": 110,
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.parse_math": False,  # a dollar in a label is a dollar
    }
)


FORMATS = ("png", "svg", "pdf")
_METADATA: dict[str, dict] = {  # no date: the same figures, the same bytes
    "png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None},
}  # fmt: skip


def save(figure: Figure, path: Path) -> Path:
    """Write a figure by its name's ending, PNG or drawn in lines (.svg, .pdf), whole or not at all; close
    it."""
    form = path.suffix[1:]
    with replacing(path, "wb") as file, plt.rc_context({"svg.hashsalt": path.name}):
        figure.savefig(file, format=form, bbox_inches="tight", metadata=_METADATA[form])
    plt.close(figure)
    return path


def draw(study, experiment, pipelines, folder: Path, form: str = "png") -> list[str]:
    """All pictures of a training run (report.Study, Experiment) as `form`, one of FORMATS; returns file names
    in report order."""
    names = []

    def keep(figure, name):
        names.append(save(figure, (folder / name).with_suffix(f".{form}")).name)

    keep(models_compared(study.outcomes), "models.png")
    keep(score_against_bytes(study.points(), study.budget_kb[0]), "score_against_bytes.png")
    for model, outcomes in study.outcomes.items():
        shown = {name: outcomes[name] for name in ("seed", "speaker") if name in outcomes}
        keep(confusion(shown, model), f"confusion_{model}.png")
    chosen = study.chosen
    trusted = study.outcomes[chosen].get("speaker", study.held_out[chosen])
    keep(calibration(trusted, f"{chosen}: is its confidence worth its name?"), "calibration.png")
    losses = experiment.importance(chosen, pipelines[chosen])
    keep(importance(losses[0], losses[1], f"{chosen}: what it listens to"), "importance.png")
    curve = experiment.learning_curve(chosen)
    if curve:
        clips, scores = curve
        keep(
            learning_curve(clips, scores, f"{chosen}: would more clips help?"), "learning_curve.png"
        )
    epochs = experiment.epoch_curves()
    if epochs:
        keep(epoch_curves(*epochs), "epochs.png")
    curves = {n: p[-1].loss_curve_ for n, p in pipelines.items() if hasattr(p[-1], "loss_curve_")}
    if curves:
        keep(loss_curves(curves), "loss_curve.png")
    return names


def confusion(outcomes: dict[str, Outcome], title: str) -> Figure:
    """One panel per protocol: rows are the true labels, each row adds up to 100 %."""
    figure, axes = plt.subplots(1, len(outcomes), figsize=(5.2 * len(outcomes), 4.6), squeeze=False)
    for ax, (protocol, outcome) in zip(axes[0], outcomes.items(), strict=True):
        labels = unique_labels(outcome.truth, outcome.predicted)
        ConfusionMatrixDisplay.from_predictions(
            outcome.truth, outcome.predicted, labels=labels, display_labels=drawable(labels),
            normalize="true", values_format=".0%", cmap="Blues",
            xticks_rotation=45, colorbar=False, ax=ax, im_kw={"vmin": 0, "vmax": 1},
        )  # fmt: skip
        counts = confusion_matrix(outcome.truth, outcome.predicted, labels=labels)
        for cell, count in zip(ax.texts, counts.ravel(), strict=True):
            cell.set_text(
                f"{cell.get_text()}\n{count}"
            )  # a share says nothing of how many clips it is of
            cell.set_fontsize(8 if len(labels) < 9 else 6)
        ax.set_title(protocol)
        ax.spines[:].set_visible(False)
    figure.suptitle(title)
    figure.tight_layout()
    return figure


def models_compared(outcomes: dict[str, dict[str, Outcome]]) -> Figure:
    """A bar per model with its 95 % interval: the random split that others publish, and speakers never
    heard."""
    shown = (("seed", "weighted_f1", "weighted F1, random split", "#bbbbbb"),
             ("speaker", "uar", "UAR, speakers never heard", "#4477aa"))  # fmt: skip
    names = list(outcomes)
    figure, ax = plt.subplots(figsize=(7, 1 + 0.55 * len(names)))
    for k, (protocol, score, title, colour) in enumerate(shown):
        for row, name in enumerate(names):
            outcome = outcomes[name].get(protocol)
            if outcome is None:
                continue
            value = outcome.summary()[score]
            low, high = outcome.interval(score, by_speaker=protocol != "seed")
            error = [[max(value - low, 0)], [max(high - value, 0)]]
            ax.barh(row + 0.38 * (0.5 - k), value, 0.36, xerr=error, color=colour, ecolor="#555555",
                    label=title if row == 0 else None)  # fmt: skip
    labels = next(iter(next(iter(outcomes.values())).values())).labels
    ax.axvline(1 / len(labels), color="#cc6677", linestyle="--", linewidth=1, label="guessing")
    ax.set_yticks(range(len(names)), drawable(names))
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), title="Models, with 95 % intervals")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def drawable(labels: Iterable[str]) -> list[str]:
    """Labels as the font can draw them: a character that it has not, by its number."""
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    return [
        "".join(c if font.get_char_index(ord(c)) else f"U+{ord(c):04X} " for c in label).strip()
        for label in labels
    ]


def calibration(outcome: Outcome, title: str) -> Figure:
    """Left: accuracy against confidence; right: UAR and error when only the surest clips get an answer."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    correct = outcome.predicted == outcome.truth
    confidences, accuracies, shares = reliability(outcome.confidence, correct)
    left.plot([0, 1], [0, 1], "--", color="#bbbbbb", linewidth=1)
    left.bar(confidences, shares, width=0.06, color="#dddddd", label="share of the clips")
    left.plot(confidences, accuracies, "o-", color="#4477aa", label="accuracy")
    error = calibration_error(outcome.confidence, correct)
    left.set(
        xlabel="confidence",
        xlim=(0, 1),
        ylim=(0, 1),
        title=f"expected calibration error {error:.3f}",
    )
    left.legend(frameon=False)
    coverages = np.linspace(0.1, 1, 19)
    right.plot(
        coverages, [outcome.covered(c) for c in coverages], "o-", color="#4477aa", label="UAR"
    )
    order = np.argsort(-outcome.confidence, kind="stable")
    kept = np.arange(1, len(order) + 1)
    right.plot(
        kept / len(order), np.cumsum(~correct[order]) / kept, color="#cc6677", label="risk (errors)"
    )
    right.axvline(COVERAGE, color="#bbbbbb", linestyle="--", linewidth=1)
    right.set(xlabel="coverage", ylim=(0, 1), title="the surest answers only")
    right.legend(frameon=False)
    figure.suptitle(title)
    figure.tight_layout()
    return figure


def importance(groups: dict[str, np.ndarray], columns: dict[str, np.ndarray], title: str) -> Figure:
    """Loss of macro F1 when a group's, and when a column's, values are shuffled; (repeats,) each."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 6))
    for ax, drops, what in zip(
        axes, (groups, columns), ("group of descriptors", "column"), strict=True
    ):
        means = {name: drop.mean() for name, drop in drops.items()}
        names = sorted(means, key=means.__getitem__)[-25:]
        ax.barh(names, [100 * means[n] for n in names], xerr=[100 * drops[n].std() for n in names],
                color="#4477aa", ecolor="#999999")  # fmt: skip
        ax.set_xlabel("macro F1 lost, points")
        ax.set_title(f"{what} shuffled")
    figure.suptitle(title)
    figure.tight_layout()
    return figure


def learning_curve(sizes: np.ndarray, scores: np.ndarray, title: str) -> Figure:
    """sizes: (k,) clips trained on; scores: (k, folds) macro F1 on unseen speakers."""
    figure, ax = plt.subplots(figsize=(6, 4))
    mean, spread = scores.mean(axis=1), scores.std(axis=1)
    ax.plot(sizes, mean, "o-", color="#4477aa")
    ax.fill_between(sizes, mean - spread, mean + spread, color="#4477aa", alpha=0.2, linewidth=0)
    ax.set(xlabel="clips trained on", ylabel="macro F1, unseen speakers", title=title)
    ax.set_ylim(bottom=0)
    return figure


def epoch_curves(name: str, epochs: list[int], trained: list[float], tested: list[float]) -> Figure:
    """Macro F1 on the training clips and on speakers left out, epoch by epoch: where they part, it learns by
    heart."""
    figure, ax = plt.subplots(figsize=(6, 4))
    ax.plot(epochs, trained, "-", color="#bbbbbb", label="clips trained on")
    ax.plot(epochs, tested, "-", color="#4477aa", label="validation: speakers left out of training")
    ax.set(
        xlabel="epoch", ylabel="macro F1", ylim=(0, 1.02), title=f"{name}: training and validation"
    )
    ax.legend(frameon=False)
    return figure


def loss_curves(curves: dict[str, list[float]]) -> Figure:
    """Training loss per epoch of each network."""
    figure, ax = plt.subplots(figsize=(6, 4))
    for name, curve in curves.items():
        ax.plot(np.arange(1, len(curve) + 1), curve, label=name)
    ax.set(
        xlabel="epoch", ylabel="loss (cross-entropy + L2 penalty)", yscale="log", title="Loss curve"
    )
    ax.legend(frameon=False)
    return figure


def score_against_bytes(points: dict[str, tuple[float, float]], budget_kb: float) -> Figure:
    """points: model -> (bytes, macro F1). Models that no smaller one beats are joined by a line."""
    figure, ax = plt.subplots(figsize=(6.5, 4.2))
    for name, (size, score) in points.items():
        ax.plot(size / 1024, score, "o", color="#4477aa")
        ax.annotate(name, (size / 1024, score), xytext=(4, 4), textcoords="offset points")
    front = pareto_front(points)
    ax.plot(
        [points[n][0] / 1024 for n in front],
        [points[n][1] for n in front],
        "-",
        color="#ccbb44",
        zorder=0,
    )
    ax.axvline(budget_kb, color="#bbbbbb", linestyle="--", linewidth=1)
    ax.text(budget_kb, ax.get_ylim()[0], f" {budget_kb:g} KB", color="#777777", va="bottom")
    ax.set(
        xscale="log",
        xlabel="KB of flash: code, tables and model (too large to compile: parameters)",
        ylabel="macro F1",
        title="Score against size",
    )
    return figure
