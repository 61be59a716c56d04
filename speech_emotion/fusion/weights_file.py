"""fusion.json: two weights, and what they were fitted on."""

import json
from pathlib import Path
from typing import Any

from speech_emotion.errors import UserError, shown
from speech_emotion.files import replacing
from speech_emotion.fusion.loglinear import CHANNELS, MOST, Weights

FORMAT = "speech-emotion-fusion/1"
_LONGEST = 100_000


def write(path: Path, weights: Weights, about: dict[str, Any]) -> None:
    facts = {"format": FORMAT, "weights": {c: getattr(weights, c) for c in CHANNELS}, **about}
    with replacing(path) as file:
        file.write(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> Weights:
    """UserError where it is no such file."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            facts = json.loads(file.read(_LONGEST))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; make it with: python -m fusion fit") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: cannot be read as JSON ({type(error).__name__}); make it with: python -m fusion fit"
        ) from None
    found = facts.get("weights") if isinstance(facts, dict) else None
    if not isinstance(found, dict) or facts.get("format") != FORMAT:
        raise UserError(f"{path}: not weights of a fusion; make it with: python -m fusion fit")
    for channel in CHANNELS:
        weight = found.get(channel)
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise UserError(f"{path}: weight of {channel} is {shown(weight)}; give a number")
        if not 0 <= weight <= MOST:  # NaN neither
            raise UserError(
                f"{path}: weight of {channel} is {shown(weight)}; 0 to {MOST:g} are possible"
            )
    return Weights(*(float(found[channel]) for channel in CHANNELS))
