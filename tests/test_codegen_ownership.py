"""Regenerating keeps what is not codegen's own, or was changed since, and names it; cut off anywhere, nothing
of the user's is lost."""

import hashlib
import os
import shutil
import subprocess
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_emotion.codegen import library, ownership
from speech_emotion.errors import UserError


def made(version):
    """A library's files, as far as ownership is concerned."""
    files = {
        "src/ser_model.c": f"model {version}".encode(),
        "src/ser.c": b"the same in all",
        "examples/Microphone/Microphone.ino": f"sketch {version}".encode(),
        "README.md": f"read {version}".encode(),
        f"src/only_{version}.h": b"",
    }
    return files | {ownership.MANIFEST: ownership.manifest(files)}


def put(version, out, *, force=False):
    library.check_replaceable(out, force=force)
    with library.draft(out) as beside:
        return library.put(made(version), out, beside, force=force)


def state(folder):
    """Everything below a folder: path -> content, link's goal, or None of a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = (
            os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        )  # fmt: skip
    return found


@pytest.fixture
def out(tmp_path):
    out = tmp_path / "Voice"
    assert put(1, out) == []
    return out


def add(folder, path, text="mine"):
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_a_library_of_ours_is_replaced_and_nothing_is_left_of_it(out):
    assert put(2, out) == []
    assert {
        p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()
    } == made(2)
    assert sorted(p.name for p in out.parent.iterdir()) == ["Voice", "Voice.zip"]
    with zipfile.ZipFile(library.zip_path(out)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"Voice/{path}": content for path, content in made(2).items()
        }


def test_the_manifest_is_one_of_sha256sum(out):
    if shutil.which("sha256sum"):
        subprocess.run(
            ["sha256sum", "--check", "--strict", "--quiet", ownership.MANIFEST], cwd=out, check=True
        )
    lines = (out / ownership.MANIFEST).read_text().splitlines()[1:]
    assert {line[66:]: line[:64] for line in lines} == {
        path: hashlib.sha256(content).hexdigest()
        for path, content in made(1).items() if path != ownership.MANIFEST
    }  # fmt: skip


def test_what_is_the_users_stays_and_is_named(out):
    add(out, "examples/MySketch/MySketch.ino")
    add(out, ".git/config")
    (out / ".git" / "refs" / "tags").mkdir(parents=True)  # empty, and git wants it
    add(out, "notes.txt")
    add(out, "src/extra.c", "int extra;")
    (out / "link").symlink_to("../elsewhere")
    (out / "examples" / "MySketch" / "MySketch.ino").chmod(0o755)
    before = state(out)
    said = put(2, out)
    after = state(out)
    assert {path: after[path] for path in before if path not in made(1)} == {
        path: content for path, content in before.items() if path not in made(1)
    }
    assert after["src/ser_model.c"] == b"model 2" and "src/only_1.h" not in after
    assert os.access(out / "examples" / "MySketch" / "MySketch.ino", os.X_OK)
    assert said == [
        "yours: .git/, examples/MySketch/, link, notes.txt, src/extra.c",
        "src/extra.c: compiled along with the library, verified by nobody",
    ]
    assert put(2, out) == said


def test_an_edited_sketch_stays_and_is_named_until_force(out):
    add(out, "examples/Microphone/Microphone.ino", "my pins")
    for version in (2, 3):
        (said,) = put(version, out)
        assert "changed since generated: examples/Microphone/Microphone.ino" in said
        assert "--force" in said
        assert (out / "examples/Microphone/Microphone.ino").read_text() == "my pins"
        assert (out / "src/ser_model.c").read_text() == f"model {version}"
    assert put(3, out, force=True) == []
    assert (out / "examples/Microphone/Microphone.ino").read_text() == "sketch 3"
    assert put(4, out) == []


def test_edited_code_that_was_verified_is_refused_until_force(out):
    add(out, "src/ser_model.c", "my own weights")
    before = state(out.parent)
    with pytest.raises(UserError, match=r"'src/ser_model.c' in it: changed since.*--force"):
        put(2, out)
    assert state(out.parent) == before
    assert put(2, out, force=True) == []
    assert (out / "src/ser_model.c").read_text() == "model 2"


def test_a_file_taken_away_comes_back(out):
    (out / "README.md").unlink()
    shutil.rmtree(out / "src")
    assert put(2, out) == []
    assert (out / "README.md").read_bytes() == b"read 2" and (out / "src/ser_model.c").is_file()


def test_a_library_without_a_manifest_is_a_strangers_unless_it_is_the_same(out):
    (out / ownership.MANIFEST).unlink()
    assert put(1, out) == []
    (out / ownership.MANIFEST).unlink()
    add(out, "examples/MySketch/MySketch.ino")
    before = state(out.parent)
    with pytest.raises(UserError, match=r"and \d more in it: not as codegen wrote it.*--force"):
        put(2, out)
    assert state(out.parent) == before
    put(2, out, force=True)
    assert (out / "src/ser_model.c").read_text() == "model 2"
    assert (out / "examples/MySketch/MySketch.ino").read_text() == "mine"


@pytest.mark.parametrize("force", [False, True])
def test_a_strangers_folder_or_archive_is_never_touched(tmp_path, force):
    add(tmp_path, "Photos/holiday.jpg")
    add(tmp_path, "Photos/SHA256SUMS", f"{hashlib.sha256(b'mine').hexdigest()}  holiday.jpg\n")
    add(tmp_path, "Music.zip")
    with zipfile.ZipFile(tmp_path / "Films.zip", "w") as archive:
        archive.writestr("Films/a.mp4", "x")
    (tmp_path / "Books.zip").mkdir()
    before = state(tmp_path)
    for name in ("Photos", "Music", "Films", "Books"):
        with pytest.raises(UserError, match="is there and no generated library") as error:
            put(1, tmp_path / name, force=force)
        assert "\n" not in str(error.value)
    assert state(tmp_path) == before


@pytest.mark.parametrize("change", ["added", "other", "older", "renamed"])
def test_an_archive_that_was_changed_is_kept_until_force(out, change):
    zipped = library.zip_path(out)
    with zipfile.ZipFile(zipped) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    if change == "added":
        inside["Voice/mine.txt"] = b"mine"
    elif change == "other":
        inside["Voice/README.md"] = b"mine"
    elif change == "older":
        del inside[f"Voice/{ownership.MANIFEST}"]
    else:
        inside = {name.replace("Voice", "Other"): content for name, content in inside.items()}
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    before = state(out.parent)
    with pytest.raises(UserError, match=r"Voice\.zip: not as codegen wrote it.*--force"):
        put(2, out)
    assert state(out.parent) == before
    put(2, out, force=True)
    assert put(3, out) == []


def test_what_is_in_the_way_is_said(out):
    shutil.rmtree(out / "examples")
    add(out, "examples", "a file")
    with pytest.raises(UserError, match="'examples' in it is in the way"):
        put(2, out, force=True)
    (out / "examples").unlink()
    (out / "README.md").unlink()
    (out / "README.md").mkdir()
    with pytest.raises(UserError, match=r"'README.md' in it is in the way"):
        put(2, out)


def test_a_link_to_the_folder_stays_one(out, tmp_path):
    link = tmp_path / "links" / "Voice"
    link.parent.mkdir()
    link.symlink_to(out, target_is_directory=True)
    add(out, "notes.txt")
    assert put(2, link) == ["yours: notes.txt"]
    assert link.is_symlink() and (out / "src/ser_model.c").read_text() == "model 2"


paths = st.sampled_from(
    ["README.md", "src/ser_model.c", "src/only_1.h", "src/mine.c", "examples/Microphone/Microphone.ino",
     "examples/Microphone/notes", "examples/Mine/Mine.ino", ".git/HEAD", "a", "b/c/d"]
)  # fmt: skip


@given(edits=st.lists(st.tuples(paths, st.sampled_from(["mine", "model 2", None])), max_size=8))
@settings(max_examples=60, deadline=None)
def test_nothing_of_the_users_is_ever_lost(edits, tmp_path_factory):
    out = tmp_path_factory.mktemp("edits") / "Voice"
    put(1, out)
    for path, text in edits:
        if text is None:
            (out / path).unlink(missing_ok=True)
        else:
            add(out, path, text)
    mine = {path for path, _ in edits if (out / path).is_file()}
    before = {path: (out / path).read_text() for path in mine}
    try:
        said = " ".join(put(2, out))
    except UserError:
        said = None
    for path in mine:
        assert (out / path).read_text() == before[path]
        if said is not None and before[path].encode() != made(2).get(path):
            assert path in said or f"{path.split('/')[0]}/" in said or "examples/Mine/" in said
    put(2, out, force=True)
    for path in mine - made(2).keys():
        assert (out / path).read_text() == before[path]


def put_dying(version, out, calls):
    """`put` in a process that ends itself at the given system call of those that make, move or remove: its
    exit code, 9 where it did."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = iter(range(calls))

    def dying(function):
        def call(*arguments, **options):
            if next(left, None) is None:
                os._exit(9)
            return function(*arguments, **options)

        return call

    for name in ("link", "replace", "unlink", "rmdir", "rename", "mkdir"):
        setattr(os, name, dying(getattr(os, name)))
    try:
        put(version, out)
        os._exit(0)
    except BaseException:
        os._exit(1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_killed_anywhere_nothing_is_lost_and_the_next_run_goes_through(tmp_path):
    for calls in range(200):
        out = tmp_path / str(calls) / "Voice"
        put(1, out)
        add(out, "examples/MySketch/MySketch.ino")
        add(out, ".git/HEAD")
        code = put_dying(2, out, calls)
        assert code in (0, 9)
        if out.exists():  # old or new, never a mixture
            version = (out / "src/ser_model.c").read_text()[-1]
            assert (out / f"src/only_{version}.h").is_file()
        put(3, out)
        assert (out / "src/ser_model.c").read_text() == "model 3"
        assert (out / "examples/MySketch/MySketch.ino").read_text() == "mine"
        assert (out / ".git/HEAD").read_text() == "mine"
        if code == 0:
            break
    assert code == 0 and calls > 5
