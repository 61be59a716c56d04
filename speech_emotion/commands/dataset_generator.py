"""From folders of emotional speech to dataset/clips.csv and dataset/features.csv.

Finds the clips, measures every one, and writes one row per clip, with a sidecar JSON that names the
schema, the engine, the versions, and whatever was left out and why. Interrupt it at any moment: the
same command goes on where it stopped and ends with the same bytes.
"""

import argparse
import math
import platform
import warnings
from collections import Counter, defaultdict
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from speech_emotion import cli, corpora, names, parallel
from speech_emotion.commands import mistakes, steps
from speech_emotion.corpora import folder, sources
from speech_emotion.corpora.places import KAGGLE_FOLDER
from speech_emotion.corpora.registry import NAMES
from speech_emotion.dataset.copies import AGAINST_THE_WORLD, RANGES, Augmentation, Others
from speech_emotion.errors import UserError
from speech_emotion.features import engines, schema
from speech_emotion.files import alone, writable_folder

EXAMPLES = """examples:
  python dataset_generator.py                                  # the Kaggle folder, else synthetic speech
  python dataset_generator.py --corpora ~/speech --jobs 4
  python dataset_generator.py --corpora my_recordings          # my_recordings/<emotion>/*.wav
  python dataset_generator.py --corpora my_recordings --split  # long ones are cut into sentences
  python dataset_generator.py --download ravdess tess --corpora ~/speech
  python dataset_generator.py --corpora ~/speech --engine device --augment   # for a model that is shipped
  python dataset_generator.py --augment noise:10 stretch pitch # three more rows per clip
"""


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--corpora", type=Path, metavar="DIR",
        help=f"folder that holds corpora, one corpus, or <emotion>/*.wav (default: {KAGGLE_FOLDER}/ where it "
        "exists, else a synthetic corpus made on the spot)")  # fmt: skip
    add("--only", nargs="+", default=[], metavar="NAME",
        help=f"take the clips of these corpora only, of {', '.join(NAMES)}")  # fmt: skip
    add("--synthetic", action="store_true", help="make synthetic speech even where real speech is")
    add("--out", type=Path, default=Path("dataset"), metavar="DIR", help="default: dataset")
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    add("--scheduler", metavar="ADDRESS",
        help="extract on a running Dask cluster, e.g. tcp://10.0.0.1:8786, whose scheduler and workers have "
        "this package installed, and whose workers see DIR under the same path; needs: pip install "
        "'speech-emotion[scheduler]'")  # fmt: skip
    add("--engine", choices=engines.NAMES, default="reference",
        help="reference: librosa and Praat; device: the chip's own C code (default: reference)")  # fmt: skip
    add("--augment", nargs="*", type=str, metavar="KIND[:VALUE]",
        help=f"a further row per clip and KIND, one of {', '.join(RANGES)}; VALUE in dB SNR, factor, "
        "semitones, seconds; drawn per clip where none is given. --augment alone, what a model needs to "
        f"stand noise and new voices: {' '.join(AGAINST_THE_WORLD)}")  # fmt: skip
    add("--download", nargs="+", default=[], metavar="NAME",
        help="first fetch these corpora from their official homes into the corpora folder: "
        f"{', '.join(sources.NAMES)}; the licence is printed first")  # fmt: skip
    add("--speaker-from", default="auto", metavar="WAY",
        help="what tells the speakers of own recordings: prefix (of the name, before the first _), folder "
        "(above the emotion's), parent (the clip's, below the emotion's), regex:PATTERN (on the path; a part "
        "in brackets), none; a speakers.csv in DIR (file,speaker,sex) goes before (default: auto, what is "
        "plausible)")  # fmt: skip
    add("--merge-labels", action="store_true",
        help="join labels of own recordings that may be one emotion, such as anger and angry; a labels.csv "
        "in DIR (label,means) joins what you say (default: name them and keep them apart)")  # fmt: skip
    add("--split", nargs="?", type=float, const=15.0, metavar="SECONDS",
        help="cut own recordings longer than this (default: 15) into sentences, a row each, by the board's "
        "own gate")  # fmt: skip
    add("--boredom", action="store_true", help="keep EMO-DB's boredom, which no other corpus has")
    add(
        "--strict", action="store_true", help="fail on the first bad clip instead of leaving it out"
    )
    add(
        "--seed",
        type=int,
        default=0,
        help="of the synthetic corpus and of augmentation (default: 0)",
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    # each kind once, however often it is named: a row's path is unique
    kinds = AGAINST_THE_WORLD if arguments.augment == [] else arguments.augment or []
    augmentations = [None, *dict.fromkeys(map(Augmentation.parse, kinds))]
    if arguments.jobs == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    if arguments.synthetic and arguments.corpora:
        raise UserError("--synthetic and --corpora: give one of the two")
    unknown = [name for name in arguments.download if name not in sources.NAMES]
    if unknown:
        raise UserError(
            f"--download {unknown[0]}: no such corpus; there are {', '.join(sources.NAMES)}"
        )
    if arguments.split is not None and not arguments.split >= 1:
        raise UserError(f"--split {arguments.split:g}: give a length in seconds, 1 or more")
    strange = [name for name in arguments.only if name not in NAMES]
    if strange:
        raise UserError(f"--only {strange[0]}: no such corpus; there are {', '.join(NAMES)}")
    folder.check_speaker_from(arguments.speaker_from)
    if not arguments.download:
        mistakes.corpora(arguments.corpora)
    out = writable_folder(arguments.out)
    with alone(out, "dataset_generator"):
        generate(arguments, augmentations, out)
    known = {} if arguments.corpora is None else {"corpora": arguments.corpora}
    steps.show("table", features=out / "features.csv", **known)


def generate(arguments, augmentations, out):
    """What the command is for, once it is alone in the output folder."""
    # imported when asked for, here and below: --help and a wrong argument need nothing that loads slowly
    from speech_emotion.corpora import download
    from speech_emotion.dataset.journal import Journal

    for name in arguments.download:
        download.download(name, arguments.corpora or KAGGLE_FOLDER)

    root, found = find_clips(arguments, out)
    found = sentences_of(found, root, arguments)
    work = plan(found.clips, root, augmentations, arguments.seed)
    about = settings(arguments)
    with Journal(out, about) as journal:
        if journal.damaged:
            print(f"{journal.path}: {journal.damaged} damaged lines, which are measured again")
        if journal.others:
            size = sum(path.stat().st_size for path in journal.others) / 1e6
            others = ", ".join(path.name for path in journal.others)
            print(
                f"Kept from runs with other settings, {size:.0f} MB, to delete if not needed: {others}"
            )
        tasks = [task for _, task in work]
        with parallel.on_cluster(arguments.scheduler, ready(tasks, arguments.engine)):
            extract_missing(tasks, journal, arguments)
        write_tables(out, root, found, work, journal, about)


def ready(tasks, engine):
    """The call that tells what a cluster's worker is short of."""
    import joblib

    from speech_emotion.dataset.extraction import short_of

    return joblib.delayed(short_of)(engine, [tasks[0], tasks[len(tasks) // 2], tasks[-1]])


def find_clips(arguments, out):
    """The corpora folder and what is in it; synthetic speech where there is none."""
    root = arguments.corpora or KAGGLE_FOLDER
    if arguments.synthetic or (arguments.corpora is None and not KAGGLE_FOLDER.is_dir()):
        root = out / "synthetic"
        if not arguments.synthetic:
            print(f"No --corpora given and no {KAGGLE_FOLDER}/ here.")
        print(
            f"Making SYNTHETIC speech in {root}/. It shows that the pipeline runs; "
            "scores on it mean nothing for real speech."
        )
        from speech_emotion.corpora import synthetic

        synthetic.write(
            root, seed=arguments.seed, progress=lambda clips: cli.progress(clips, what="synthesise")
        )
    if not root.exists():
        raise UserError(f"{root}: no such folder; name one that holds corpora, or use --download")
    found = corpora.discover(
        root,
        boredom=arguments.boredom,
        speaker_from=arguments.speaker_from,
        merge_labels=arguments.merge_labels,
    )
    if arguments.only:
        found = only(found, root, arguments.only)
    counts = Counter(clip.corpus for clip in found.clips)
    print(
        f"{root}: {len(found.clips)} clips ("
        + ", ".join(f"{name} {count}" for name, count in counts.items())
        + f"), {len(found.ignored)} other sound files passed over"
    )
    for line in (*passed_over(found, root), *found.notes):
        print(f"  {names.terminal(line)}")
    return root, found


def only(found, root, corpora_wanted):
    """The clips of these corpora; what is left out is said."""
    clips = [clip for clip in found.clips if clip.corpus in corpora_wanted]
    if not clips:
        there = ", ".join(sorted({clip.corpus for clip in found.clips}))
        raise UserError(
            f"{root}: no clip of {', '.join(corpora_wanted)}; there are clips of {there}"
        )
    others = len(found.clips) - len(clips)
    said = f"{others} clips of other corpora left out (--only {' '.join(corpora_wanted)})"
    return replace(found, clips=clips, notes=(*found.notes, *([said] if others else [])))


def sentences_of(found, root, arguments):
    """The clips, with a long recording's sentences in its place where that was asked for."""
    from speech_emotion.dataset import splitting

    longer = math.inf if arguments.split is None else arguments.split
    result = splitting.split(found, root, longer=longer, jobs=arguments.jobs)
    for line in result.notes[len(found.notes) :]:
        print(f"  {names.terminal(line)}")
    if not result.clips:
        raise UserError(f"{root}: none of its {len(found.clips)} recordings holds a sentence")
    return result


def passed_over(found, root, most=6):
    """Why files were passed over: each reason once, with the number of files and the first of them."""
    by_reason = defaultdict(list)
    for path, reason in found.ignored:
        same = "the same clip as another" if reason.startswith("the same clip as ") else reason
        by_reason[same].append(relative(path, root))
    ordered = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    for reason, paths in ordered[:most]:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"passed over: {paths[0]}{more}: {reason}"
    if len(ordered) > most:
        rest = sum(len(paths) for _, paths in ordered[most:])
        yield f"passed over: {rest} more, each with its reason in features.json"


def relative(path, root):
    """A file's path in the tables: below the corpora folder, the same on every machine."""
    return path.relative_to(root).as_posix()


def name_of(clip, root):
    """A clip's own name in the tables: its file's, and its place in it where that holds several."""
    name = relative(clip.path, root)
    return name if clip.place is None else clip.place.of(name)


def plan(clips, root, augmentations, seed):
    """The rows to be: (clip, task), each clip's copies after it."""
    from speech_emotion.dataset.extraction import Task

    named = [(clip, name_of(clip, root)) for clip in clips]
    others, root = Others([(name, speaker_of(clip)) for clip, name in named]), root.resolve()
    if not others:
        alone = [str(each) for each in augmentations if each and each.others]
        augmentations = [each for each in augmentations if str(each) not in alone]
        if alone:
            print(f"No {', '.join(alone)} copies: all clips are of one speaker")
    return [
        (clip, Task(root, name, each, others.behind(name, speaker_of(clip), each, seed=seed)))
        for clip, name in named
        for each in augmentations
    ]


def speaker_of(clip):
    """Speakers of two corpora may have one name."""
    return f"{clip.corpus}/{clip.speaker}"


def settings(arguments):
    """All that decides a row besides the clip itself."""
    from speech_emotion.dataset.extraction import code

    packages = ("numpy", "scipy", "librosa", "praat-parselmouth", "soundfile", "soxr", "av")
    return {
        "schema": schema.HASH,
        "engine": arguments.engine,
        "code": code(arguments.engine),
        "seed": arguments.seed,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


def extract_missing(tasks, journal, arguments):
    """Measure what the journal does not hold yet; each result is on disk as soon as it is there."""
    import joblib

    from speech_emotion.dataset.extraction import extract_clip, lost
    from speech_emotion.features import sentences

    missing = [task for task in tasks if task.key() not in journal]
    if len(missing) < len(tasks):
        print(f"{len(tasks) - len(missing)} of {len(tasks)} are there already from an earlier run")
    for task in tasks if arguments.strict else ():
        if (key := task.key()) in journal and (reason := journal[key].left_out):
            raise UserError(f"{task.row_name}: {reason} (--strict)")
    calls = (
        joblib.delayed(extract_clip)(task, engine=arguments.engine, seed=arguments.seed)
        for task in missing
    )
    with warnings.catch_warnings():
        # at an interrupt joblib gives advice on tasks that were cancelled
        warnings.filterwarnings("ignore", message=".*tasks which were still being processed")
        results = parallel.spread(calls, jobs=arguments.jobs, ordered=False, on_death=lost)
        for result in cli.progress(results, total=len(missing), what="extract"):
            file = tasks[0].root / sentences.parse(result.name)[0]
            if arguments.scheduler and result.unseen and file.exists():
                raise UserError(
                    f"--scheduler {arguments.scheduler}: a worker does not see {file}; "
                    "all need the clips under the same path"
                )
            journal.add(result)
            if result.left_out and arguments.strict:
                raise UserError(f"{result.name}: {result.left_out} (--strict)")


def write_tables(out, root, found, work, journal, about):
    """The tables in the order of the clips; beside them what they hold and what they do not."""
    from speech_emotion.dataset import table
    from speech_emotion.dataset.summary import Summary

    summary = Summary()

    def rows():
        for clip, task in work:
            this = task.key()
            if this not in journal:
                changed = " or ".join((str(clip.path), *task.others))
                raise UserError(f"{changed}: changed while it was being read; run again")
            result = journal[this]
            if result.left_out:
                summary.leave_out(task.row_name, result.left_out)
                continue
            summary.count(clip, task.row_name, result, augmented=task.augmentation is not None)
            yield (
                {
                    "path": task.row_name,
                    "corpus": clip.corpus,
                    "speaker": clip.speaker,
                    "sex": clip.sex,
                    "emotion": clip.emotion,
                    "sentence": clip.sentence,
                    "intensity": clip.intensity,
                    "seconds": str(result.seconds),
                    "augmentation": str(task.augmentation or ""),
                    "source": task.name if task.augmentation else "",
                    "background": table.BETWEEN.join(task.others),
                    "recording": clip.recording,
                    **where(clip),
                },
                result.vector,
            )
        if summary.written == 0:
            raise UserError(
                f"{root}: none of its {len(found.clips)} clips can be used; {summary.first_reason()}"
            )

    ignored = {relative(path, root): why for path, why in found.ignored}
    cut = any(clip.recording or clip.place for clip in found.clips)
    facts = lambda: about | summary.as_info() | {"ignored": ignored}  # noqa: E731
    path = table.write(out, rows(), facts, cut=cut)
    print(summary.text())
    print(f"{path}: {summary.written} rows x {len(schema.COLUMNS)} features, schema {schema.HASH}")


def where(clip):
    """A sentence's place in its file, in seconds."""
    start, end = ("", "") if clip.place is None else (f"{t:.2f}" for t in clip.place.seconds)
    return {"start": start, "end": end}


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
