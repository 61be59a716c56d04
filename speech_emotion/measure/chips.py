"""What is known of the chips: clock, cycles per instruction, currents; and how counts become estimates.

QEMU models neither pipeline nor cache nor flash, so a count becomes a range: 1, nominal and upper cycles
per instruction. They are calibrated on published results of CoreMark (COREMARKS, with their addresses),
whose sources `python -m speech_emotion.checks.calibration` compiles and counts as this project does its own.
Only results of GCC are used, as far as is said: the official 3.40 CoreMark a megahertz of a Cortex-M4 and
4.02 of an M33 (https://www.nxp.com/docs/en/application-note/AN12284.pdf; of which compiler, it does not say)
are 1.01 and 0.85 cycles for an instruction of ours, where GCC's 2.55 and 2.00 to 2.60 are more: it executes
other instructions. The GCC is an older or newer one than Debian's 12.2 unless said. For the ESP32 the counts
are LLVM's, whose iteration at -O3 has 317,041 instructions where GCC 12.2's has 263,009 (counted earlier, not
by the check); its factors are for LLVM's counts.

Nominal. This project and Arduino compile with -Os; where a result of -Os is published, it decides: ESP32
1.86, other Cortex-M4s 1.69 and 1.72 (the nRF52840's own, at -O3, is 1.35), RP2350 1.51. The ESP32-S3 has
one of -O3 only, 1.23 to the ESP32's 1.50: in that proportion 1.53. The RP2040's contradict each other, 1.20
at -Os (as many cycles as at -O3) and 1.42 and 1.47 at -O3: 1.4. ESP32-C3, 1.32, and ESP32-P4, 1.16, have
none of -Os; loops in single precision took a C3 1.15 to 1.49 (https://github.com/tana/pico_float_bench), and
Espressif's benchmarks of esp-dsp (docs.espressif.com) a P4 1.00 to 1.51: counted for an earlier version of
this file, and taken over from there.

Upper. The worst of anything published: ESP32 2.3 (from the same two sources), and the ESP32-S3 in its
proportion; C3 1.49, P4 1.51; RP2040 2.15, CoreMark. Why that took 1.6 to 1.8 times the cycles of other
runs is not known: neither level nor clock is said, and at 125 MHz instead of 133 it would be 2.02. For the
nRF52840 and the RP2350 nothing so bad is published, and they get the RP2040's allowance, 1.54 times the
nominal, for flash and caches: this program is larger than the nRF52840's cache of 2 KB, and the RP2350 runs
from serial flash by way of a cache of 16 KB, as the RP2040 does (sizes from memory). That allowance is a
judgement: of one source from RAM and from flash there is one pair, CoreMark on an RP2040, 1.42 and 1.47.

Beside the factors: division of floats is software in the ESP32's ROM, about 170 cycles
(https://github.com/wled/WLED/issues/4206: 1.42 million a second at 240 MHz), and takes the ESP32-S3 54 (4.47
million); an integer division takes the ESP32-C3 35 cycles (the same issue); a division or root takes Arm's
cores at most 14, written down from memory of the Cortex-M4's manual.
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


@dataclass(frozen=True)
class CoreMark:
    """A published result: iterations a second (score) of one core of a chip, at so many megahertz, compiled
    by GCC at a level; how: what else is known of it; source: where it is published."""

    chip: str
    score: float
    megahertz: float
    level: str
    how: str
    source: str

    @property
    def cycles(self) -> float:
        """Of an iteration."""
        return self.megahertz * 1e6 / self.score


_DATASHEET = (
    "Espressif's datasheet, as repositories quote it; the datasheet itself was out of reach"
)
_TABLE = "https://github.com/FrankBoesing/CoreMark (README.md)"
_ARDUINO = "https://github.com/PaulStoffregen/CoreMark"
COREMARKS = (
    CoreMark("esp32", 504.85, 240, "-O3", "level not said", _DATASHEET),
    CoreMark("esp32", 494.6, 240, "-O3", "GCC 8.4", "https://github.com/ochrin/coremark (README.md)"),
    CoreMark("esp32", 519.75, 240, "-O3", "", _TABLE),
    CoreMark("esp32", 351.33, 240, "-Os", "level not said: Arduino's", f"{_ARDUINO} (README.md)"),
    CoreMark("esp32s3", 613.86, 240, "-O3", "level not said", _DATASHEET),
    CoreMark(
        "esp32c3", 409.25, 160, "-O3", "GCC 12.2, from RAM",
        "https://components.espressif.com/components/espressif/coremark/versions/1.1.0~2/examples/coremark_example",
    ),
    CoreMark("esp32c3", 409.72, 160, "-O3", "", _TABLE),
    CoreMark("esp32p4", 1048.99, 360, "-O3", "", _TABLE),
    CoreMark(
        "nrf52840", 163.345, 64, "-O3", "GCC 12.2, Zephyr, from flash",
        "https://github.com/nrfconnect/sdk-nrf (samples/benchmarks/coremark/README.rst)",
    ),
    CoreMark("nrf52840", 126.76, 72, "-Os", "another Cortex-M4: Teensy 3.2", f"{_ARDUINO} (README.md)"),
    CoreMark("nrf52840", 214.85, 120, "-Os", "another: Metro M4", f"{_ARDUINO} (README.md)"),
    CoreMark("rp2040", 227.96, 125, "-Os", "GCC 10.3, arduino-pico, flash", f"{_ARDUINO}/pull/15"),
    CoreMark("rp2040", 457.21, 250, "-O3", "GCC 10.3, the same", f"{_ARDUINO}/pull/15"),
    CoreMark(
        "rp2040", 236.65, 125, "-O3", "GCC 11.2, from RAM",
        "https://github.com/KafCoppelia/pico-coremark (README.md)",
    ),
    CoreMark("rp2040", 153.76, 133, "-Os", "GCC 7.2, level and clock not said", f"{_ARDUINO}/issues/13"),
    CoreMark("rp2040", 135.70, 133, "-Os", "nothing said", f"{_ARDUINO}/issues/13"),
    CoreMark("rp2350", 300, 150, "-Os", "about; level not said: arduino-pico's", f"{_ARDUINO}/pull/17"),
    CoreMark("rp2350", 520.5, 200, "-O3", "half of two cores'", _TABLE),
)  # fmt: skip
COUNTED = {
    "esp32": {"-Os": 367_021, "-O3": 317_041},
    "esp32c3": {"-Os": 346_327, "-O3": 295_196},
    "esp32p4": {"-Os": 346_327, "-O3": 295_196},
    "nrf52840": {"-Os": 330_201, "-O3": 291_034},
    "rp2040": {"-Os": 455_502, "-O3": 371_167},
    "rp2350": {"-Os": 330_201, "-O3": 291_070},
}
"""Instructions of an iteration of CoreMark by level, counted here: checks/calibration.py counts them anew."""

VOLTS = 3.3
CHIPS = {
    "esp32": Chip(
        "ESP32", "an LX6-compatible core", 240e6, 1.85, 2.4, "float divisions", 170, 68, 30, 0.8,
        "ESP32 Series Datasheet, Power Consumption by Power Modes: modem-sleep, 240 MHz, 30 to 68 mA; "
        "light sleep 0.8",
    ),
    "esp32s3": Chip(
        "ESP32-S3", "an LX6-compatible core, as no LX7 is emulated,", 240e6, 1.55, 2.0, "float divisions", 54,
        65.9, 47.6, None,
        "ESP32-S3 Series Datasheet 2.2, table 5-9 (as a repository quotes it): modem-sleep, 240 MHz, "
        "peripherals' clocks on: one core running 65.9 mA, both idle 47.6",
    ),
    "esp32c3": Chip(
        "ESP32-C3", "an rv32imc core", 160e6, 1.35, 1.6, "integer divisions", 33, 28, 21, 0.13,
        "ESP32-C3 Series Datasheet, Current Consumption in Modem-sleep Mode: 160 MHz, 28 mA running, "
        "21 idle; light sleep 0.13",
    ),
    "esp32p4": Chip("ESP32-P4", "an rv32imafc core", 360e6, 1.2, 1.6, "", 0, 92, 65, 0.2,
        "ESP32-P4 datasheet, tables 5-7 and 5-8 (as a repository quotes them): 360 MHz, peripherals' clocks "
        "on: CoreMark on one core 92 mA, both idle 65; light sleep 0.2",
    ),
    "nrf52840": Chip(
        "nRF52840", "a Cortex-M4F", 64e6, 1.7, 2.6, "divisions and roots", 12, 3.3, 3.3, None,
        "the CPU at 64 MHz, 3.3 mA, as https://github.com/BerkeleyHCI/PolymorphicBlocks "
        "(edg/parts/Microcontroller_nRF52840.py) has it from the Product Specification, whose page was out "
        "of reach; idle is taken as busy, as the currents of the PDM port and its oscillator were not found",
    ),
    "rp2040": Chip(
        "RP2040", "a Cortex-M3, from a Cortex-M0+'s code, as no M0+ with enough memory is emulated,",
        133e6, 1.4, 2.2,
    ),
    "rp2350": Chip(
        "RP2350", "a Cortex-M33F", 150e6, 1.5, 2.3, "divisions and roots", 12,
    ),
}  # fmt: skip
