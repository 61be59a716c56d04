"""A descriptor is measured in both engines or it is refused: no slot is read that no stage has written.

The C code is built with its slots and columns poisoned (embedded/host/ser_poison.c); and to the schema and
the reference engine are added descriptors that no C code measures."""

import shutil

import numpy as np
import pytest
import signals
import variants

from speech_emotion.features import schema

if shutil.which("cc") is None:
    pytest.skip("no C compiler", allow_module_level=True)

SOUNDS = {**signals.hostile(), "voice": signals.voice(24080, glide=2, wobble=3)}
GROUPS = "GROUPS: tuple[str, ...] = "  # what follows the descriptors in the schema
REFERENCE = "    return np.array([values[column]"  # what follows their values


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("slots")


def test_every_slot_and_column_is_written_with_all_groups_and_with_each_alone(folder):
    """And the columns are finite, whatever the sound; those of groups left out are UNDEFINED."""
    without = {group: f"SER_WITH_{group.upper()}=0" for group in schema.GROUPS}
    builds = {"all": ()}
    # each group by itself: sums of another may be kept for it
    builds |= {one: tuple(no for other, no in without.items() if other != one) for one in without}
    made = {
        name: variants.Variant(folder / f"without{i}", *defines)
        for i, (name, defines) in enumerate(builds.items())
    }
    off = ("SER_WITH_KURTOSIS=0", "SER_WITH_DELTA2=0")
    fewer = {f"MFCC {n}": (f"SER_MFCCS_KEPT={n}", *off) for n in (6, 12, 19)}
    made |= {
        name: variants.Variant(folder / name.replace(" ", ""), *defines)
        for name, defines in fewer.items()
    }
    found = variants.run(made, SOUNDS, folder, device_only=True)
    whole = found["all"].device
    for name in fewer:
        most = int(name.split()[1])
        left_out = {
            c
            for d in schema.DESCRIPTORS
            for c in d.columns
            if (schema.mfcc_of(d.name) or 0) > most
            or d.family == "mfcc_delta2"
            or ((d.part or d.name == "hnr") and c.endswith("_kurtosis"))
        }
        kept = np.array([c not in left_out for c in schema.COLUMNS])
        assert found[name].failed == "", name
        assert np.array_equal(found[name].device[:, kept], whole[:, kept]), name
        assert (found[name].device[:, ~kept] == schema.UNDEFINED).all(), name
    for name, defines in builds.items():
        assert found[name].failed == "", name
        left_out = {d.removeprefix("SER_WITH_").removesuffix("=0").lower() for d in defines}
        kept = np.array([schema.GROUP_OF[column] not in left_out for column in schema.COLUMNS])
        assert np.isfinite(found[name].device).all(), name
        assert np.array_equal(found[name].device[:, kept], whole[:, kept]), name
        assert (found[name].device[:, ~kept] == schema.UNDEFINED).all(), name


def test_a_slot_that_is_not_written_is_found(folder):
    """A stage that forgets one, and one that forgets a column."""
    slot = variants.Variant(folder / "slot").edit(
        "embedded/src/ser_modulation.c",
        "*out++ = ser_rounded(faster - means[rate], 20 - SER_BITS_MODULATION);",
        "out++;",
    )
    column = variants.Variant(folder / "column").edit(
        "embedded/src/ser_contour.c", "COLUMN(F0_RISE) = COLUMN(F0_FALL) = SER_UNDEFINED;", ""
    )
    column.edit("embedded/src/ser_contour.c", "COLUMN(F0_FALL) = falls / voiced;", "")
    found = variants.run({"slot": slot, "column": column}, {"voice": SOUNDS["voice"]}, folder)
    assert "slot frame modulation_0_0: never written" in found["slot"].failed
    assert "column f0_fall: never written" in found["column"].failed


def descriptor(name, group, functionals=schema.MOMENTS, **where):
    return schema.Descriptor(name, group, "1", functionals, "made up", **where)


def add(variant, *descriptors):
    """To the schema, each after its group's last, and to the reference engine."""
    added = f"""_added = (*DESCRIPTORS, {", ".join(map(repr, descriptors))})
_order = [d.group for d in _added]
DESCRIPTORS = tuple(sorted(_added, key=lambda d: _order.index(d.group)))
"""
    variant.edit(variants.SCHEMA, GROUPS, added + GROUPS)
    values = "    values |= {c: 1.0 for c in schema.COLUMNS if c.startswith('new')}\n"
    return variant.edit("speech_emotion/features/reference.py", REFERENCE, values + REFERENCE)


OF_A_PART = dict.fromkeys(
    (d.group, d.part, d.stage) for d in schema.DESCRIPTORS if d.part and not d.family
)
OF_NO_PART = dict.fromkeys((d.group, d.stage) for d in schema.DESCRIPTORS if not d.part)
ADDED = {
    # beside others of its group and part: the call that hands them over lacks an argument
    **{
        f"{group}, {part}": (f"ser_put_{part}_{group}", descriptor("new", group, stage=stage, part=part))
        for group, part, stage in OF_A_PART
    },
    # of a group and part that had none: nothing hands it over
    "zcr, change": ("ser_put_change_zcr", descriptor("new", "zcr", stage="extractor", part="change")),
    "mel, frame": ("ser_put_frame_mel", descriptor("new", "mel", stage="spectrum", part="frame")),
    "a new group": ("ser_put_frame_new", descriptor("new", "new", stage="spectrum", part="frame")),
    "a family": (
        "ser_at_frame_new",
        *(
            descriptor(f"new_{i}", "spectrum", stage="spectrum", part="frame", family="new")
            for i in range(3)
        ),
    ),
    "no such stage": ("ser_lips.c", descriptor("new", "new", stage="lips", part="frame")),
    "two stages": ("in two stages", descriptor("new", "zcr", stage="spectrum", part="frame")),
    # of stages that keep statistics of their own
    **{group: ("column", descriptor("new", group, (), stage=stage)) for group, stage in OF_NO_PART},
    "own statistics, a new group": ("column new: never written", descriptor("new", "new", (), stage="hnr")),
}  # fmt: skip


def test_a_descriptor_that_only_the_schema_and_the_reference_have_is_refused(folder):
    """By the generator, by the compiler, or, where it would read UNDEFINED for ever, by the test build."""
    made = {
        name: add(variants.Variant(folder / f"added{i}"), *descriptors)
        for i, (name, (_, *descriptors)) in enumerate(ADDED.items())
    }
    found = variants.run(made, {"voice": SOUNDS["voice"]}, folder)
    for name, (reason, *_) in ADDED.items():
        assert reason in found[name].refused + found[name].failed, name
