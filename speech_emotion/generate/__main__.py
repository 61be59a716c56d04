"""Rewrites every generated C file; `--check` only tells which are stale (exit code 1)."""

from speech_emotion import cli, generate
from speech_emotion.errors import CheckFailed
from speech_emotion.files import replacing


def main():
    parser = cli.Parser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    check = parser.parse_args().check
    outputs = generate.outputs()
    behind = generate.stale()
    if check and behind:
        names = ", ".join(path.name for path in behind)
        raise CheckFailed(f"{names}: stale; run python -m speech_emotion.generate")
    for path in behind:
        with replacing(path) as file:
            file.write(outputs[path])
        print(f"{path.name} written")


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
