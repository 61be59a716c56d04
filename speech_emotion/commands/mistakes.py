"""What people mean when they name the wrong thing: found before anything slow is loaded, said in one line.

Only names and what is there are looked at, never a file's content.
"""

from collections.abc import Sequence
from pathlib import Path

from speech_emotion.corpora.discovery import ARCHIVES, LOSSLESS, LOSSY
from speech_emotion.errors import UserError

SOUNDS = LOSSLESS | LOSSY
_MOST = 3  # of what is offered instead


def is_sound(path: Path) -> bool:
    """Whether a name is a sound file's."""
    return path.suffix.lower() in SOUNDS


def is_library(path: Path) -> bool:
    """Whether a folder is a generated library."""
    return (path / "src" / "ser_model.c").is_file()


def clips(names: Sequence[str], *, plus: str = "") -> tuple[list[str], list[str]]:
    """The sound files named, in place of a folder those below it; and a sentence on each folder taken.

    UserError where none of them is there, or one is a model, a table or a folder without sounds. plus: what
    else the command wants, for its remedy. A file that is missing among others is left to who reads it.
    """
    found, said = list[str](), list[str]()
    for name in names:
        path = Path(name)
        if path.is_dir():
            if is_library(path) or (path / "model.joblib").is_file():
                raise UserError(f"{name}: holds a model, and stands where a clip belongs{plus}")
            below = sorted(str(p) for p in path.rglob("*") if is_sound(p) and not _hidden(p, path))
            if not below and len(names) == 1:
                raise UserError(f"{name}: a folder without a sound file; name clips")
            if not below:  # left to who reads it, as the others count
                found.append(name)
                continue
            found += below
            said.append(f"{name}: a folder, its {len(below)} sound files are taken")
        elif path.suffix in (".joblib", ".csv", ".json") and not is_sound(path):
            what = {".joblib": "a model", ".csv": "a table", ".json": "no sound"}[path.suffix]
            raise UserError(f"{name}: {what}, and stands where a clip belongs{plus}")
        else:
            found.append(name)
    # of a sentence the name goes on behind the file's (features.sentences)
    if found and not any(
        Path(name.partition("@")[0]).exists() or Path(name).exists() for name in found
    ):
        first, others = (
            found[0],
            f" (nor are the {len(found) - 1} others)" if len(found) > 1 else "",
        )
        raise UserError(f"{first}: no such file{others}{_instead(Path(first), SOUNDS)}")
    return found, said


def _hidden(path, root):
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def model(name: str, *, library: bool = True) -> None:
    """UserError where a model is named and something else is meant. library: whether a generated library's
    folder will do, too."""
    path = Path(name)
    folder = " or a folder that python -m codegen wrote" if library else ""
    if path.is_dir():
        if library and is_library(path):
            return
        if (path / "model.joblib").is_file():
            raise UserError(f"{name}: a folder; name the model in it, {path / 'model.joblib'}")
        if is_library(path):
            raise UserError(
                f"{name}: a generated library; name the model.joblib that it was made from"
            )
        raise UserError(f"{name}: is a directory without a model; name a model.joblib{folder}")
    if is_sound(path):
        raise UserError(
            f"{name}: a sound, and stands where the model belongs; name a model.joblib{folder}"
        )
    if path.suffix == ".csv":
        raise UserError(
            f"{name}: a table, and stands where the model belongs; name a model.joblib{folder}"
        )
    if path.suffix == ".json" and path.with_suffix(".joblib").is_file():
        raise UserError(f"{name}: stands beside the model; name {path.with_suffix('.joblib')}")
    if not path.exists():
        raise UserError(
            f"{name}: no such model{_instead(path, {'.joblib'}, 'make one with train.py')}"
        )


def clips_and_model(names: Sequence[str], model_name: str) -> None:
    """UserError where the model does not stand last."""
    looks = [name for name in names if Path(name).suffix == ".joblib" or is_library(Path(name))]
    last = Path(model_name)
    if looks and not (last.suffix == ".joblib" or is_library(last)):
        raise UserError(
            f"{looks[0]}: CLIP and MODEL are swapped: the model stands last, as in: {model_name} {looks[0]}"
        )


def table(path: Path) -> Path:
    """The features.csv that is meant: a folder's own. UserError, with where it is, where it is not there."""
    if path.is_dir():
        if (path / "features.csv").is_file():
            return path / "features.csv"
        raise UserError(f"{path}: a folder without a features.csv; {_tables(path)}")
    if path.name == "clips.csv" and path.with_name("features.csv").is_file():
        raise UserError(
            f"{path}: the list of clips, without their features; name {path.with_name('features.csv')}"
        )
    if path.suffix == ".joblib" or is_sound(path):
        raise UserError(f"{path}: stands where a features.csv belongs; {_tables(path)}")
    if not path.exists():
        raise UserError(f"{path}: no such file; {_tables(path)}")
    if not path.with_suffix(".json").is_file() and path.name != "features.csv":
        raise UserError(
            f"{path}: no table of dataset_generator.py, whose features.csv has a features.json beside it; "
            f"{_tables(path)}"
        )
    return path


def _tables(path):
    """Where a table is, or how to make one."""
    places = [
        Path("dataset/features.csv"),
        *sorted(Path().glob("*/features.csv")),
        Path("features.csv"),
    ]
    there = [p for p in dict.fromkeys(places) if p.is_file() and p != path]
    if there:
        return f"the table is {' or '.join(map(str, there[:_MOST]))}"
    return "make it with: python dataset_generator.py"


def corpora(path: Path | None, *, option: str = "--corpora") -> None:
    """UserError where a folder of clips is named and is none, or is one level off."""
    if path is None:
        return
    if not path.exists():
        near = _instead(path, None)
        raise UserError(f"{option} {path}: no such folder{near or '; name one that holds corpora'}")
    if not path.is_dir():
        what = "an archive; unpack it and name the folder" if path.suffix.lower() in ARCHIVES else (
            "a file; name the folder that holds the clips"
        )  # fmt: skip
        raise UserError(f"{option} {path}: {what}")


def _instead(path, endings, otherwise=""):
    """What is there that may be meant, as the end of a sentence."""
    folder, word = path.parent, path.name.lower()
    if not folder.is_dir():
        above = next((p for p in folder.parents if p.is_dir()), Path())
        missing = folder
        while missing.parent != above and missing != missing.parent:
            missing = missing.parent
        return f"; there is no {missing}" + (f"; {otherwise}" if otherwise else "")
    names = [
        p.name
        for p in sorted(folder.iterdir())
        if not p.name.startswith(".")
        and (p.is_dir() if endings is None else p.suffix.lower() in endings)
    ]
    from difflib import get_close_matches

    lower = {name.lower(): name for name in names}
    near = [lower[match] for match in get_close_matches(word, lower, n=_MOST, cutoff=0.6)]
    if not near and endings == {".joblib"}:
        near = names[:_MOST]
    offer = f"there is {', '.join(str(folder / name) for name in near)}" if near else otherwise
    return f"; {offer}" if offer else ""


def counts(arguments) -> None:
    """UserError where --jobs or --seeds, of commands that have them, is no number to work with."""
    if getattr(arguments, "jobs", 1) == 0:
        raise UserError("--jobs 0: give a number of processes, or -1 for all cores")
    if getattr(arguments, "seeds", 1) < 1:
        raise UserError(f"--seeds {arguments.seeds}: must be 1 or more")
