"""From sound to feature vector: one schema (`schema`), one clip (`audio`), two engines that must agree.

`reference` is librosa and Praat; `device` is the chip's own C code. `engines.extractor` picks one by name.
"""
