"""Test sounds made in integers only, so that every machine makes the very same samples. All int16."""

import numpy as np

SECOND = 16000


def noise(n: int, peak: int = 8000, seed: int = 1) -> np.ndarray:
    """White noise by the minimal-standard generator of Park and Miller (1988)."""
    state, out = seed, []
    for _ in range(n):
        state = state * 48271 % 2147483647
        out.append((state >> 8) * (2 * peak + 1) // (2147483647 >> 8) - peak)
    return np.array(out, np.int16)


def voice(
    n: int, *, period: int = 110, glide: int = 0, wobble: int = 0, seed: int = 3
) -> np.ndarray:
    """A voice-like sound: pulses through three two-pole resonators in fixed point.

    period: samples between pulses at first; glide: change of the period per 16 pulses; wobble: largest
    change of a single period and, in 1/64, of a single amplitude, drawn afresh for each (jitter and
    shimmer). Every seventh block of 40 pulses is left out: a pause.
    """
    # 2 r cos(2 pi f / fs) and r^2 in 1/4096, formants near 600, 1400 and 2600 Hz
    resonators = [(7750, 3940), (6640, 3870), (4080, 3780)]
    memories = [[0, 0] for _ in resonators]
    out, pulse, count, state = np.zeros(n, np.int16), 0, 0, seed
    for i in range(n):
        drive = 0
        if i == pulse:
            state = state * 48271 % 2147483647
            if wobble:
                step, swell = state % (2 * wobble + 1) - wobble, (state >> 9) % (2 * wobble + 1)
            else:
                step = swell = 0
            if count // 40 % 7 != 6:
                drive = 6000 * (64 + swell) // 64
            pulse += max(30, min(210, period + glide * (count // 16))) + step
            count += 1
        for (a, b), memory in zip(resonators, memories, strict=True):
            now = drive + (a * memory[0] - b * memory[1] >> 12)
            memory[1], memory[0] = memory[0], now
            drive = now >> 1
        out[i] = min(max(drive >> 2, -32768), 32767)
    return out


def hostile() -> dict[str, np.ndarray]:
    """Sounds no speaker makes."""
    n = 2 * SECOND
    alternating = np.where(np.arange(n) % 2, 32767, -32768).astype(np.int16)
    square = np.where(np.arange(n) // 40 % 2, 32767, -32768).astype(np.int16)
    click = np.zeros(n, np.int16)
    click[9000] = 32767
    steps = np.repeat(np.array([-32768, 32767, 0, 32767, -32768], np.int16), n // 5)
    whisper = np.zeros(n, np.int16)
    whisper[::97] = 1
    rising = (noise(n, 32767).astype(np.int32) * np.arange(n) // n).astype(np.int16)
    return {
        "silence": np.zeros(n, np.int16),
        "constant": np.full(n, 12345, np.int16),
        "all lowest": np.full(n, -32768, np.int16),
        "all highest": np.full(n, 32767, np.int16),
        "square": square,
        "alternating": alternating,
        "click": click,
        "steps": steps,
        "last bit": whisper,
        "noise": noise(n, 32767),
        "rising noise": rising,
        "highest then silence": np.concatenate([square[: n // 2], np.zeros(n // 2, np.int16)]),
        "none": np.zeros(0, np.int16),
        "one sample": np.array([-32768], np.int16),
        "just too short": noise(1519),
        "just long enough": noise(1520),
    }
