"""A picture file as grey pixels, whatever a stranger made of it: one line where it cannot be, memory bounded.

Nothing is decoded before its size is known; nothing is kept after it was looked at.
"""

import warnings
from pathlib import Path

import numpy as np

from speech_emotion.errors import UserError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm")
MOST_PIXELS = 50_000_000
"""Of a picture; a camera's largest have about so many. Decoded, that is 200 MB at most."""
MOST_BYTES = 100 * 2**20


def read(path: str | Path) -> np.ndarray:
    """Grey pixels, uint8 (height, width), upright as its EXIF says. UserError where it is no one picture."""
    from PIL import Image, ImageOps

    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(
                f"{path}: {path.stat().st_size >> 20} MB; at most {MOST_BYTES >> 20} are read"
            )
        with warnings.catch_warnings():
            # of bombs: the size is looked at here; of odd EXIF: it is no news
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise UserError(
                        f"{path}: {width * height / 1e6:.0f} megapixels; at most {MOST_PIXELS // 10**6} are "
                        "read, make it smaller"
                    )
                if (count := getattr(image, "n_frames", 1)) > 1:
                    raise UserError(f"{path}: an animation of {count} pictures; save one of them")
                return _grey(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UserError:
        raise
    except MemoryError:
        raise UserError(f"{path}: needs more memory than there is here; make it smaller") from None
    except Exception as error:  # decoders raise a dozen kinds for bytes that are wrong
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UserError(
            f"{path}: cannot be read as a picture ({reason}); save it as JPEG or PNG"
        ) from None


def _grey(image):
    if (
        image.mode.startswith("I") or image.mode == "F"
    ):  # 16 bits and more: Pillow would cut, not scale
        values = np.asarray(image, np.float64)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        return np.clip(values * (255 / top), 0, 255).astype(np.uint8)
    if "A" in image.mode or "transparency" in image.info:
        from PIL import Image

        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        ground.alpha_composite(image)
        image = ground
    return np.asarray(image.convert("L"), np.uint8).copy()


def resized(grey: np.ndarray, side: int) -> np.ndarray:
    """A square of `side` pixels, each the mean of what it covers. grey: uint8 (height, width)."""
    from PIL import Image

    if grey.shape == (side, side):
        return grey
    return np.asarray(
        Image.fromarray(grey).resize(
            (side, side),
            Image.Resampling.BOX if min(grey.shape) >= side else Image.Resampling.BILINEAR,
        )
    )


def shrunk(grey: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(width, height) of pixels, each the mean of those whose centres it covers. grey: uint8, larger.

    First along the rows, then along the columns, as find/ser_find.c has it: left to itself Pillow takes now
    the one, now the other first, and rounds in between."""
    from PIL import Image

    box = Image.Resampling.BOX
    rows = Image.fromarray(grey).resize((size[0], grey.shape[0]), box)
    return np.asarray(rows.resize(size, box))
