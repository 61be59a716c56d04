#!/usr/bin/env python3
"""From clips and a model to emotions. The story: speech_emotion/commands/predictor.py."""

from speech_emotion.commands.predictor import run

if __name__ == "__main__":
    run()
