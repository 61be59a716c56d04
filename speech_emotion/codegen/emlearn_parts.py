"""The parts of emlearn that codegen calls: `cgen`, `net`, `trees`; `FOLDER` holds its C headers.

Importing emlearn (0.23) has two side effects, which are kept off here: it makes every numpy underflow in
the program an exception, and it asks for distutils, which Python 3.12 no longer has and we never call.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np


def _distutils() -> dict[str, ModuleType]:
    """What to pretend while emlearn is imported: nothing where distutils is there."""
    if importlib.util.find_spec("distutils") is not None:
        return {}
    compiler = ModuleType("distutils.ccompiler")
    vars(compiler)["new_compiler"] = None  # emlearn's own test runs would call it
    return {"distutils": ModuleType("distutils"), "distutils.ccompiler": compiler}


_PRETENDED = _distutils()
sys.modules.update(_PRETENDED)
with np.errstate():
    from emlearn import cgen, net, trees
for name in _PRETENDED:
    del sys.modules[name]

FOLDER = Path(trees.__file__).parent

__all__ = ["FOLDER", "cgen", "net", "trees"]
