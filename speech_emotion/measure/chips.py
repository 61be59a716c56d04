"""What is known of the chips: clock, cycles per instruction, flash, currents; how counts become estimates.

QEMU models neither pipeline nor cache nor flash, so a count becomes a range: 1, nominal and upper cycles
per instruction, and apart from it what waiting for the flash may add. They are calibrated on published
results of programs whose sources `python -m speech_emotion.checks.calibration` compiles and counts as this
project does its own: CoreMark (COREMARKS), wolfCrypt's and esp-dsp's (published.py), with their addresses.
Only results of GCC are used, as far as is said: the official 3.40 CoreMark a megahertz of a Cortex-M4 and
4.02 of an M33 (https://www.nxp.com/docs/en/application-note/AN12284.pdf; of which compiler, it does not
say) are 1.01 and 0.85 cycles for an instruction of ours, where GCC's 2.55 and 2.00 to 2.60 are more: it
executes other instructions. The GCC is an older or newer one than Debian's 12.2 unless said. For the ESP32
the counts are LLVM's, whose iteration at -O3 has 317,041 instructions where GCC 12.2's has 263,009 (counted
earlier, not by the check); its factors are for LLVM's counts. Of this library GCC 12.2, built for that core
from Debian's sources, made 2 % more instructions in a hop (171,499 for 168,130), 6 % more in an answer
(369,000 for 347,000), 7 KB less code and the same bits (default model, three clips; not by a check).

One rule gives the factors of all chips:

Nominal: the median of the results of -Os, as this project and Arduino compile, or CoreMark's if that is
more (its median, of -Os or else of all levels); to the nearest twentieth. A Cortex-M4 in other chips counts
for the nRF52840. Of the RP2040's, two that say neither level nor clock are left out.

Upper: the most of any published result, and a twentieth more for other compilers, rounded up to a tenth; a
Cortex-M4's counts for the RP2350's M33, for which there is CoreMark alone.

Integers: the same two of programs that compute in integers, for calls of whose instructions at most
FEW_FLOATS compute floats: those are counted, call by call (Target.floats). They differ for the ESP32 and the
ESP32-S3, whose highest results are loops of a few float products each, one in eight instructions. A hop
computes in integers, but for a hundred or two of more than 100,000 instructions where one voiced stretch
follows another; of an answer's 6 in 100 compute floats. That a hop is nearer to those programs than to these
loops was looked at in another way, too (not by a check): dot product and filter in floats jump back after
every 8 instructions, and take 2.0 and 2.4 cycles for each; a hop jumps after 20 (7,097 jumps in 142,345
instructions, LLVM's, three clips).

If it waits. The published programs are small and stay in the caches, where this library, with about 120 KB
of code, tables and model, does not. So a third estimate is the upper one and `cache.cycles` for each miss
that the program itself has on a model of the chip's cache. It stands apart: what a miss costs is bounded by
a published program for the nRF52840 alone (wolfCrypt's AES, which reads its tables from flash, takes
Cortex-M4s 1.5 to 2.7 cycles an instruction, and is held against factor and waits together), and in the
worst published results some waiting may be contained already, such as the RP2040's.

| | nominal of | upper of |
|---|---|---|
| ESP32 | 1.86 (7 results of -Os, 1.50 to 2.42) | 2.42, a filter at -Os |
| ESP32, in integers | 1.86 (3 of -Os, 1.57 to 1.86) | 1.90, SHA-3 at -O2 |
| ESP32-S3 | 1.50 (12 of -Os, 1.32 to 2.05) | 2.05, the filter, an earlier version |
| ESP32-S3, in integers | 1.38 (4 of -Os, 1.32 to 1.68) | 1.68, a transform, an earlier version |
| ESP32-C3 | 1.32, CoreMark at -O3 | 1.49, loops in single precision, which it computes in integers |
| ESP32-P4 | 1.16, CoreMark at -O3 (3 kernels of -Os: 0.91 to 1.07) | 1.51, of esp-dsp, earlier |
| nRF52840 | 1.71, CoreMark at -Os (its own, at -O3, 1.35) | 1.78, Poly1305 at -Os |
| RP2040 | 1.42, CoreMark | 2.15, CoreMark |
| RP2350 | 1.51, CoreMark | 1.78, the Cortex-M4's |

The C3's 1.49 (https://github.com/tana/pico_float_bench) and the P4's 1.51 (Espressif's benchmarks of
esp-dsp) were counted for an earlier version of this file, and taken over from there. Why the RP2040's 2.15
is 1.6 to 1.8 times other runs is not known: neither level nor clock is said, and at 125 MHz instead of 133
it would be 2.02.

What the model of a cache leaves out: nothing is read ahead, the line that was used longest ago is replaced
(streaming through more than the cache holds then misses always; a line replaced at random makes 4 to 11 %
fewer misses in a hop, and 4 to 28 % more in an answer), and interrupts and radios displace nothing. What
the waits cost is published for the RP2040 and the RP2350; for the ESP32, -S3 and -C3 computed
from the bus, at Arduino's default of 80 MHz over four wires (at 40 MHz over two, PlatformIO's default for
some boards, it is about four times as much); for the nRF52840 bounded by AES, its cache being on: it is off
after a reset, and what starts the program must switch it on (NRF_NVMC->ICACHECNF, as Zephyr does; code up
to 1.2 times as fast, https://github.com/zephyrproject-rtos/zephyr/pull/7970,
https://github.com/ariel-os/ariel-os/pull/1163). The ESP32-P4 has a second cache, larger than this program,
and nothing is added. A program that is copied to RAM waits for no flash.

Beside the factors: division of floats is software in the ESP32's ROM, about 170 cycles
(https://github.com/wled/WLED/issues/4206: 1.42 million a second at 240 MHz), and takes the ESP32-S3 54
(4.47 million); an integer division takes the ESP32-C3 35 cycles (the same issue); a division or root takes
Arm's cores at most 14, written down from memory of the Cortex-M4's manual.
"""

import math
from dataclasses import dataclass

FEW_FLOATS = 0.01
"""Of a call's instructions: up to this it is estimated as code in integers is. Eight instructions to a float,
as in those loops, would make 2 % more of it."""


@dataclass(frozen=True)
class Range:
    """An estimate: from the best case to the worst."""

    lower: float
    nominal: float
    upper: float

    def times(self, factor: float) -> "Range":
        return Range(self.lower * factor, self.nominal * factor, self.upper * factor)


@dataclass(frozen=True)
class Cache:
    """Between a core and the flash that its program is in: size, ways and line of a cache, in bytes; data:
    whether constants are read through it as code is, or always from the flash; cycles: what a miss, or such
    a reading, makes the core wait; source: of these."""

    size: int
    ways: int
    line: int
    data: bool
    cycles: float
    source: str


@dataclass(frozen=True)
class Chip:
    """name; core: what runs the program in QEMU; hertz; cycles per instruction, nominal and upper, the lower
    being 1; slow: operations (Target.slow) of which each adds slow_cycles to the upper estimate, as does each
    miss of the cache; integers: the two factors of code that computes hardly any floats, if known apart;
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
    cache: Cache | None = None
    integers: tuple[float, float] | None = None

    def seconds(
        self, instructions: float, slow: float, misses: float = 0, *, floats: float = math.inf
    ) -> Range:
        """How long so many instructions take, of which so many are slow operations, with so many misses of
        the cache. floats: how many of them compute floats."""
        waits = 0 if self.cache is None else self.cache.cycles * misses
        nominal, upper = self.factors(floats > FEW_FLOATS * instructions)
        return Range(
            instructions / self.hertz,
            nominal * instructions / self.hertz,
            (upper * instructions + self.slow_cycles * slow + waits) / self.hertz,
        )

    def factors(self, floats: bool) -> tuple[float, float]:
        """Cycles per instruction, nominal and upper, of code that computes floats, or hardly any."""
        if floats or self.integers is None:
            return self.nominal, self.upper
        return self.integers


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

_FOUR_WIRES = (
    "computed: a line of 32 bytes over four wires at 80 MHz (Arduino's default) takes 0.80 us, and 0.33 us "
    "before it, measured on an ESP32-S3 (https://github.com/project-x51/esp32-s3-memorycopy/issues/2, of its "
    "PSRAM); the cache's size and ways from memory of Espressif's manuals"
)
_SLOW_LINES = (
    "3 is above what wolfCrypt's AES, which reads its tables from flash, makes of it on three other "
    "Cortex-M4s (published.py); 2 KB for code alone; how it is divided is not published: the worst tried"
)
_RP2040 = (
    "16 KB, two ways: the RP2040's datasheet, 2.5.3.1; filled by 4 bytes: "
    "https://github.com/raspberrypi/pico-feedback/issues/307; 20 cycles of the flash at half of the core's "
    "clock for 4 bytes: https://github.com/Klipper3d/klipper/pull/6464"
)
_RP2350 = (
    "16 KB: https://oberon-rtk.org/description/flash-memory; two ways: pico-sdk's register "
    "SPLIT_WAYS; 28 cycles of the flash at a third of the core's clock for 8 bytes, as the boot ROM leaves "
    "it: gmx in Raspberry Pi's forum, https://raspberry4339.rssing.com/chan-78304018/article7628.html"
)
VOLTS = 3.3
CHIPS = {
    "esp32": Chip(
        "ESP32", "an LX6-compatible core", 240e6, 1.85, 2.5, "float divisions", 170, 68, 30, 0.8,
        "ESP32 Series Datasheet, Power Consumption by Power Modes: modem-sleep, 240 MHz, 30 to 68 mA; "
        "light sleep 0.8", cache=Cache(32 << 10, 2, 32, True, 270, _FOUR_WIRES), integers=(1.85, 2.0),
    ),
    "esp32s3": Chip(
        "ESP32-S3", "an LX6-compatible core, as no LX7 is emulated,", 240e6, 1.5, 2.2, "float divisions", 54,
        65.9, 47.6, None,
        "ESP32-S3 Series Datasheet 2.2, table 5-9 (as a repository quotes it): modem-sleep, 240 MHz, "
        "peripherals' clocks on: one core running 65.9 mA, both idle 47.6",
        cache=Cache(32 << 10, 8, 32, True, 270, _FOUR_WIRES + "; its two, for code and data, as one"),
        integers=(1.4, 1.8),
    ),
    "esp32c3": Chip(
        "ESP32-C3", "an rv32imc core", 160e6, 1.3, 1.6, "integer divisions", 33, 28, 21, 0.13,
        "ESP32-C3 Series Datasheet, Current Consumption in Modem-sleep Mode: 160 MHz, 28 mA running, "
        "21 idle; light sleep 0.13", cache=Cache(16 << 10, 8, 32, True, 180, _FOUR_WIRES),
    ),
    "esp32p4": Chip("ESP32-P4", "an rv32imafc core", 360e6, 1.15, 1.6, "", 0, 92, 65, 0.2,
        "ESP32-P4 datasheet, tables 5-7 and 5-8 (as a repository quotes them): 360 MHz, peripherals' clocks "
        "on: CoreMark on one core 92 mA, both idle 65; light sleep 0.2",
    ),
    "nrf52840": Chip(
        "nRF52840", "a Cortex-M4F", 64e6, 1.7, 1.9, "divisions and roots", 12, 3.3, 3.3, None,
        "the CPU at 64 MHz, 3.3 mA, as https://github.com/BerkeleyHCI/PolymorphicBlocks "
        "(edg/parts/Microcontroller_nRF52840.py) has it from the Product Specification, whose page was out "
        "of reach; idle is taken as busy, as the currents of the PDM port and its oscillator were not found",
        cache=Cache(2 << 10, 1, 8, False, 3, _SLOW_LINES),
    ),
    "rp2040": Chip(
        "RP2040", "a Cortex-M3, from a Cortex-M0+'s code, as no M0+ with enough memory is emulated,",
        133e6, 1.4, 2.3, cache=Cache(16 << 10, 2, 4, True, 40, _RP2040),
    ),
    "rp2350": Chip(
        "RP2350", "a Cortex-M33F", 150e6, 1.5, 1.9, "divisions and roots", 12,
        cache=Cache(16 << 10, 2, 8, True, 84, _RP2350),
    ),
}  # fmt: skip
