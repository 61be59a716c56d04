"""How the chip's voice stages lie over its latest samples: the numbers of theirs that follow from the schema.

The chip takes CLIP_REMAINDER samples first and HOP at a time from then on, and keeps the latest ones in a
tail (ser_tail.h) that is just long enough for a pitch frame. Everything here is in samples, hops, or steps of
what is stored; `limits.py` says which schemas the C code can follow.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from speech_emotion.features import grid, schema

# What ser_fft.c is written for, and what the chip's own precision is made of
TRANSFORM = 512  # real samples
PITCH_LAGS = 256  # of the autocorrelation that a transform of twice the size gives
SINC_DEPTH = 8  # samples each side that interpolate between lags
SINC_DEEP = 30  # the same for the harmonics-to-noise ratio, where 1 - r counts
SINC_STEPS = 32  # tabulated fractions between 0 and 1/2
INTENSITY_STEP = 4  # samples that share a weight of intensity's window
INTENSITY_SLACK = 3  # samples at either end of it that may be left out: they weigh 1e-10
TIME_STEPS = 256  # of pulse times, per sample
LEVEL_STEPS = 128  # of amplitudes, per octave
GATE_HISTORY = 16  # frames whose level the gate remembers
VIEW_HOPS = 6  # of sound that the pulse marking looks at together
SCORE_BITS = 20  # fractional ones of a score or cost of the pitch path


@dataclass(frozen=True)
class Layout:
    """The numbers, each as ser_schema.h calls it, in lower case."""

    pitch_shortest: int  # period
    pitch_longest: int
    pitch_window: int
    pitch_centre: int  # of frame 0
    pitch_latency: int  # frame k comes with hop k + pitch_latency
    pitch_log_offset: float  # a period p is stored as (log2 p - offset) steps, in 16 bits
    pitch_log_steps: int
    tail_samples: int
    hnr_latency: int
    hnr_centre: int  # from here on, of the tail
    hnr_first: int
    hnr_span: int
    hnr_block: int
    intensity_window: int
    intensity_opens: int  # frame k begins with hop k + intensity_opens
    intensity_begin: int  # and so many samples before its centre
    intensity_first: int  # of the steps that lie within the window, and how many do
    intensity_whole: int
    intensity_steps: int
    intensity_latency: int
    intensity_last: int  # steps in the last hop
    intensity_last_whole: int  # of them within the window
    intensity_lag: int  # spectral frame less intensity frame
    frame_latency: int  # spectral frame j comes with hop j + frame_latency


def of_schema() -> Layout:
    """The layout for the schema as it is. Meant for schemas that pass the ranges of `limits`."""
    period = grid.period()
    longest, shortest = math.floor(period), schema.SAMPLE_RATE // schema.PITCH_CEILING
    pitch, harmonicity, intensity = grid.pitch(), grid.harmonicity(), grid.intensity()
    # Praat's windows have an even number of samples; a Hann window has a zero more at either end
    window = math.floor(pitch.window) // 2 * 2
    pitch_latency = _latency(pitch.centre + window // 2)
    tail = _end(pitch_latency) - (math.floor(pitch.centre) - window // 2)
    offset = math.floor(2 * math.log2(shortest)) / 2
    steps = math.floor(0xFFFF / (math.log2(longest + 1.3) - offset)) // 1000 * 1000

    hnr_latency = _latency(harmonicity.centre + period)
    hnr_start = tail - _end(hnr_latency)  # of the clip, in the tail
    frame_latency = _latency(Fraction(schema.FRAME))
    block = tail - _end(frame_latency)

    opens = int(intensity.rest / 2 + INTENSITY_SLACK >= schema.CLIP_REMAINDER)
    begin = math.floor(intensity.centre) - _end(opens - 1)
    weighted = math.floor(intensity.window)
    first = max(0, begin - weighted // 2) // INTENSITY_STEP
    whole = weighted // INTENSITY_STEP
    per_hop = schema.HOP // INTENSITY_STEP
    covered = -(-(begin + weighted // 2 + 1) // INTENSITY_STEP)
    intensity_steps = -(-covered // 4) * 4  # the loop takes four at a time
    hops = -(-intensity_steps // per_hop)
    return Layout(
        pitch_shortest=shortest,
        pitch_longest=longest,
        pitch_window=window,
        pitch_centre=math.floor(pitch.centre),
        pitch_latency=pitch_latency,
        pitch_log_offset=offset,
        pitch_log_steps=steps,
        tail_samples=tail,
        hnr_latency=hnr_latency,
        hnr_centre=hnr_start + math.floor(harmonicity.centre),
        # the sample whose middle is the last before the frame begins
        hnr_first=hnr_start + math.floor(harmonicity.centre - period - Fraction(1, 2)),
        hnr_span=2 * (math.floor(harmonicity.window - period) // 2 - 1),
        hnr_block=block,
        intensity_window=weighted,
        intensity_opens=opens,
        intensity_begin=begin,
        intensity_first=first,
        intensity_whole=whole,
        intensity_steps=intensity_steps,
        intensity_latency=opens + hops - 1,
        intensity_last=intensity_steps - (hops - 1) * per_hop,
        intensity_last_whole=first + whole - (hops - 1) * per_hop,
        intensity_lag=grid.intensity_lag(),
        frame_latency=frame_latency,
    )


def _end(hop: int) -> int:
    """Samples of the clip that are there when hop number `hop` is."""
    return schema.HOP * hop + schema.CLIP_REMAINDER


def _latency(samples: Fraction) -> int:
    """The hop that brings so many samples of the clip together."""
    return max(0, math.ceil((samples - schema.CLIP_REMAINDER) / schema.HOP))


def defines() -> list[str]:
    """The layout and what else the voice stages take from the schema, as C."""
    layout = of_schema()
    ratio = period_ratio()
    second = schema.SAMPLE_RATE * TIME_STEPS
    octaves = math.log2(schema.AMPLITUDE_FACTOR)
    limit = math.ceil(schema.F0_STEP_LIMIT * layout.pitch_log_steps / 12)
    silence, silence_shift = as_product(1 / schema.HNR_SILENCE)
    return [
        f"#define SER_PITCH_SHORTEST {layout.pitch_shortest} /* period at SER_PITCH_CEILING, samples */",
        f"#define SER_PITCH_LONGEST {layout.pitch_longest} /* and at SER_PITCH_FLOOR */",
        f"#define SER_PITCH_WINDOW {layout.pitch_window} /* three of the longest */",
        f"#define SER_PITCH_CENTRE {layout.pitch_centre} /* of frame 0, samples from the clip's start */",
        f"#define SER_PITCH_LATENCY {layout.pitch_latency} /* frame k comes with hop k + this */",
        f"#define SER_PITCH_LOG_ZERO {as_float(math.log2(schema.SAMPLE_RATE / schema.SEMITONE_REFERENCE))}"
        " /* log2 of the period at 0 semitones */",
        f"#define SER_PITCH_LOG_OFFSET {as_float(layout.pitch_log_offset)}",
        f"#define SER_PITCH_LOG_STEPS {as_float(layout.pitch_log_steps)}",
        f"#define SER_PITCH_LOG_STEP {as_float(12 / layout.pitch_log_steps)} /* semitones */",
        f"#define SER_F0_STEP_LIMIT_STEPS {limit}U /* SER_F0_STEP_LIMIT, in those */",
        *_path_defines(layout),
        f"#define SER_PITCH_MAX {schema.PITCH_CANDIDATES - 1} /* candidates of a frame */",
        f"#define SER_TAIL_SAMPLES {layout.tail_samples} /* from a pitch frame's first to the latest */",
        f"#define SER_HNR_LATENCY {layout.hnr_latency} /* frame k comes with hop k + this */",
        f"#define SER_HNR_CENTRE {layout.hnr_centre} /* of a frame, in the tail */",
        f"#define SER_HNR_FIRST {layout.hnr_first} /* sample compared, in the tail */",
        f"#define SER_HNR_SPAN {layout.hnr_span} /* samples compared, and lags */",
        f"#define SER_HNR_BLOCK {layout.hnr_block} /* the latest spectral frame, in the tail */",
        f"#define SER_HNR_SILENCE_FACTOR {silence}U /* one over SER_HNR_SILENCE is this >> ..._SHIFT */",
        f"#define SER_HNR_SILENCE_SHIFT {silence_shift}",
        f"#define SER_INTENSITY_STEP {INTENSITY_STEP} /* samples that share a weight */",
        f"#define SER_INTENSITY_STEPS {layout.intensity_steps} /* weights of a frame */",
        f"#define SER_INTENSITY_OPENS {layout.intensity_opens} /* frame k begins with hop k + this */",
        f"#define SER_INTENSITY_FIRST {layout.intensity_first} /* step within the window */",
        f"#define SER_INTENSITY_WHOLE {layout.intensity_whole} /* steps within the window */",
        f"#define SER_INTENSITY_LATENCY {layout.intensity_latency} /* frame k comes with hop k + this */",
        f"#define SER_INTENSITY_LAST {layout.intensity_last} /* steps in its last hop */",
        f"#define SER_INTENSITY_LAST_WHOLE {layout.intensity_last_whole} /* of them within the window */",
        f"#define SER_INTENSITY_LAG {layout.intensity_lag} /* spectral frame less intensity frame */",
        f"#define SER_GATE_HISTORY {GATE_HISTORY}",
        f"#define SER_TIME_STEPS {TIME_STEPS} /* of pulse times, per sample */",
        f"#define SER_LEVEL_STEPS {LEVEL_STEPS} /* of amplitudes, per octave; 0 = no amplitude */",
        f"#define SER_PERIOD_STEPS_MIN {math.floor(Fraction(str(schema.PERIOD_SHORTEST)) * second)}U"
        " /* a period, in SER_TIME_STEPS */",
        f"#define SER_PERIOD_STEPS_MAX {math.floor(Fraction(str(schema.PERIOD_LONGEST)) * second)}U",
        f"#define SER_PERIOD_RATIO_ABOVE {ratio.numerator}U /* over ..._BELOW: SER_PERIOD_FACTOR */",
        f"#define SER_PERIOD_RATIO_BELOW {ratio.denominator}U",
        f"#define SER_AMPLITUDE_STEPS {math.floor(octaves * LEVEL_STEPS)}U"
        " /* SER_AMPLITUDE_FACTOR, in SER_LEVEL_STEPS */",
        f"#define SER_VIEW_HOPS {VIEW_HOPS}",
    ]


def _path_defines(layout: Layout) -> list[str]:
    """What the pitch path adds up, in integers: scores with SCORE_BITS fractional bits, log periods as
    stored."""
    # Praat counts the path's costs per 10 ms, whatever the hop
    per_hop = 0.01 / grid.seconds_per_hop()
    step = 1 / layout.pitch_log_steps
    shortest = math.log2(schema.SAMPLE_RATE / schema.PITCH_CEILING) - layout.pitch_log_offset
    jump, jump_shift = as_product(schema.PITCH_JUMP_COST * per_hop * step * 2**SCORE_BITS)
    octave, octave_shift = as_product(schema.PITCH_OCTAVE_COST * step * 2**SCORE_BITS)
    # of the sound's peak: a local peak from which a frame is not silent at all
    loud, loud_shift = as_product(2 * schema.PITCH_SILENCE / (1 + schema.PITCH_VOICING))

    def score(value):
        return round(value * 2**SCORE_BITS)

    return [
        f"#define SER_PITCH_LOG_OFFSET_STEPS {round(layout.pitch_log_offset * layout.pitch_log_steps)}",
        f"#define SER_PITCH_SCORE_BITS {SCORE_BITS} /* fractional ones, of the scores from here on */",
        f"#define SER_PITCH_VOICING_SCORE {score(schema.PITCH_VOICING)}",
        f"#define SER_PITCH_TURN_SCORE {score(schema.PITCH_TURN_COST * per_hop)}",
        f"#define SER_PITCH_JUMP_FACTOR {jump}U /* a step of log period: this >> ..._SHIFT */",
        f"#define SER_PITCH_JUMP_SHIFT {jump_shift}",
        f"#define SER_PITCH_OCTAVE_FACTOR {octave}U",
        f"#define SER_PITCH_OCTAVE_SHIFT {octave_shift}",
        f"#define SER_PITCH_OCTAVE_SCORE {score(schema.PITCH_OCTAVE_COST * shortest)}"
        " /* of SER_PITCH_LOG_SHORTEST */",
        f"#define SER_PITCH_LOUD_FACTOR {loud}U /* of the sound's peak, a frame's that is not silent */",
        f"#define SER_PITCH_LOUD_SHIFT {loud_shift}",
        f"#define SER_CLEAR_STRENGTH_SCORE {score(schema.CLEAR_STRENGTH)}",
        f"#define SER_CLEAR_SHARE {round(schema.CLEAR_PEAK * 2**31)}U /* SER_CLEAR_PEAK, Q1.31 */",
    ]


def as_product(value: float) -> tuple[int, int]:
    """A positive number below 2^16 as factor / 2^shift, as exactly as 16 bits do it."""
    shift = min(31, 15 - math.floor(math.log2(value))) if value > 0 else 0
    factor = round(value * 2**shift)
    return (factor // 2, shift - 1) if factor > 0xFFFF else (factor, shift)


def period_ratio() -> Fraction:
    """PERIOD_FACTOR, which the chip compares with in whole numbers."""
    return Fraction(str(schema.PERIOD_FACTOR))


def as_float(value: float) -> str:
    """The float32 nearest to value, in the fewest digits that name it exactly."""
    text = str(np.float32(value))
    return text + ("f" if "." in text or "e" in text else ".0f")
