"""The recipe that teaches the frozen encoder: `speech-emotion encoder`. Users never need it, nor PyTorch.

sound.py      sentences and their copies, as mel levels of the chip
teacher.py    what a large speech recogniser's lower layers see in the same sentences
network.py    the encoder as PyTorch teaches it, and its numbers as bytes
teaching.py   the teaching
"""
