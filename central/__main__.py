"""`python -m central`, as the user named it. The story: speech_emotion/commands/central.py."""

from speech_emotion.commands.central import run

if __name__ == "__main__":
    run()
