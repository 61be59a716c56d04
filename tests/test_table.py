"""features.csv: what is written is what is read, and what is wrong with a table is said in one line."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_emotion import names
from speech_emotion.dataset import table
from speech_emotion.errors import UserError
from speech_emotion.features import schema

WIDTH = len(schema.COLUMNS)
# Names that a careless reader or writer of CSV changes.
AWKWARD = ["NA", "nan", "007", "Zoë Ünal", 'say "no", twice', " led by a space", "-", "1e5", "=1+1"]


def clip(path="a/b_01.wav", **changes):
    values = dict.fromkeys(table.CLIP_COLUMNS, "") | {
        "path": path, "corpus": "folder", "speaker": "b", "emotion": "angry", "seconds": "1.005",
    }  # fmt: skip
    return values | changes


def vectors(rows, seed=0):
    """Any finite float32 there is, subnormal numbers and both zeros included."""
    bits = np.random.default_rng(seed).integers(0, 2**32, (rows, WIDTH), np.uint32)
    values = bits.view(np.float32)
    values[~np.isfinite(values)] = 0
    values[0, :4] = [-0.0, np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal, 0.1]
    return values


def write(folder, clips, numbers, info=None):
    about = {"schema": schema.HASH} if info is None else info
    return table.write(folder, zip(clips, numbers, strict=True), lambda: about)


@pytest.fixture
def path(tmp_path):
    """A good table of five rows."""
    clips = [clip(f"{emotion}/{i}.wav", emotion=emotion) for i, emotion in enumerate("abcde")]
    return write(tmp_path, clips, vectors(5))


def edit(path, change):
    """The table with `change` done to its rows, a list of lists, header first."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def refusal(path):
    """What `read` says: one line, beginning with the path of the file at fault."""
    with pytest.raises(UserError) as caught:
        table.read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith((str(path), str(table.sidecar_path(path))))
    return message


# ---- round trip ---------------------------------------------------------------------------------


def test_every_float32_comes_back_bit_for_bit(tmp_path):
    numbers = vectors(200)
    found = table.read(write(tmp_path, [clip(f"{i}.wav") for i in range(200)], numbers))
    assert found.vectors.dtype == np.float32
    assert found.vectors.tobytes() == numbers.tobytes()
    assert found.columns == list(schema.COLUMNS)


def test_names_come_back_as_they_were(tmp_path):
    clips = [
        clip(f"{name}/{i}.wav", speaker=name, emotion=name, sentence=name, source=name)
        for i, name in enumerate(AWKWARD)
    ]
    found = table.read(write(tmp_path, clips, vectors(len(clips)))).clips
    assert list(found.columns) == list(table.CLIP_COLUMNS)
    for column in ("path", "speaker", "emotion", "sentence", "source"):
        assert found[column].tolist() == [one[column] for one in clips]
    assert found["intensity"].tolist() == [""] * len(clips)
    assert found["seconds"].tolist() == [1.005] * len(clips)


def test_clips_csv_is_the_same_rows_without_the_features(tmp_path):
    clips = [clip(f"{name}.wav", speaker=name) for name in AWKWARD]
    path = write(tmp_path, clips, vectors(len(clips)))
    with path.open(encoding="utf-8", newline="") as file:
        names = [row[: len(table.CLIP_COLUMNS)] for row in csv.reader(file)]
    with (tmp_path / "clips.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == names


def test_the_files_are_utf_8_with_plain_line_ends(tmp_path):
    path = write(tmp_path, [clip("Zoë.wav")], vectors(1))
    for written in (path, tmp_path / "clips.csv", tmp_path / "features.json"):
        content = written.read_bytes()
        content.decode("utf-8")
        assert content.endswith(b"\n") and b"\r" not in content


def test_rows_are_selected_by_mask_and_by_index(path):
    whole = table.read(path)
    mask = np.array([True, False, False, True, True])
    for part in (whole.rows(mask), whole.rows(np.array([0, 3, 4]))):
        assert part.clips["emotion"].tolist() == ["a", "d", "e"]
        assert part.vectors.tobytes() == whole.vectors[[0, 3, 4]].tobytes()
        assert part.clips.index.tolist() == [0, 1, 2]


def test_columns_in_another_order_are_read_by_name(path):
    before = table.read(path)
    edit(path, lambda rows: [row.reverse() for row in rows])
    after = table.read(path)
    assert after.vectors.tobytes() == before.vectors.tobytes()
    assert after.clips.equals(before.clips)


def test_optional_columns_may_be_absent(path):
    def drop_intensity(rows):
        at = rows[0].index("intensity")
        for row in rows:
            del row[at]

    edit(path, drop_intensity)
    assert table.read(path).clips["intensity"].tolist() == [""] * 5


# ---- writing all or nothing ---------------------------------------------------------------------


def test_when_a_row_fails_the_old_files_stay_and_nothing_else_is_left(path):
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}

    def rows():
        yield clip("new.wav"), vectors(1)[0]
        raise UserError("the second clip is no clip")

    with pytest.raises(UserError, match="no clip"):
        table.write(path.parent, rows(), dict)
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before


def test_what_a_killed_run_left_unfinished_is_removed(path):
    stray = path.parent / ".features.csv.k3ll3d"
    stray.write_text("half a table")
    write(path.parent, [clip()], vectors(1))
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "clips.csv", "features.csv", "features.json",
    ]  # fmt: skip


# ---- what is refused ----------------------------------------------------------------------------


def test_a_missing_file_is_named_with_the_command_that_makes_it(tmp_path):
    assert "no such file; make it with: python dataset_generator.py" in refusal(tmp_path / "x.csv")


def test_a_directory_is_no_table(tmp_path):
    assert "is a directory" in refusal(tmp_path)


@pytest.mark.parametrize("column", ["path", "corpus", "speaker", "emotion"])
def test_a_table_without_a_needed_column_is_refused(path, column):
    edit(path, lambda rows: rows[0].__setitem__(rows[0].index(column), "other"))
    assert f"has no column '{column}'" in refusal(path)


def test_missing_features_are_counted_and_the_first_is_named(path):
    def drop(rows):
        at = rows[0].index("mfcc_03_std")
        for row in rows:
            del row[at : at + 2]

    edit(path, drop)
    assert "2 feature columns are missing, 'mfcc_03_std' first" in refusal(path)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("nan", "is 'nan', not a number"),
        ("NaN", "is 'NaN', not a number"),
        ("", "is '', not a number"),
        ("loud", "is 'loud', not a number"),
        ("1,5", "is '1,5', not a number"),
        ("True", "is 'True', not a number"),
        ("inf", "is inf"),
        ("-inf", "is -inf"),
        ("1e39", "is inf"),
    ],
)
def test_a_cell_that_is_no_finite_number_is_named_by_line_and_column(path, cell, said):
    edit(path, lambda rows: rows[3].__setitem__(rows[0].index("hnr_mean"), cell))
    message = refusal(path)
    assert "line 4, 'hnr_mean'" in message
    assert said in message


def test_a_column_of_words_alone_is_refused_like_a_single_one(path):
    def fill(rows):
        at = rows[0].index("zcr_mean")
        for row in rows[1:]:
            row[at] = "True"

    edit(path, fill)
    assert "line 2, 'zcr_mean' is 'True', not a number" in refusal(path)


def test_seconds_must_be_a_number_too(path):
    edit(path, lambda rows: rows[2].__setitem__(rows[0].index("seconds"), "long"))
    assert "line 3, 'seconds' is 'long', not a number" in refusal(path)


def test_a_row_without_emotion_is_named_by_its_line(path):
    edit(path, lambda rows: rows[5].__setitem__(rows[0].index("emotion"), " "))
    assert "line 6 has no emotion" in refusal(path)


def test_a_table_without_rows_is_refused(path):
    edit(path, lambda rows: rows.__delitem__(slice(1, None)))
    assert "holds no clips" in refusal(path)


def test_an_empty_file_is_refused(path):
    path.write_bytes(b"")
    assert "empty" in refusal(path)


def test_binary_data_are_refused(path):
    path.write_bytes(bytes(range(256)) * 64 + b"\n")
    assert "not a CSV table" in refusal(path)


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refusal(path)


def test_a_file_cut_within_its_last_number_is_refused(path):
    """The number that is left is finite and the row complete: only the line end is missing."""
    content = path.read_bytes()
    path.write_bytes(content[:-3])
    assert "truncated" in refusal(path)


def test_a_row_with_a_cell_too_many_is_refused(path):
    edit(path, lambda rows: rows[2].insert(3, "extra"))
    assert "line 3" in refusal(path)


def test_rows_that_all_have_a_cell_too_many_do_not_shift_the_columns(path):
    edit(path, lambda rows: [row.insert(0, "extra") for row in rows[1:]])
    refusal(path)


def test_a_missing_sidecar_is_named(path):
    table.sidecar_path(path).unlink()
    message = refusal(path)
    assert message.startswith(str(path.with_suffix(".json"))) and "missing" in message


@pytest.mark.parametrize("content", ["", "{}", "[]", "schema", '{"schema": 3', "\xff"])
def test_a_file_that_is_no_sidecar_is_named(path, content):
    table.sidecar_path(path).write_bytes(content.encode("latin-1"))
    assert "not a sidecar" in refusal(path)


def test_a_table_of_another_schema_is_refused_with_both_hashes(path):
    table.sidecar_path(path).write_text(json.dumps({"schema": "0123456789abcdef"}))
    message = refusal(path)
    assert "0123456789abcdef" in message and schema.HASH in message


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@SUM(A1)", "'=1", "''+x", "'", "'quoted'"])
def test_no_cell_is_a_spreadsheets_formula_and_names_come_back(name, tmp_path):
    made = write(tmp_path, [clip(name, speaker=name, emotion=name, sentence=name)], vectors(1))
    for file in ("clips.csv", "features.csv"):
        with (tmp_path / file).open(encoding="utf-8", newline="") as rows:
            (row,) = list(csv.reader(rows))[1:]
            assert not [cell for cell in row[: len(table.CLIP_COLUMNS)] if cell[:1] in set("=+-@")]
    (back,) = table.read(made).clips.to_dict("records")
    assert {back[column] for column in ("path", "speaker", "emotion", "sentence")} == {name}


def test_a_name_that_no_cell_can_hold_is_refused_and_the_old_table_stays(path):
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"'a\\rb': holds the control character U\+000D"):
        write(path.parent, [clip("a\rb")], vectors(1))
    assert path.read_bytes() == before


# ---- what spreadsheets and people do to a table ---------------------------------------------------


def rewritten(path, *, separator=",", decimal=".", encoding="utf-8", ends="\r\n", change=str):
    """The table as a spreadsheet saves it."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    places = [i for i, name in enumerate(header) if name in schema.PLACE_OF]
    for row in rows:
        for i in places:
            row[i] = change(row[i])
            if decimal == ",":
                row[i] = row[i].replace(".", ",")
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator=ends)
        writer.writerows([header, *rows])


def ordinary(rows, seed=0):
    """Numbers as features are: up to some thousands, of either sign."""
    return np.random.default_rng(seed).normal(300, 2000, (rows, WIDTH)).astype(np.float32)


@pytest.fixture
def plain(tmp_path):
    """A table of ordinary numbers, and what it holds."""
    clips = [clip(f"{emotion}/{i}.wav", emotion=emotion) for i, emotion in enumerate("abcde")]
    path = write(tmp_path, clips, ordinary(5))
    return path, table.read(path)


def assert_same(found, expected):
    assert np.array_equal(found.vectors, expected.vectors)
    assert found.clips.equals(expected.clips)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", ","), (";", "."), ("\t", "."), ("\t", ",")]
)
@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_however_a_spreadsheet_saves_a_table_its_numbers_are_the_same(
    plain, encoding, separator, decimal, ends
):
    path, expected = plain
    rewritten(path, separator=separator, decimal=decimal, ends=ends, encoding=encoding)
    assert_same(table.read(path), expected)


def test_rows_of_nothing_and_a_windows_programs_paths_do_not_matter(plain):
    path, expected = plain
    content = path.read_text()
    path.write_text(content + "," * (content.splitlines()[0].count(",")) + "\n")
    assert_same(table.read(path), expected)
    edit(path, lambda rows: [row.__setitem__(0, row[0].replace("/", "\\")) for row in rows[1:]])
    assert_same(table.read(path), expected)


CHANGES = {
    "six digits": (lambda cell: f"{float(cell):.6G}", "a spreadsheet has rounded the numbers"),
    "two decimals": (lambda cell: f"{float(cell):.2f}", "a spreadsheet has"),
    "thousands": (
        lambda cell: f"{float(cell):,.3f}", "a spreadsheet has put signs between thousands",
    ),
    "thousands with points": (
        lambda cell: f"{float(cell):,.0f}".replace(",", "."), "a spreadsheet has changed the numbers",
    ),
    "commas": (lambda cell: cell.replace(".", ","), "a spreadsheet has put commas before fractions"),
    "errors": (lambda cell: "#NAME?" if float(cell) < 0 else cell, "a spreadsheet's error"),
    "scaled": (lambda cell: str(float(cell) * 1.5), "a spreadsheet has changed the numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_other_numbers_than_those_that_were_written_are_refused_with_what_happened(plain, name):
    path, _ = plain
    change, said = CHANGES[name]
    rewritten(path, change=change)
    message = refusal(path)
    assert "line " in message and said in message and "make it again" in message


@given(rows=st.lists(st.integers(0, 7), min_size=1, unique=True), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_rows_may_be_taken_out_and_put_into_another_order(tmp_path_factory, rows, seed):
    folder = tmp_path_factory.mktemp("fewer")
    clips, numbers = [clip(f"a/{i}.wav") for i in range(8)], vectors(8, seed)
    path = write(folder, clips, numbers)
    edit(path, lambda table: table.__setitem__(slice(1, None), [table[1 + i] for i in rows]))
    found = table.read(path)
    assert found.clips["path"].tolist() == [f"a/{i}.wav" for i in rows]
    assert np.array_equal(found.vectors.view(np.uint32), numbers[rows].view(np.uint32))


NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
    | st.sampled_from(list("\"',;=+-@# \\")),
    min_size=1,
    max_size=12,
).filter(lambda name: not names.unwritable(name))


@given(st.lists(NAMES, min_size=2, max_size=5, unique=True))
@settings(max_examples=100, deadline=None)
def test_any_name_that_a_line_can_hold_comes_back(tmp_path_factory, found):
    paths = [f"x/{name}.wav" for name in found]
    clips = [
        clip(path, speaker=name, emotion="e" + name)
        for path, name in zip(paths, found, strict=True)
    ]
    back = table.read(write(tmp_path_factory.mktemp("names"), clips, vectors(len(found)))).clips
    assert back["path"].tolist() == paths
    assert back["speaker"].tolist() == found
    assert back["emotion"].tolist() == ["e" + name for name in found]


def test_a_clip_that_is_there_twice_is_refused_by_both_lines(path):
    edit(path, lambda rows: rows.insert(4, list(rows[2])))
    assert "lines 3 and 5 are of one clip, 'b/1.wav'; take one of them out" in refusal(path)


@pytest.mark.parametrize("column", ["path", "emotion", schema.COLUMNS[7], "notes"])
def test_a_column_that_is_there_twice_is_refused(path, column):
    def twice(rows):
        for i, row in enumerate(rows):
            row += [column if i == 0 else row[0]] * (2 if column == "notes" else 1)

    edit(path, twice)
    assert f"has the column '{column}' twice" in refusal(path)


# ---- another file than the table ------------------------------------------------------------------


def test_clips_csv_is_told_from_features_csv(path):
    message = refusal(path.with_name("clips.csv"))
    assert message.endswith(f"names clips but holds no features; they are in {path}")


def test_what_extractor_prints_is_no_table_yet(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("file,seconds," + ",".join(schema.COLUMNS) + "\na.wav,1,2\n")
    assert "extractor.py's, without emotions" in refusal(path)


OTHERS = {
    "another CSV": (b"name,price\nnut,3\n", "its columns are 'name', 'price' ..."),
    "a workbook": (b"PK\3\4" + bytes(60) + b"\n", "a workbook or archive; save the sheet as CSV"),
    "a git-lfs pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull",
    ),
    "a page": (b"<!DOCTYPE html><html>\n", "a web page"),
    "JSON": (b'{"a": 1}\n', "JSON"),
    "a sound": (b"RIFF\0\0\0\0WAVEfmt \n", "WAV"),
    "zeros": (bytes(5000) + b"\n", "not a CSV table"),
    "words": (b"Dear diary\n", "not a CSV table but text"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_another_file_is_called_what_it_is(tmp_path, name):
    content, said = OTHERS[name]
    path = tmp_path / "features.csv"
    path.write_bytes(content)
    message = refusal(path)
    assert said in message
    for word in ("tokeniz", "codec", "parser", "Error"):  # a library's words
        assert word not in message


def test_a_table_without_a_cut_recording_goes_without_its_place(tmp_path):
    clip = dict.fromkeys(table.CLIP_COLUMNS, "") | {
        "path": "a.wav",
        "corpus": "folder",
        "emotion": "sad",
    }
    clip |= {"speaker": "anna", "seconds": "1.0"}
    vector = np.zeros(len(schema.COLUMNS), np.float32)
    info = {"schema": schema.HASH, "engine": "device"}
    path = table.write(tmp_path, [(clip, vector)], lambda: info, cut=False)
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header[: len(header) - len(schema.COLUMNS)] == list(table.CLIP_COLUMNS[:11])
    found = table.read(path).clips
    assert list(found.columns) == list(table.CLIP_COLUMNS)
    assert (found[list(table.CUT_COLUMNS)] == "").all(axis=None)
