"""The messages' fields, in their order: what Python's codec goes by, and what the C header is generated from.

A sentence is one JSON object of whole numbers, truth values and hexadecimal words, without a space:

    {"v":1,"boot":"9f3c01aa","seq":412,"t0":81230,"t1":83740,"now":83790,"p":[7121,...],"level":-312,
     "speech":true,"model":"ab12cd34","schema":"fc8b3603"}

What a device says of itself, retained, is the same sort of object with the labels' names; the columns for the
central model are binary, little endian.
"""

from typing import NamedTuple

from speech_emotion import names

VERSION = 1
WHOLE = 10_000
"""Probabilities are whole ten-thousandths, and a sentence's add up to this, exactly."""
LABELS_MOST = 16
"""A sentence of more of them may take more than SENTENCE_BYTES."""
SENTENCE_BYTES = 240
ABOUT_HEAD = 160
"""What is said of a device, without its labels, is shorter. A label is any that a model on a chip may have
(names.label_flaw): of any script, in quotes, `"` and `\\` escaped."""
ABOUT_BYTES = ABOUT_HEAD + LABELS_MOST * (2 * names.MAX_LABEL_BYTES + 3)
COLUMNS_BYTES = 1024
COLUMNS_HEAD = 16
COLUMNS_MOST = (COLUMNS_BYTES - COLUMNS_HEAD) // 2
STEPS = 1024
"""A column's steps per standard deviation of its training: int16 reaches 32 of them."""
LONGEST_MS = 60_000
"""No sentence is longer."""

U32 = 0xFFFFFFFF


class Field(NamedTuple):
    """kind: whole (a number from least to most), hex (8 digits, uint32), truth, shares (probabilities),
    names (labels)."""

    key: str
    member: str
    kind: str
    about: str
    least: int = 0
    most: int = U32


SENTENCE = (
    Field("v", "version", "whole", "of the message: SER_MESSAGE_VERSION", VERSION, VERSION),
    Field("boot", "boot", "hex", "a random number, drawn when the device starts"),
    Field("seq", "seq", "whole", "1, 2, 3 ... since then: a missing one is a loss", 1),
    Field("t0", "begin", "whole", "ms of the device's uptime, modulo 2^32: the sentence begins,"),
    Field("t1", "end", "whole", "ends,"),
    Field("now", "now", "whole", "and the message is sent"),
    Field("p", "shares", "shares", "probabilities in ten-thousandths; their sum is 10000"),
    Field("level", "level", "whole", "tenths of a dB below full scale", -1000, 0),
    Field("speech", "speech", "truth", "whether there was anything to judge"),
    Field("model", "model", "hex", "which model"),
    Field("schema", "schema", "hex", "which features: the schema's first 8 digits"),
)
ABOUT = (
    Field("v", "version", "whole", "of the message: SER_MESSAGE_VERSION", VERSION, VERSION),
    Field("boot", "boot", "hex", "as in the sentences"),
    Field("labels", "names", "names", "in the order of the probabilities"),
    Field("threshold", "threshold", "whole", "below it, \"uncertain\"; ten-thousandths", 0, WHOLE),
    Field("dropped", "dropped", "whole", "sentences that found no room while nobody could be reached"),
    Field("model", "model", "hex", "which model"),
    Field("schema", "schema", "hex", "which features"),
    Field("columns", "columns", "hex", "which columns, on which scale, it sends; 0: none"),
)  # fmt: skip
