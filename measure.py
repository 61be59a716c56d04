#!/usr/bin/env python3
"""Response time and memory of a library. The story: speech_emotion/commands/measure.py."""

from speech_emotion.commands.measure import run

if __name__ == "__main__":
    run()
