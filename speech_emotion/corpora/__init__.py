"""Corpora of emotional speech: from a folder on disk to labelled clips.

>>> from speech_emotion.corpora import discover
>>> found = discover(Path("speech-emotion-recognition-en"))  # doctest: +SKIP
>>> found.clips[0].emotion, found.ignored  # doctest: +SKIP

One module per corpus holds its naming scheme, title, licence and citation.
"""

from speech_emotion.corpora.clip import EMOTIONS, Clip, Discovery, Licence
from speech_emotion.corpora.discovery import discover
from speech_emotion.corpora.registry import About, citation, licences

__all__ = ["EMOTIONS", "About", "Clip", "Discovery", "Licence", "citation", "discover", "licences"]
