"""Speech emotion on a microcontroller: from labelled clips to a model that is flashed."""

__version__ = "0.2.0"
