"""What is known of the chips: clock, cycles per instruction, currents; and how counts become estimates.

QEMU models neither pipeline nor cache nor flash, so a count becomes a range. Espressif's factors are
calibrated on published cycles of the same sources, instructions counted here: CoreMark, Espressif's esp-dsp
benchmarks, single-precision benchmarks. Division of floats is software in the ESP32's ROM, about 170 cycles
(WLED issue 4206: 1.42 million a second at 240 MHz), and takes the ESP32-S3 54 (4.47 million); an integer
division takes the ESP32-C3 35 cycles (the same issue).

ESP32-S3: its datasheet's CoreMark of one core, 613.86 at 240 MHz, is 390,969 cycles an iteration; the same
source takes an LX6 263,009 instructions (gcc 12.2 -O3): 1.49. Of an ESP32 that ratio is 1.84, and its upper
factor 2.4: in proportion 1.95 here.

nRF52840, RP2350, RP2040: CoreMark was not counted. Instead each instruction that the extractor executes on
a voiced sound was given the cycles that Arm publishes for it (Cortex-M4 Technical Reference Manual, tables
3-1 and 7-1: loads 2, branches taken 3, multiply-accumulate 3, division and root 14; Cortex-M0+ manual,
table 3-1: loads and branches taken 2, calls 3), which gives 1.61 and 1.33 with memory that never waits,
1.75 and 1.40 with every branch taken, and every store and branch at its slowest. The nRF52840's flash takes
3 % of CoreMark (212 at 64 MHz, product specification; 3.42 a megahertz, Arm), but this program is larger
than its cache of 2 KB: 2.4. A Cortex-M33 makes 4.09 CoreMark a megahertz, .84 of an M4's cycles. RP2350 and
RP2040 run from serial flash by way of a cache of 16 KB, which this program exceeds: 2.2 and 1.8.
These figures of Arm, Nordic and Raspberry Pi, the nRF52840's current among them, were written down from
memory of those documents and not looked up; the allowances for flash and caches are judgements.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """An estimate: from the best case to the worst."""

    lower: float
    nominal: float
    upper: float

    def times(self, factor: float) -> "Range":
        return Range(self.lower * factor, self.nominal * factor, self.upper * factor)


@dataclass(frozen=True)
class Chip:
    """name; core: what runs the program in QEMU; hertz; cycles per instruction, nominal and upper, the lower
    being 1; slow: operations (Target.slow) of which each adds slow_cycles to the upper estimate;
    milliamperes busy, idle and in light sleep at 3.3 V, radio off, or None where no datasheet was at hand,
    and the source of these."""

    name: str
    core: str
    hertz: float
    nominal: float
    upper: float
    slow: str = ""
    slow_cycles: int = 0
    busy_ma: float | None = None
    idle_ma: float | None = None
    sleep_ma: float | None = None
    currents: str = ""

    def seconds(self, instructions: float, slow: float) -> Range:
        """How long so many instructions take, of which so many are slow operations."""
        return Range(
            instructions / self.hertz,
            self.nominal * instructions / self.hertz,
            (self.upper * instructions + self.slow_cycles * slow) / self.hertz,
        )


VOLTS = 3.3
CHIPS = {
    "esp32": Chip(
        "ESP32", "an LX6-compatible core", 240e6, 1.6, 2.4, "float divisions", 170, 68, 30, 0.8,
        "ESP32 Series Datasheet, Power Consumption by Power Modes: modem-sleep, 240 MHz, 30 to 68 mA; "
        "light sleep 0.8",
    ),
    "esp32s3": Chip(
        "ESP32-S3", "an LX6-compatible core, as no LX7 is emulated,", 240e6, 1.5, 2.0, "float divisions", 54,
    ),
    "esp32c3": Chip(
        "ESP32-C3", "an rv32imc core", 160e6, 1.35, 1.6, "integer divisions", 33, 28, 21, 0.13,
        "ESP32-C3 Series Datasheet, Current Consumption in Modem-sleep Mode: 160 MHz, 28 mA running, "
        "21 idle; light sleep 0.13",
    ),
    "esp32p4": Chip("ESP32-P4", "an rv32imafc core", 360e6, 1.2, 1.6),
    "nrf52840": Chip(
        "nRF52840", "a Cortex-M4F", 64e6, 1.65, 2.4, "divisions and roots", 12, 3.3, 3.3, None,
        "nRF52840 Product Specification, CPU running CoreMark from flash, DC/DC, 64 MHz, at 3 V: 3.3 mA; "
        "idle is taken as busy, as the currents of the PDM port and its oscillator were not at hand",
    ),
    "rp2040": Chip(
        "RP2040", "a Cortex-M3, from a Cortex-M0+'s code, as no M0+ with enough memory is emulated,",
        133e6, 1.35, 1.8,
    ),
    "rp2350": Chip(
        "RP2350", "a Cortex-M33F", 150e6, 1.5, 2.2, "divisions and roots", 12,
    ),
}  # fmt: skip
