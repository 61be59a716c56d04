"""Which sentences a voice is learnt from: the rule of ser_listen.h, by which sketches and page go."""

import subprocess

import pytest
from conftest import REPOSITORY

from speech_emotion import native
from speech_emotion.features.schema import HOP

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include "ser_listen.h"
int main(int count, char **words)
{
    static ser_listen listen;
    (void)count;
    listen.mean_power = (float)atof(words[1]);
    listen.floor = (float)atof(words[2]);
    listen.blocks = (uint32_t)atoi(words[3]);
    listen.clipped = (uint32_t)atoi(words[4]);
    listen.lost = (uint32_t)atoi(words[5]);
    printf("%d", ser_listen_is_clear(&listen, (float)atof(words[6])));
    return 0;
}
"""


def program(folder, *options):
    (folder / "clear.c").write_text(PROGRAM)
    include = f"-I{REPOSITORY / 'embedded/src'}"
    native.run(
        [
            *native.compiler(),
            *native.FLAGS,
            *options,
            include,
            folder / "clear.c",
            "-o",
            folder / "clear",
        ]
    )
    return lambda *numbers: subprocess.check_output([folder / "clear", *map(str, numbers)]) == b"1"


CLEAR = {
    "mean_power": 3001,
    "floor": 100,
    "blocks": 100,
    "clipped": HOP - 1,
    "lost": 0,
    "seconds": 0.8,
}


@pytest.fixture(scope="module")
def is_clear(tmp_path_factory):
    return program(tmp_path_factory.mktemp("clear"))


def test_a_sentence_at_the_edge_of_all_that_is_asked_is_learnt_from(is_clear):
    assert is_clear(*CLEAR.values())


@pytest.mark.parametrize(
    "changed, value",
    [("mean_power", 3000), ("floor", 101), ("clipped", HOP), ("lost", 1), ("seconds", 0.79)],
)
def test_whatever_of_it_is_missing_it_is_not(is_clear, changed, value):
    assert not is_clear(*(CLEAR | {changed: value}).values())


def test_a_build_may_ask_for_more_or_less(tmp_path):
    less = program(tmp_path, "-DSER_LEARN_SECONDS=0.5f", "-DSER_LEARN_ABOVE_NOISE=10.0f")
    assert less(*(CLEAR | {"mean_power": 1001, "seconds": 0.5}).values())
