"""How close the C code is to librosa and Praat, column by column, with the bars that it is held against."""

import random
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from tabulate import tabulate

from speech_emotion import cli, corpora
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.features import audio, engines, schema
from speech_emotion.files import replacing

TOLERANCE = 1e-3  # of a column's standard deviation over the clips
EXACT_SHARE = 0.999  # of the cells that must lie within it
EXACT_GROUPS = (
    "energy", "zcr", "cepstrum", "spectrum", "contrast", "mel", "chroma", "correlation", "modulation",
    "relative",
)  # fmt: skip
LEAST_R = {
    "encoder": 0.999,
    "intensity": 0.995,
    "pitch": 0.995,
    "clear": 0.995,
    "hnr": 0.995,
    "voice": 0.985,
}
LEAST_R_PER_CORPUS = {"voice": 0.95}
CHUNK = 20


@dataclass(frozen=True)
class Comparison:
    """Both engines' vectors of the same clips: reference and device are (clips, columns)."""

    reference: np.ndarray
    device: np.ndarray
    corpora: np.ndarray  # (clips,) names
    paths: list[str]

    @property
    def error(self) -> np.ndarray:
        """C less reference in standard deviations of the reference's column, (clips, columns)."""
        spread = self.reference.std(axis=0)
        return (self.device - self.reference) / np.where(spread > 0, spread, 1)

    def r(self, column: int, rows=slice(None)) -> float:
        """Pearson's r of a column, over some of the clips; 1 where both engines never vary."""
        a, b = self.reference[rows, column], self.device[rows, column]
        if a.std() == 0 or b.std() == 0:
            return float(np.array_equal(a, b))
        return float(np.corrcoef(a, b)[0, 1])


def choose(root: Path, count: int, seed: int) -> list:
    """`count` clips, as evenly from every corpus under `root` as they last."""
    by_corpus: dict[str, list[corpora.Clip]] = {}
    for clip in corpora.discover(root).clips:
        by_corpus.setdefault(clip.corpus, []).append(clip)
    draw = random.Random(seed)
    for clips in by_corpus.values():
        draw.shuffle(clips)
    chosen: list[corpora.Clip] = []
    while len(chosen) < count and any(by_corpus.values()):
        for clips in by_corpus.values():
            if clips and len(chosen) < count:
                chosen.append(clips.pop())
    return chosen


def compare(clips, root: Path, jobs: int = 1) -> Comparison:
    """Both engines over the clips; silent and unreadable ones are left out."""
    chunks = [clips[i : i + CHUNK] for i in range(0, len(clips), CHUNK)]
    work = joblib.Parallel(n_jobs=jobs, return_as="generator")(
        joblib.delayed(_both)([clip.path for clip in chunk]) for chunk in chunks
    )
    reference, device, names, paths = [], [], [], []
    for chunk, results in zip(
        chunks, cli.progress(work, total=len(chunks), what="compare", unit="chunk"), strict=True
    ):
        for clip, pair in zip(chunk, results, strict=True):
            if pair is not None:
                reference.append(pair[0])
                device.append(pair[1])
                names.append(clip.corpus)
                paths.append(clip.path.relative_to(root).as_posix())
    if len(paths) < 2:
        raise UserError(f"{root}: {len(paths)} usable clips; a comparison needs at least two")
    return Comparison(
        np.array(reference, np.float64), np.array(device, np.float64), np.array(names), paths
    )


def _both(paths):
    reference, device = engines.get("reference"), engines.get("device")
    pairs: list[tuple[np.ndarray, np.ndarray] | None] = []
    for path in paths:
        try:
            samples = audio.load(path)
        except UserError:
            pairs.append(None)
            continue
        silent = audio.is_silent(samples)
        pairs.append(None if silent else (reference(samples), device(samples)))
    return pairs


def table(comparison: Comparison) -> pd.DataFrame:
    """One row per column of the schema: its error, share within tolerance, r pooled and per corpus."""
    error = np.abs(comparison.error)
    names = sorted(set(comparison.corpora))
    rows = []
    for i, column in enumerate(schema.COLUMNS):
        per_corpus = {name: comparison.r(i, comparison.corpora == name) for name in names}
        rows.append(
            {
                "column": column,
                "group": schema.GROUP_OF[column],
                "sigma": float(comparison.reference[:, i].std()),
                "within": float((error[:, i] <= TOLERANCE).mean()),
                "largest": float(error[:, i].max()),
                "median": float(np.median(error[:, i])),
                "r": comparison.r(i),
                "off_1_percent": int(_off(comparison, i).sum()),
                "worst_clip": comparison.paths[int(error[:, i].argmax())],
                **{f"r {name}": r for name, r in per_corpus.items()},
            }
        )
    return pd.DataFrame(rows)


def _off(comparison, column):
    """Clips more than 1 % away from the reference."""
    a, b = comparison.reference[:, column], comparison.device[:, column]
    return np.abs(b - a) > 0.01 * np.abs(a)


def verdicts(comparison: Comparison, columns: pd.DataFrame) -> list[tuple[str, str, bool]]:
    """(bar, what was reached, whether it holds) for every group."""
    found = []
    for group in schema.GROUPS:
        part = columns[columns.group == group]
        if group in EXACT_GROUPS:
            worst = part.sort_values("within").iloc[0]
            share = float(part.within.mean())
            found.append(
                (
                    f"{group}: within {TOLERANCE:g} sigma in {EXACT_SHARE:.1%} of cells",
                    f"{share:.4%}; worst column {worst['column']} {worst.within:.2%}, "
                    f"largest error {part.largest.max():.2g} sigma",
                    share >= EXACT_SHARE,
                )
            )
            continue
        worst = part.sort_values("r").iloc[0]
        found.append(
            (
                f"{group}: r at least {LEAST_R[group]}",
                f"{worst.r:.5f} ({worst['column']})",
                bool(worst.r >= LEAST_R[group]),
            )
        )
        if group in LEAST_R_PER_CORPUS:
            least = LEAST_R_PER_CORPUS[group]
            per = part.melt("column", _corpus_columns(part), "corpus", "r").sort_values("r").iloc[0]
            found.append(
                (
                    f"{group}: r at least {least} in every corpus",
                    f"{per.r:.4f} ({per['column']}, {per['corpus'].removeprefix('r ')})",
                    bool(per.r >= least),
                )
            )
    return found


def _corpus_columns(columns):
    return [name for name in columns.columns if name.startswith("r ")]


def plot(comparison: Comparison, group: str, path: Path) -> None:
    """C against reference for every cell of a group, and the histogram of its errors, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    inside = [i for i, column in enumerate(schema.COLUMNS) if schema.GROUP_OF[column] == group]
    spread = comparison.reference[:, inside].std(axis=0)
    spread[spread == 0] = 1
    centre = comparison.reference[:, inside].mean(axis=0)
    reference = ((comparison.reference[:, inside] - centre) / spread).ravel()
    device = ((comparison.device[:, inside] - centre) / spread).ravel()
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    left.plot(reference, device, ".", markersize=1.5, alpha=0.3, rasterized=True)
    ends = [min(reference.min(), device.min()), max(reference.max(), device.max())]
    left.plot(ends, ends, color="black", linewidth=0.6)
    left.set(
        xlabel="reference (standard deviations)",
        ylabel="C (standard deviations)",
        title=f"{group}: {len(inside)} columns, {len(reference)} cells",
    )
    error = np.maximum(np.abs(device - reference), 1e-9)
    right.hist(np.log10(error), bins=80)
    right.axvline(np.log10(TOLERANCE), color="black", linewidth=0.8, linestyle="--")
    right.set(xlabel="log10 |C − reference| / standard deviation", ylabel="cells", title="error")
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def report(comparison: Comparison, columns: pd.DataFrame, bars, plots: dict[str, str]) -> str:
    """The report as Markdown, the worst first."""
    counts = pd.Series(comparison.corpora).value_counts().to_dict()
    lines = [
        "# Parity of the C extractor with librosa and Praat",
        "",
        f"{len(comparison.paths)} real clips ("
        + ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
        + f"), {len(schema.COLUMNS)} columns, schema {schema.HASH}. Errors are C less reference, in "
        "standard deviations of the column over these clips. Made by "
        "`speech-emotion parity`.",
        "",
        "## Bars",
        "",
        tabulate(
            [(bar, reached, "holds" if ok else "**missed**") for bar, reached, ok in bars],
            ("bar", "reached", ""),
            "github",
            disable_numparse=True,
        ),
        "",
        "## Columns with any cell beyond the tolerance, or r below 0.9999: the worst first",
        "",
    ]
    per_corpus = _corpus_columns(columns)
    shown = columns[(columns.within < 1) | (columns.r < 0.9999)].sort_values("r")
    rows = [
        (row["column"], f"{row.r:.6f}", *(f"{row[name]:.4f}" for name in per_corpus),
         f"{row.within:.2%}", f"{row.largest:.2g}", row.off_1_percent, row.worst_clip)
        for _, row in shown.iterrows()
    ]  # fmt: skip
    head = (
        "column", "r", *per_corpus, f"within {TOLERANCE:g} σ", "largest, σ", "clips off by > 1 %",
        "worst clip",
    )  # fmt: skip
    lines += [
        tabulate(rows, head, "github", disable_numparse=True),
        "",
        f"The other {len(columns) - len(shown)} columns: every cell within tolerance.",
        "",
    ]
    for group in schema.GROUPS:
        part = columns[columns.group == group]
        lines += [
            f"## {group}",
            "",
            f"{len(part)} columns; median error {part['median'].median():.1e} σ, largest "
            f"{part.largest.max():.1e} σ, least r {part.r.min():.6f}.",
            "",
            f"![C against reference and error histogram, {group}]({plots[group]})",
            "",
        ]
    return "\n".join(lines)


def write(comparison: Comparison, out: Path) -> list[tuple[str, str, bool]]:
    """parity.md, parity.csv and the plots, below `out`. Returns the `verdicts`."""
    columns = table(comparison)
    bars = verdicts(comparison, columns)
    plots = {group: f"parity_{group}.png" for group in schema.GROUPS}
    for group, name in plots.items():
        plot(comparison, group, out / name)
    with replacing(out / "parity.csv") as file:
        columns.to_csv(file, index=False, float_format="%.7g")
    with replacing(out / "parity.md") as file:
        file.write(report(comparison, columns, bars, plots))
    return bars


def require(bars: list[tuple[str, str, bool]]) -> None:
    """CheckFailed where a bar was missed."""
    missed = [bar for bar, _, ok in bars if not ok]
    if missed:
        raise CheckFailed("parity: " + "; ".join(missed))
