"""Rewrites every generated C file; `--check` only tells which are stale (exit code 1)."""

import argparse
import sys

from speech_emotion import generate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m speech_emotion.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    check, behind = parser.parse_args().check, generate.stale()
    for path in behind:
        if check:
            print(f"{path.name}: stale; run python -m speech_emotion.generate")
        else:
            path.write_text(generate.outputs()[path], encoding="utf-8")
            print(f"{path.name} written")
    return int(check and bool(behind))


if __name__ == "__main__":
    sys.exit(main())
