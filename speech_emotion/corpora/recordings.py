"""recordings.csv: what `speech-emotion record` and the page write beside their recordings, and how it is
read.

The recordings lie below it as `<emotion>/<speaker>_<take>.wav`, 16 kHz.
"""

from __future__ import annotations

FILE = "recordings.csv"
COLUMNS = (
    "path", "emotion", "speaker", "take", "when", "device", "rate", "seconds", "peak_dbfs",
    "clipped_samples", "sentence_of",
)  # fmt: skip
"""path: below the folder of the table. when: local time, ISO 8601. device: the microphone. rate: Hz, at which
it recorded. seconds: of the file. peak_dbfs: of the largest sample. clipped_samples: at full scale.
sentence_of: the longer recording that it was cut from; such sentences stay on one side of every split; "" for
itself."""
