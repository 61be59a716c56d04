"""Golden vectors of the C extractor: the features of a few integer-made sounds, to the last bit.

`PYTHONPATH=. python tests/golden.py` writes them anew, after a change of the C code that is
meant to change results; the difference then shows in review.
"""

import json
from pathlib import Path

import signals

from speech_emotion.features import device, schema

DATA = Path(__file__).with_name("data")
FILE = DATA / "device_features.json"


def sounds():
    """The sounds by name."""
    return {
        "steady voice": signals.voice(24080),
        "falling voice with jitter and shimmer": signals.voice(40080, glide=2, wobble=3),
        "high voice": signals.voice(24080, period=60, glide=-1, wobble=1),
        "noise": signals.noise(16080),
        "click": signals.hostile()["click"],
        "square": signals.hostile()["square"],
    }


def read():
    """{sound: [hexadecimal floats]} as committed, and the schema's hash they were made with."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return content["features"], content["schema"]


def write():
    """Compute and store."""
    vectors = {
        name: [float(value).hex() for value in device.extract(samples)]
        for name, samples in sounds().items()
    }
    text = json.dumps({"schema": schema.HASH, "features": vectors}, indent=0)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
