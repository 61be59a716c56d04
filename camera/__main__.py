"""`python -m camera`, as the user named it. The story: speech_emotion/commands/camera.py."""

from speech_emotion.commands.camera import run

if __name__ == "__main__":
    run()
