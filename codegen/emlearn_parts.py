"""The parts of emlearn that codegen calls: `cgen`, `net`, `trees`; `FOLDER` holds its C headers.

Importing emlearn (0.23) makes every numpy underflow in the program an exception; here that is undone.
"""

from pathlib import Path

import numpy as np

with np.errstate():
    from emlearn import cgen, net, trees

FOLDER = Path(trees.__file__).parent

__all__ = ["FOLDER", "cgen", "net", "trees"]
