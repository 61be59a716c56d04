"""ser_slots.h: how the stages hand over what they have measured, and how test builds see that nothing is
missing.

A descriptor's value has a slot among its part's. Those of one group and part are put there by one function
that takes them all: with a descriptor more, the call does not compile. A family's slots are an array, and
the stage asks where. `refuse_unmeasured` names what the schema has and no stage puts anywhere."""

import re
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.features.schema import Descriptor
from speech_emotion.generate import tables

_HEADER = """
#ifndef SER_SLOTS_H
#define SER_SLOTS_H

#include "ser_schema.h"

#include <stdint.h>

/* Test builds fill slots and columns with a value that is none, and stop where one was not written. */
#ifdef SER_TEST_POISON
void ser_test_poison(void *slots, int count);
void ser_test_part(ser_part part, const int32_t *values);
void ser_test_columns(const float *features);
#else
#define ser_test_poison(slots, count) ((void)0)
#define ser_test_part(part, values) ((void)0)
#define ser_test_columns(features) ((void)0)
#endif
"""

_KEPT = """
/* For test builds: columns that are written together, and whether they are. */
#ifdef SER_TEST_POISON
static const struct {
    unsigned short first, count, kept;
} ser_test_kept[] = {"""
_NAMES = """
/* For test builds: what slots and columns are called. */
#ifdef SER_SLOT_NAMES
"""


def _doors() -> list[tuple[str, str, list[Descriptor]]]:
    """(function, stage, members): for each part and group one that puts the values of single descriptors,
    and one per family that says where its slots are. UserError: one group and part is measured in two
    stages."""
    measured = [d for d in schema.DESCRIPTORS if d.part is not None]

    def key(d):
        return d.part, d.group, d.family or ""

    doors = []
    for (part, group, family), members in groupby(sorted(measured, key=key), key=key):
        members = sorted(members, key=schema.DESCRIPTORS.index)
        if len({d.stage for d in members}) > 1:
            names = ", ".join(d.name for d in members)
            raise UserError(
                f"features/schema.py: {names}: one group and part, measured in two stages"
            )
        name = f"ser_at_{part}_{family}" if family else f"ser_put_{part}_{group}"
        doors.append((name, members[0].stage, members))
    return doors


def refuse_unmeasured() -> None:
    """UserError where a stage's C file does not call what it must, or is not there."""
    for name, stage, members in _doors():
        what = ", ".join(d.name for d in members[:3]) + ", ..." * (len(members) > 3)
        path = tables.SOURCE / f"ser_{stage}.c"
        if not path.exists():
            raise UserError(
                f"features/schema.py: {what}: stage {stage}, but there is no {path.name}"
            )
        if not re.search(rf"\b{name}\s*\(", without_comments(path.read_text("utf-8"))):
            raise UserError(
                f"features/schema.py: {what}: not measured: embedded/src/{path.name} never calls {name}"
            )


def without_comments(source: str) -> str:
    """C as the compiler sees it."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", source, flags=re.S)


def header() -> str:
    """ser_slots.h."""
    lines = [tables.NOTE + _HEADER]
    for name, stage, members in _doors():
        first = members[0]
        tests = list(dict.fromkeys(tables.condition(d) for d in members))
        # a family's slots are there when its first is
        guard = tests[0] if first.family else " || ".join(tests)
        lines += [f"/* {stage}: {schema.PARTS[str(first.part)]} */", f"#if {guard}"]
        if first.family:
            lines += [
                f"static inline int32_t *{name}(int32_t *values)",
                "{",
                f"    return values + {_slot(first)};",
                "}",
            ]
        else:
            arguments = ", ".join(f"int32_t {d.name}" for d in members)
            lines += [f"static inline void {name}(int32_t *values, {arguments})", "{"]
            for d in members:
                if tables.condition(d) == guard:
                    lines.append(f"    values[{_slot(d)}] = {d.name};")
                else:
                    lines += [f"    (void){d.name};", f"#if {tables.condition(d)}"]
                    lines += [f"    values[{_slot(d)}] = {d.name};", "#endif"]
            lines += ["}"]
        lines += ["#endif", ""]
    lines += [_KEPT, *_kept(), "};", "#endif"]
    lines.append(_NAMES)
    for part in schema.PARTS:
        size = f"SER_{part.upper()}_VALUES + 1"
        lines.append(f"static const char *const ser_{part}_names[{size}] = {{")
        members = [d for d in schema.DESCRIPTORS if d.part == part]
        lines += tables.by_group(members, lambda d: f'    [{_slot(d)}] = "{d.name}",')
        lines += [f"    [SER_{part.upper()}_VALUES] = NULL,", "};"]
    lines += ["static const char *const ser_column_names[SER_FEATURES] = {"]
    lines += [f'    "{column}",' for column in schema.COLUMNS]
    lines += ["};"]
    return "\n".join([*lines, "#endif", "", "#endif", ""])


def _kept():
    """Rows of ser_test_kept. Columns that are not computed for others' sake are not written."""
    first = 0
    for test, members in groupby(
        schema.DESCRIPTORS, key=lambda d: tables.condition(replace(d, sums_for=None))
    ):
        count = sum(len(d.columns) for d in members)
        yield f"    {{{first}, {count}, {test}}},"
        first += count


def _slot(descriptor):
    return f"SER_{descriptor.part.upper()}_{descriptor.name.upper()}"


def outputs() -> dict[Path, str]:
    """Path and text of the generated file."""
    return {tables.SOURCE / "ser_slots.h": header()}
