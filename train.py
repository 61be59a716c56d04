#!/usr/bin/env python3
"""From features.csv to models and reports. The story: speech_emotion/commands/train.py."""

from speech_emotion.commands.train import run

if __name__ == "__main__":
    run()
