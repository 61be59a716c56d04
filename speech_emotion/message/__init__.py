"""What a device says of a sentence, as bytes. One definition, for Python and for C (ser_message_format.h)."""

from speech_emotion.message.codec import (
    About,
    Columns,
    Refused,
    Sentence,
    decode_about,
    decode_columns,
    decode_sentence,
    encode_about,
    encode_columns,
    encode_sentence,
    shares,
)

__all__ = [
    "About",
    "Columns",
    "Refused",
    "Sentence",
    "decode_about",
    "decode_columns",
    "decode_sentence",
    "encode_about",
    "encode_columns",
    "encode_sentence",
    "shares",
]
