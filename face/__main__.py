"""`python -m face`, as the user named it. The story: speech_emotion/commands/face.py."""

from speech_emotion.commands.face import run

if __name__ == "__main__":
    run()
