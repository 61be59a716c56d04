"""Speech emotion on a microcontroller: from labelled clips to a model that is flashed.

>>> import speech_emotion
>>> frame = speech_emotion.features(["clip.wav"])  # doctest: +SKIP
>>> model = speech_emotion.load_model("models/model.joblib")  # doctest: +SKIP
>>> model.predict(frame)  # doctest: +SKIP

`FeatureExtractor` is the same as a scikit-learn transformer; `citation()` is what to cite. All of it is
loaded when it is first asked for.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_FRONT = {
    "features": ("speech_emotion.features", ""),
    "FeatureExtractor": ("speech_emotion.features.frames", "FeatureExtractor"),
    "load_model": ("speech_emotion.model.classifier", "load_model"),
    "citation": ("speech_emotion.corpora.registry", "citation"),
}
__all__ = ["FeatureExtractor", "__version__", "citation", "features", "load_model"]


def __getattr__(name: str) -> Any:
    if name not in _FRONT:
        raise AttributeError(f"module 'speech_emotion' has no attribute '{name}'")
    module, attribute = _FRONT[name]
    found = import_module(module)
    return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    return sorted({*globals(), *_FRONT})
