"""What is known of the chips: clock, cycles per instruction, currents; and how counts become estimates.

QEMU models neither pipeline nor cache nor flash, so a count becomes a range. The factors are calibrated on
published cycles of the same sources: CoreMark, Espressif's esp-dsp benchmarks, single-precision benchmarks.
Division of floats is software in the ESP32's ROM, about 170 cycles (WLED issue 4206: 1.42 million a second at
240 MHz); an integer division takes the ESP32-C3 35 cycles (the same issue).
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
    being 1; slow: operations (Target.slow) of which each adds slow_cycles to the upper estimate; milliamperes
    busy and idle at 3.3 V, radio off, or None where no datasheet was at hand, and the source of these."""

    name: str
    core: str
    hertz: float
    nominal: float
    upper: float
    slow: str = ""
    slow_cycles: int = 0
    busy_ma: float | None = None
    idle_ma: float | None = None
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
        "ESP32", "an LX6-compatible core", 240e6, 1.6, 2.4, "float divisions", 170, 68, 30,
        "ESP32 Series Datasheet, Power Consumption by Power Modes: modem-sleep, 240 MHz, 30 to 68 mA",
    ),
    "esp32c3": Chip(
        "ESP32-C3", "an rv32imc core", 160e6, 1.35, 1.6, "integer divisions", 33, 28, 21,
        "ESP32-C3 Series Datasheet, Current Consumption in Modem-sleep Mode: 160 MHz, 28 mA running, 21 idle",
    ),
    "esp32p4": Chip("ESP32-P4", "an rv32imafc core", 360e6, 1.2, 1.6),
}  # fmt: skip
