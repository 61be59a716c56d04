"""The emotions' colours: of the page, of the board's LED, of everything that shows an emotion.

Told apart by people of every colour vision as far as eight can be: after Okabe and Ito (2008), "Color
Universal Design", with grey for neutral; never the only sign, the word stands beside it.
"""

from typing import NamedTuple


class Colour(NamedTuple):
    """page: #rrggbb, good on light and on dark. led: red, green, blue of the board's LED, which is bright."""

    page: str
    led: tuple[int, int, int]


COLOURS = {
    "angry": Colour("#d55e00", (60, 0, 0)),
    "disgust": Colour("#6b8e23", (20, 40, 0)),
    "fear": Colour("#6a3d9a", (30, 0, 40)),
    "happy": Colour("#e6b800", (50, 40, 0)),
    "neutral": Colour("#8c8c8c", (10, 10, 10)),
    "calm": Colour("#009e73", (0, 30, 20)),
    "sad": Colour("#0072b2", (0, 0, 50)),
    "surprise": Colour("#cc79a7", (50, 15, 0)),
}
"""By the labels' spelling."""
OTHER = Colour("#a0785a", (20, 20, 20))
"""Of a label of the user's own."""
