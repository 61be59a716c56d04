#!/usr/bin/env python3
"""The feature vectors of sound files. The story: speech_emotion/commands/extractor.py."""

from speech_emotion.commands.extractor import extract, run, schema

__all__ = ["extract", "run", "schema"]

if __name__ == "__main__":
    run()
