"""The counts that are kept: instructions of the extractor's functions on a fixed sound, per chip.

`python -m speech_emotion.measure.baseline` counts anew and writes baseline.json, for chips with tools here;
tests/test_measure.py compares with it and names what has grown. Do so when a change is meant to cost more, or
costs less.
"""

import json
import tempfile
from pathlib import Path

from speech_emotion import cli
from speech_emotion.files import replacing
from speech_emotion.measure import clips, firmware, toolchain

FILE = Path(__file__).with_name("baseline.json")
LIMIT = 0.03
_TRIFLE = 0.001  # of a phase's instructions


def count(name: str) -> dict[str, dict[str, int]]:
    """Instructions by phase and function: the extractor alone, on half a second of a synthetic voice."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        library = firmware.extractor_alone(folder / "library")
        built = firmware.build(toolchain.TARGETS[name], library, folder / "built")
        run = firmware.execute(built, [clips.synthetic_voice()[8000:16080]])
    return {kind: dict(sorted(found.items())) for kind, found in sorted(run.functions.items())}


def grown(kept: dict[str, dict[str, int]], found: dict[str, dict[str, int]]) -> list[str]:
    """The functions that have grown beyond the limit, in words. Not those that grew because another was
    inlined into them, the phase as a whole having stayed as it was; nor trifles."""
    lines = []
    for phase, functions in found.items():
        total = sum(kept[phase].values())
        more = sum(functions.values()) - total
        for function, after in functions.items():
            before = kept[phase].get(function, 0)
            growth = after - before
            if growth > LIMIT * before and growth > _TRIFLE * total and more >= growth / 2:
                share = f"{100 * growth / before:.1f} %" if before else "new"
                lines.append(
                    f"{function} while {phase}: {before:,} to {after:,} instructions ({share})"
                )
    return lines


def main():
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name, target in toolchain.TARGETS.items():
        if name in toolchain.SAME:
            continue
        try:
            target.check()
        except toolchain.MissingTool as error:
            print(f"{name}: kept as it was: {error}")
            continue
        kept[name] = {"tools": target.versions(), "counts": count(name)}
        total = sum(sum(found.values()) for found in kept[name]["counts"].values())
        print(f"{name}: {total:,} instructions")
    with replacing(FILE) as file:
        file.write(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
