"""The made-up voices that the page carries, to be tried without a microphone: the synthetic corpus's own.

A seed of their own, so that a model trained on the demo's synthetic clips has not heard these very ones.
"""

import base64
import io
import tempfile
from functools import cache
from pathlib import Path

import soundfile

from speech_emotion.corpora import synthetic

SEED = 16
CHOSEN = (("f1", "happy"), ("m1", "angry"), ("f1", "sad"), ("m1", "surprise"))
_SENTENCE = "kettle"
SENTENCES = tuple(synthetic.SENTENCES.values())
"""To be read aloud by who records: without an emotion of their own."""


@cache
def made_up() -> tuple[dict[str, str], ...]:
    """Each with `emotion`, `who`, `words` and `mp3`, in base64: some 8 KB where 16 bits would be 60."""
    with tempfile.TemporaryDirectory() as folder:
        clips = synthetic.write(Path(folder), seed=SEED, speakers=2, sentences=1)
        by_name = {(clip.speaker, clip.emotion): clip.path for clip in clips}
        return tuple(
            {
                "emotion": emotion,
                "who": "woman" if speaker.startswith("f") else "man",
                "words": synthetic.SENTENCES[_SENTENCE],
                "mp3": base64.b64encode(_mp3(by_name[speaker, emotion])).decode(),
            }
            for speaker, emotion in CHOSEN
        )


def _mp3(path):
    samples, rate = soundfile.read(path, dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="MP3", compression_level=0.5)
    return file.getvalue()
