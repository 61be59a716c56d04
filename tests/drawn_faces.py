"""Faces that nobody has: drawn, and found by a detector all the same."""

import numpy as np
from PIL import Image, ImageFilter


def drawn(side: int = 48, *, smile: float = 0.0, seed: int = 0) -> np.ndarray:
    """uint8 (side, side). smile: from -1, corners of the mouth down, to 1; seed: moves things a little."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:96, 0:96].astype(float)
    x, y = x + random.uniform(-2, 2), y + random.uniform(-2, 2)
    face = np.full((96, 96), 70.0 + random.uniform(-8, 8))

    def oval(cx, cy, rx, ry, grey):
        face[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1] = grey

    oval(47.5, 47.5, 36, 46, 190 + random.uniform(-15, 15))
    oval(47.5, 14, 38, 20, 50)  # hair
    for eye in (31, 64):
        oval(eye, 38, 11, 6, 110)
        oval(eye, 39, 6, 3.5, 30)
        face[(abs(x - eye) < 11) & (abs(y - 29) < 2)] = 50  # brow
    oval(47.5, 50, 4, 14, 215)  # nose
    oval(47.5, 64, 9, 2.5, 120)
    bend = smile * 9 * (((x - 47.5) / 16) ** 2 - 0.5)
    face[(abs(x - 47.5) < 16) & (abs(y - 76 + bend) < 3)] = 60
    face += random.normal(0, 3, face.shape)
    image = Image.fromarray(face.clip(0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(0.8))
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))


def scene(*faces: tuple[int, int, np.ndarray], width: int = 640, height: int = 480) -> np.ndarray:
    """A grey wall with faces at (x, y), uint8 (height, width)."""
    wall = np.full((height, width), 128, np.uint8)
    for x, y, face in faces:
        wall[y : y + len(face), x : x + len(face)] = face
    return wall


def folder(path, count=30, side=48, words=("happy", "sad")):
    """`count` pictures of each of two emotions below path: smiles and the reverse."""
    for word, smile in zip(words, (1, -1), strict=True):
        (path / word).mkdir(parents=True)
        for i in range(count):
            picture = Image.fromarray(drawn(side, smile=smile, seed=i))
            picture.save(path / word / f"p{i % 6}_{i:03}.png")
    return path


def video(path, looks, *, rate=10, sound=None):
    """Writes pictures, uint8 (height, width) each, as a video; sound: int16 samples at 16 kHz."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = looks[0].shape
        stream.pix_fmt, stream.bit_rate = "yuv420p", 2_000_000
        voice = None
        if sound is not None:
            voice = container.add_stream("aac", rate=16000)
            voice.layout = "mono"
        for grey in looks:
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[:, :, None], 3, 2), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if voice is not None:
            block = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
            block.sample_rate = 16000
            container.mux(voice.encode(block))
            container.mux(voice.encode())
    return path


def y4m(path, looks, *, rate=10):
    """The same as a browser's fake camera takes it, uncompressed: each picture's grey values as they are."""
    height, width = looks[0].shape
    colours = bytes([128]) * (2 * (-(-width // 2)) * (-(-height // 2)))
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg\n".encode())
        for grey in looks:
            file.write(b"FRAME\n" + grey.tobytes() + colours)
    return path
