"""`python -m fusion`, as the user named it. The story: speech_emotion/commands/fusion.py."""

from speech_emotion.commands.fusion import run

if __name__ == "__main__":
    run()
