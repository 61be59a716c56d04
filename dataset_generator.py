#!/usr/bin/env python3
"""From folders of speech to dataset/features.csv. The story: speech_emotion/commands/dataset_generator.py."""

from speech_emotion.commands.dataset_generator import run

if __name__ == "__main__":
    run()
