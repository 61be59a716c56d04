"""What a training run says of its models: sizes against the budget, tables, the front, the candidates."""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_training_scores import outcome

from speech_emotion.commands import train
from speech_emotion.dataset.table import CLIP_COLUMNS, FeatureTable
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.features import schema
from speech_emotion.measure.sizes import Sizes
from speech_emotion.training import budget, candidates, report
from speech_emotion.training.budget import Fit, Pace
from speech_emotion.training.candidates import CANDIDATES
from speech_emotion.training.protocols import Protocol

KB = 1024
GOOD, FAIR, POOR = [0, 0, 1, 1], [0, 0.9, 1, 1], [0, 0.9, 0.1, 1]


def study(**changed):
    """Three models on four clips of two corpora, the first of them with a copy."""
    rows = [
        {"path": "a", "corpus": "savee", "speaker": "1", "emotion": "angry", "seconds": 3600.0},
        {"path": "b", "corpus": "savee", "speaker": "2", "emotion": "angry", "seconds": 1800.0},
        {"path": "c", "corpus": "tess", "speaker": "1", "emotion": "sad", "seconds": 360.0},
        {"path": "d", "corpus": "tess", "speaker": "1", "emotion": "sad", "seconds": 360.0},
        {"path": "a#noise", "corpus": "savee", "speaker": "1", "emotion": "angry", "seconds": 3600.0,
         "augmentation": "noise", "source": "a"},
    ]  # fmt: skip
    clips = pd.DataFrame([dict.fromkeys(CLIP_COLUMNS, "") | row for row in rows])
    table = FeatureTable(
        clips, np.zeros((5, len(schema.COLUMNS)), np.float32), [], {"engine": "device"}
    )
    corpora = ["savee"] * 2 + ["tess"] * 2
    speakers = ["savee/1", "savee/2", "tess/1", "tess/1"]

    def answers(of_sad):
        return outcome("aass", of_sad, corpora=corpora, speakers=speakers)

    of = {"mlp_32": (FAIR, GOOD), "forest_small": (GOOD, FAIR), "linear": (POOR, POOR)}
    outcomes = {
        name: {"seed": answers(seed), "speaker": answers(speaker), "corpus": answers(FAIR)}
        for name, (seed, speaker) in of.items()
    }
    facts = {
        "table": table, "labels": ["angry", "sad"], "label_set": "two labels", "balance": "none",
        "split": "random", "protocols": [Protocol("seed", "as others publish", [])], "outcomes": outcomes,
        "held_out": {name: by["seed"] for name, by in outcomes.items()},
        "sizes": {"mlp_32": Fit(40 * KB, 100 * KB, 50 * KB, "gcc"),
                  "forest_small": Fit(70 * KB, None, None, "not compiled"),
                  "linear": Fit(10 * KB, None, None, "is not exported")},
        "budget_kb": (100, 50), "chosen": "mlp_32", "degraded": {}, "twins": "",
    }  # fmt: skip
    return report.Study(**facts | changed)


# ---- the budget -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fit", "within"),
    [
        (Fit(0, 100 * KB, 50 * KB, ""), True),
        (Fit(0, 100 * KB + 1, 50 * KB, ""), False),
        (Fit(0, 100 * KB, 50 * KB + 1, ""), False),
        (Fit(999 * KB, 100 * KB, 50 * KB, ""), True),  # counted, not estimated
        (Fit(100 * KB, None, None, ""), True),
        (Fit(100 * KB + 1, None, None, ""), False),
        (Fit(0, 100 * KB, 50 * KB, "", Pace(1.0, 50)), True),
        (Fit(0, 100 * KB, 50 * KB, "", Pace(1.01, 5)), False),  # falls behind
        (Fit(0, 100 * KB, 50 * KB, "", Pace(0.5, 51)), False),  # answers late
    ],
)
def test_a_budget_is_kept_to_the_byte(fit, within):
    assert fit.within(100, 50) is within
    assert fit.bytes == (fit.parameters if fit.flash is None else fit.flash)


def test_a_measured_size_is_kept_to_the_byte_too():
    assert Sizes(256 * KB, 9, 256 * KB, "").fits(256, 256)
    assert not Sizes(256 * KB + 1, 9, 0, "").fits(256, 256)
    assert not Sizes(0, 0, 256 * KB + 1, "").fits(256, 256)
    text = Sizes(200 * KB, 50 * KB, 30 * KB, "gcc 12").text()
    assert text == "flash 200.0 KB, of which the model 50.0 KB; static RAM 30.0 KB (gcc 12)"


@pytest.fixture
def compiled(monkeypatch):
    """Names of the models that `fits` compiled; what compiling finds is made up."""
    found = []

    def sizes(pipeline, info):
        found.append(pipeline.name)
        if pipeline.name == "forest":
            raise UserError("no compiler here")
        assert info == {"labels": ["angry", "sad"], "columns": ["x"]}
        return Sizes(7, 5, 3, "gcc 12")

    monkeypatch.setattr(budget.budget, "sizes", sizes)
    monkeypatch.setattr(budget, "parameter_bytes", lambda pipeline: pipeline.bytes)
    return found


def test_only_what_may_fit_and_be_exported_is_compiled(compiled):
    sizes = {"mlp_32": 64 * KB, "forest": 10, "forest_small": 64 * KB + 1, "linear": 10}
    models = {
        name: SimpleNamespace(name=name, bytes=size, classes_=np.array(["angry", "sad"]))
        for name, size in sizes.items()
    }
    found = budget.fits(models, {name: ["x"] for name in models}, flash_kb=64)
    assert compiled == ["mlp_32", "forest"]
    assert found["mlp_32"] == Fit(64 * KB, 7, 3, "gcc 12")
    assert found["forest"] == Fit(10, None, None, "not compiled: no compiler here")
    assert found["forest_small"].flash is None and "too large" in found["forest_small"].why
    assert found["linear"] == Fit(10, None, None, "is not exported")


def test_only_exportable_models_within_the_budget_may_be_chosen():
    budget_of = SimpleNamespace(flash_kb=100, ram_kb=50)
    sizes = study().sizes | {"mlp_64": Fit(0, 101 * KB, 0, "")}
    assert train.affordable(sizes, budget_of) == {"mlp_32": 100 * KB, "forest_small": 70 * KB}
    assert train.affordable({"linear": sizes["linear"]}, budget_of) == {"linear": 10 * KB}
    with pytest.raises(CheckFailed, match=r"no model fits 60 KB of flash and 50 KB of RAM; the smallest, "
                                          r"forest_small, takes 70 KB"):  # fmt: skip
        train.affordable(sizes, SimpleNamespace(flash_kb=60, ram_kb=50))


def test_a_model_that_does_not_keep_up_on_the_chip_is_not_chosen():
    sizes = {
        "mlp_32": Fit(0, 90 * KB, 50 * KB, "", Pace(1.2, 40)),
        "mlp_64": Fit(0, 95 * KB, 50 * KB, "", Pace(0.9, 45)),
    }
    arguments = SimpleNamespace(flash_kb=100, ram_kb=50, chip="rp2040")
    assert train.affordable(sizes, arguments) == {"mlp_64": 95 * KB}
    with pytest.raises(
        CheckFailed, match="keeps up on the rp2040; the quickest, mlp_32, takes 120 %"
    ):
        train.affordable({"mlp_32": sizes["mlp_32"]}, arguments)


def test_the_table_of_sizes_says_how_much_of_a_named_chip_each_model_takes():
    paced = {"mlp_32": Fit(40 * KB, 100 * KB, 50 * KB, "gcc", Pace(0.905, 42.71))}
    table = study(sizes=study().sizes | paced, chip="RP2040").size_table()
    assert table.loc["mlp_32", "real time on RP2040, %"] == 90.5
    assert table.loc["mlp_32", "response, ms"] == 42.7
    assert not any("real time" in name for name in study().size_table().columns)


def test_a_chip_that_cannot_be_counted_here_is_refused_before_anything_is_trained(monkeypatch):
    class Missing:
        def check(self):
            raise budget.toolchain.MissingTool("no such compiler; apt-get install it")

    monkeypatch.setitem(budget.toolchain.TARGETS, "rp2040", Missing())
    with pytest.raises(UserError, match=r"--chip rp2040: no such compiler.*or leave --chip out"):
        budget.check("rp2040")


@pytest.mark.skipif(not shutil.which("qemu-system-riscv32"), reason="no qemu-system-riscv32")
def test_on_a_named_chip_the_pace_of_a_model_is_counted():
    columns = candidates.columns(["zcr"])
    random = np.random.default_rng(0)
    X = random.standard_normal((60, len(columns))).astype(np.float32)
    pipeline = CANDIDATES["mlp_32"].make(0).fit(X, np.tile(["angry", "sad"], 30))
    try:
        budget.check("esp32p4")
    except UserError as error:
        pytest.skip(str(error))
    (found,) = budget.fits(
        {"mlp_32": pipeline}, {"mlp_32": columns}, flash_kb=256, chip="esp32p4"
    ).values()
    assert 0 < found.pace.share < 0.1 and 0 < found.pace.response_ms < 3
    assert found.within(256, 256) and budget.in_words("esp32p4") == "ESP32-P4"
    (small,) = budget.fits(
        {"mlp_32": pipeline}, {"mlp_32": columns}, flash_kb=2, chip="esp32p4"
    ).values()
    assert small.pace is None  # does not fit, so is not counted


# ---- the tables -----------------------------------------------------------------------------------


def test_the_overview_has_the_protocols_side_by_side():
    found = study().overview()
    assert found.columns.tolist() == [
        "seed: weighted F1", "speaker: macro F1", "speaker: UAR savee", "speaker: UAR tess",
        "corpus: UAR savee", "corpus: UAR tess",
    ]  # fmt: skip
    # FAIR: one of two angry clips is called sad; F1 of angry 2/3, of sad 4/5
    assert found.loc["mlp_32"].tolist() == pytest.approx([0.7333, 1, 1, 1, 0.5, 1], abs=1e-4)
    assert found.loc["forest_small"].tolist() == pytest.approx(
        [1, 0.7333, 0.5, 1, 0.5, 1], abs=1e-4
    )


def test_without_tess_there_is_a_macro_f1_and_no_uar_again():
    outcomes = {"mlp_32": study().outcomes["mlp_32"]}
    outcomes["mlp_32"]["speaker_without_tess"] = outcome("aass", FAIR)
    found = study(outcomes=outcomes).overview()
    assert [c for c in found.columns if "TESS" in c] == ["no TESS: macro F1"]


def test_the_front_is_of_exportable_models_by_their_score_on_unheard_speakers():
    assert study().points() == {
        "mlp_32": (100 * KB, 1.0), "forest_small": (70 * KB, pytest.approx(0.7333, abs=1e-4)),
    }  # fmt: skip
    alone = {name: {"seed": by["seed"]} for name, by in study().outcomes.items()}
    assert study(outcomes=alone).points()["forest_small"] == (70 * KB, 1.0)
    some = study().outcomes
    del some["linear"]["speaker"]
    assert study(outcomes=some).points()["forest_small"] == (70 * KB, 1.0)


def test_sizes_are_shown_in_kb_with_what_fits_and_what_is_on_the_front():
    found = study().size_table()
    assert found["parameters KB"].tolist() == [40, 70, 10]
    assert found["flash KB"].tolist()[0] == 100 and found["flash KB"].isna().tolist() == [
        False,
        True,
        True,
    ]
    assert found["RAM KB"].tolist()[0] == 50
    large = study().sizes | {"mlp_32": Fit(4000 * KB, 2000 * KB, 1000 * KB, "gcc")}
    assert study(sizes=large).size_table().iloc[0, :3].tolist() == [4000, 2000, 1000]
    assert found["fits"].tolist() == ["yes", "yes", "yes"]
    assert found["front"].tolist() == ["*", "*", ""]
    assert found["measured"].tolist() == ["gcc", "not compiled", "is not exported"]
    assert study(budget_kb=(99, 50)).size_table()["fits"].tolist() == ["NO", "yes", "yes"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.12345, "0.123"), (1.0, "1.000"), (-1.0, "-1.000"), (1.5, "2"), (1234.6, "1,235"), (1234, "1,234"),
     (3, "3"), (None, "–"), (np.nan, "–"), ("words", "words"), (np.int64(12345), "12,345")],
)  # fmt: skip
def test_cells_are_written_as_people_read_them(value, shown):
    assert report._cell(value) == shown


def test_a_corpus_is_counted_without_its_copies():
    found = report._clips(study())
    assert found.loc["savee"].tolist() == [2, 2, "1.5"] and found.loc["tess"].tolist() == [
        2,
        1,
        "0.2",
    ]


def test_what_was_learnt_from_is_said():
    assert not study().is_studio and not study().is_synthetic
    table = study().table
    assert study(table=table.rows(np.arange(4))).is_studio
    table.clips.loc[4, "augmentation"] = "pitch:2"
    assert study(table=table).is_studio
    assert report.STUDIO_WARNING in report._model_card(study(table=table))
    assert report.STUDIO_WARNING not in report._model_card(study())
    table.clips.loc[3, "corpus"] = "synthetic"
    assert study(table=table).is_synthetic


def test_scores_json_report_and_card_hold_the_scores(tmp_path):
    robust = {"as recorded": outcome("aass", GOOD), "white noise, 20 dB": outcome("aass", POOR)}
    report.write(study(degraded=robust, twins="2 sounds are one"), tmp_path, ["p.png"])
    scores = json.loads((tmp_path / "scores.json").read_text())
    models = scores["models"]
    assert (
        models["mlp_32"]["speaker"]["macro_f1"] == 1 and models["mlp_32"]["held_out"]["uar"] == 0.75
    )
    assert models["mlp_32"]["intervals"]["uar"] == [1, 1]
    assert [models["mlp_32"][f"{k}_bytes"] for k in ("parameter", "flash", "ram")] == [
        40 * KB,
        100 * KB,
        50 * KB,
    ]
    assert scores["robustness"]["white noise, 20 dB"]["uar"] == 0.5 and scores["chosen"] == "mlp_32"
    text = re.sub(" +", " ", (tmp_path / "report.md").read_text())
    for words in (
        "2 sounds are one.", "Budget: 100 KB of flash, 50 KB of RAM", "Chosen: **mlp_32**", "![p.png](p.png)",
        "## Robustness of mlp_32", "UAR at 70% coverage", "babble: clips of 6 other speakers",
        "| white noise, 20 dB | 0.500 | 50.0 |", "### linear, corpus",
    ):  # fmt: skip
        assert words in text
    card = (tmp_path / "model_card.md").read_text()
    assert (
        "clips held out at random, of voices that it has heard: weighted F1 0.733 (95 %: " in card
    )
    assert (
        "speakers that it never heard: UAR 1.000 (95 %: 1.000 to 1.000; 4 clips of 3 speakers)"
        in card
    )
    assert "too few for the score to mean anything" in card


def test_without_unheard_speakers_the_report_and_the_card_say_so(tmp_path):
    alone = {name: {"seed": by["seed"]} for name, by in study().outcomes.items()}
    report.write(study(outcomes=alone), tmp_path, [])
    assert "## Unseen speakers" not in (tmp_path / "report.md").read_text()
    assert "nothing is known of new voices" in (tmp_path / "model_card.md").read_text()
    assert json.loads((tmp_path / "scores.json").read_text())["models"]["linear"]["intervals"] == {}


# ---- the candidates -------------------------------------------------------------------------------


def test_models_take_all_columns_but_those_that_earn_nothing():
    taken = candidates.columns()
    left_out = [c for c in schema.COLUMNS if c not in taken]
    assert taken == [c for c in schema.COLUMNS if c in set(taken)]
    for column in left_out:
        group, parts = schema.GROUP_OF[column], column.split("_")
        fine = column.startswith("mfcc_") and int(next(p for p in parts if p.isdigit())) > 12
        level = parts[0] == "mel" and parts[-1] == "mean"
        assert group in ("chroma", "voice", "hnr", "encoder") or fine or level
    numbers = {
        int(c.split("_")[1]) for c in taken if c.startswith("mfcc_") and c.split("_")[1].isdigit()
    }
    assert numbers == set(range(1, 13))
    assert {schema.GROUP_OF[c] for c in left_out if c.startswith("mfcc_")} <= {"cepstrum", "clear"}
    assert not {"chroma", "voice", "hnr", "encoder"} & {schema.GROUP_OF[c] for c in taken}
    assert "mel_10_std" in taken and "mel_10_mean" not in taken


def test_the_encoder_is_taken_beside_the_others_by_the_models_named_after_it():
    named = [CANDIDATES["student_224_encoder"], CANDIDATES["student_224"]]
    taken = candidates.union(named)
    with_it, without = (candidates.places(candidate, taken) for candidate in named)
    assert with_it is None and [taken[place] for place in without] == candidates.columns()
    assert {schema.GROUP_OF[c] for c in set(taken) - set(candidates.columns())} == {"encoder"}


def test_named_groups_are_taken_whole_and_unknown_ones_refused():
    assert candidates.columns(["voice", "zcr"]) == [
        c for c in schema.COLUMNS if schema.GROUP_OF[c] in ("voice", "zcr")
    ]
    with pytest.raises(UserError, match="--groups colour: no such group"):
        candidates.columns(["zcr", "colour"])


def test_models_with_the_encoder_are_tried_where_their_pace_is_counted():
    usual, paced = candidates.default_names(paced=False), candidates.default_names(paced=True)
    assert set(paced) - set(usual) == {n for n, c in CANDIDATES.items() if c.encoder}
    assert "voice_224" in usual and "kernel" not in paced


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_is_what_its_description_says(name):
    candidate = CANDIDATES[name]
    model = candidate.make(7)[-1]
    settings = model.get_params()
    assert name == candidate.name and candidate.exportable == (name not in ("linear", "kernel"))
    assert settings.get("random_state") == (None if name == "linear" else 7)
    about = candidate.about
    if "trees" in about:
        trees, *leaves = [int(number) for number in re.findall(r"\d+", about)]
        assert settings["n_estimators"] == trees and settings["max_leaf_nodes"] in (*leaves, None)
        assert settings["max_features"] == (0.2 if name == "extra_trees" else 0.1)
        assert (settings["max_leaf_nodes"] is None) == ("unlimited" in about)
    elif units := re.search(r"one hidden layer of (\d+)", about):
        assert settings["hidden_layer_sizes"] == (int(units[1]),)
        assert (settings["max_iter"], settings["tol"]) == (120, 0)  # epochs, all of them
        assert (
            settings["alpha"] == int(units[1]) / 32
        )  # the more weights, the more they are held back
    elif units := re.search(
        "(four|three|two|one) 8-bit networks? of (\\d+) and (\\d+) units", about
    ):
        assert settings["hidden_layer_sizes"] == (int(units[2]), int(units[3]))
        assert settings["members"] == {"one": 1, "two": 2, "three": 3, "four": 4}[units[1]]
        assert candidate.encoder == ("with the encoder" in about)
        assert settings.get("without", 0) == about.endswith("(but for one of them)")
    elif "kernel ridge" in about:
        assert settings["ridge"] in candidate.grid["model__ridge"] and not candidate.by_default
    else:
        assert "logistic regression" in about and settings["C"] == 0.003
    # what a search tries includes what is shipped
    for setting, tried in candidate.grid.items():
        assert settings[setting.removeprefix("model__")] in tried


@pytest.mark.parametrize("corpus", ["synthetic", "savee"])
def test_synthetic_speech_is_called_so_in_report_card_and_scores(tmp_path, corpus):
    table = study().table
    table.clips.loc[3, "corpus"] = corpus
    report.write(study(table=table), tmp_path, [])
    made_up = corpus == "synthetic"
    for name in ("report.md", "model_card.md"):
        assert (report.SYNTHETIC_WARNING in (tmp_path / name).read_text()) == made_up
    # what people and other systems score is no measure of made-up speech
    assert (report.FOR_SCALE in (tmp_path / "report.md").read_text()) == (not made_up)
    assert json.loads((tmp_path / "scores.json").read_text())["synthetic"] is made_up


def test_a_model_that_knows_voices_has_a_table_of_its_histories_and_no_other_has():
    outcomes = study().outcomes
    for condition, answers in ((", 10 mixed", GOOD), (", 1 mostly neutral", FAIR)):
        for protocol in ("speaker", "corpus", "seed"):
            outcomes["mlp_32"][protocol + condition] = outcome("aass", answers, corpora=["c"] * 4)
    found = study(outcomes=outcomes)
    assert len(found.known_table("linear")) == 0
    known = found.known_table("mlp_32")
    assert known.index.tolist() == ["none", "10 mixed", "1 mostly neutral"]
    assert not any("seed" in column for column in known.columns)


def test_a_model_that_keeps_up_only_without_waiting_is_told_of():
    said = Pace(0.894, 22.2, 1.132).warning("student_168", "rp2040")
    assert "89 % of real time on the rp2040" in said and "113 % if it waits" in said
    assert Pace(0.894, 22.2, 0.99).warning("student_168", "rp2040") == ""
    assert Pace(0.065, 1.4).warning("student_168", "esp32p4") == ""
