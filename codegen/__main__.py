"""`python -m codegen`, as the user named it. The step's story is in speech_emotion/commands/codegen.py."""

from speech_emotion.commands.codegen import run

if __name__ == "__main__":
    run()
