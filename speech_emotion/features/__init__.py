"""From sound to feature vector: one schema (`schema`), one clip (`audio`), two engines that must agree.

`reference` is librosa and Praat; `device` is the chip's own C code. `engines.extractor` picks one by name.
The package itself may be called: `speech_emotion.features(files)` is `frames.features`.
"""

import sys
from types import ModuleType


class _Callable(ModuleType):
    """So that `speech_emotion.features` can be both the package and the function that one expects there."""

    def __call__(self, *args, **kwargs):
        from speech_emotion.features.frames import features

        return features(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
