"""Where faults are put, and pytest's arguments for the tests that must notice them, quickest first (PLACES);
faults that once survived (NAMED: what it is, file, old, new); and what may survive, with the reason
(ACCEPTED: a part of the line as it becomes)."""

_LEAKS = "tests/test_training_leaks.py"
_RUN = ("tests/test_training_experiment.py", "tests/test_training_report.py", _LEAKS)
_EXPORT = (
    "tests/test_codegen.py "
    "-k 'same_answers or left_out or any_spelling or refused or side_by_side or last_bit'",
)
_CHIPS = (
    "tests/test_measure.py -k 'verdict or energy or clock or scaled or says or dash or page or ranges'",
)
PLACES = {
    "speech_emotion/training/protocols.py": ("tests/test_protocols.py", _LEAKS),
    "speech_emotion/training/experiment.py": ("tests/test_training_scores.py", *_RUN),
    "speech_emotion/training/fitting.py": ("tests/test_protocols.py", *_RUN),
    "speech_emotion/training/scores.py": (
        "tests/test_training_scores.py",
        "tests/test_training_report.py",
    ),
    "speech_emotion/training/labels.py": (
        "tests/test_training_experiment.py",
        "tests/test_protocols.py",
    ),
    "speech_emotion/training/candidates.py": ("tests/test_training_report.py",),
    "speech_emotion/training/budget.py": ("tests/test_training_report.py",),
    "speech_emotion/training/report.py": ("tests/test_training_report.py",),
    "speech_emotion/training/robustness.py": ("tests/test_training_robustness.py -k 'not study'",),
    "speech_emotion/commands/train.py": _RUN,
    "speech_emotion/model/distillation.py": (
        "tests/test_training_distillation.py -k 'not exports'",
    ),
    "speech_emotion/dataset/augment.py": ("tests/test_augment.py",),
    "speech_emotion/dataset/copies.py": ("tests/test_augment.py",),
    "speech_emotion/measure/sizes.py": (
        "tests/test_training_report.py",
        "tests/test_codegen.py -k sizes",
    ),
    "speech_emotion/measure/report.py": _CHIPS,
    "speech_emotion/measure/chips.py": _CHIPS,
    "speech_emotion/codegen/pipeline.py": _EXPORT,
    "speech_emotion/codegen/source.py": _EXPORT,
}
NAMED = [
    ("fitted on all rows", "speech_emotion/training/experiment.py",
     "self._examples, self.split.train,", "self._examples, np.arange(len(self.labels)),"),
    ("chosen on all clips", "speech_emotion/commands/train.py", "choose(inside,",
     'choose({n: by["speaker"] for n, by in outcomes.items()},'),
    ("threshold from the held-out rows", "speech_emotion/commands/train.py",
     "inside[name].threshold()", "held_out[name].threshold()"),
    ("INMP441 noise 18 dB too low", "speech_emotion/training/robustness.py", "-87 + 18", "-87"),
    ("high-pass ten times too high", "speech_emotion/training/robustness.py",
     "_MICROPHONE_EDGE, _MICROPHONE_NOISE = 60,", "_MICROPHONE_EDGE, _MICROPHONE_NOISE = 600,"),
    ("babble 6 dB off", "speech_emotion/training/robustness.py",
     "heard.voices, snr))", "heard.voices, snr + 6))"),
    ("babble copies 6 dB off", "speech_emotion/dataset/augment.py",
     "return mixed(x, _as_speech_on_average(babble, rng), snr)",
     "return mixed(x, _as_speech_on_average(babble, rng), snr + 6)"),
    ("3.3 V become 5 V", "speech_emotion/measure/chips.py", "VOLTS = 3.3", "VOLTS = 5.0"),
    ("of equal sizes the worse model on the front", "speech_emotion/training/scores.py",
     "(points[n][0], -points[n][1])", "(points[n][0], points[n][1])"),
    ("of equal scores the larger model chosen", "speech_emotion/training/experiment.py",
     "(-scores.get(name, 0), sizes[name])", "(-scores.get(name, 0), -sizes[name])"),
]  # fmt: skip
ACCEPTED = {
    "_TREES": "which settings a search tries is a choice; that it tries the shipped ones is tested",
    "_ALPHAS": "likewise",
    "_RIDGES": "likewise",
    "indent=": "how JSON looks",
    "jobs: int": "how many processes changes no result",
    "list(set(": "a set may come out sorted by chance",
}
