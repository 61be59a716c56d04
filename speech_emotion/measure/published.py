"""Published cycles of programs with public sources, besides CoreMark's, and what is counted of them here.

They are those of wolfCrypt's benchmark, blocks of 1024 bytes, and of esp-dsp's, kernels in ANSI C: results
of GCC at a level that is said. `python -m speech_emotion.checks.calibration --wolfssl FOLDER --esp-dsp
FOLDER` counts them anew. Which factors they lead to: chips.py.

What is not the same: the sources are wolfSSL's 5.5.4, those of the results 4.4.1 (Cortex-M4), 5.5.4
(ESP32-C3) and 5.6.4 (ESP32); of esp-dsp's the version is not said. GCC is another version. On the ESP32 the
counts are LLVM's, whose kernels at -O2 lack the zero-overhead loops of GCC's. newlib-nano, with which the
Cortex-M4s' results are likely made, copies byte by byte what is copied by words here: up to 4 instructions
a byte of SHA-256's, none of ChaCha's and Poly1305's. So a ratio below 1 says that fewer instructions were
executed.

Left out, because the level is not said or more than the core differs: wolfCrypt on an STM32U585
(Cortex-M33, level not said; 1.4 to 3.6 cycles for an instruction at -Os), an STM32L562 (Cortex-M33 at 110
MHz, -Os; 3.3 to 4.9, so it seems without its cache), ESP-IDF's default of -Og (of which LLVM has no like),
and esp-dsp's 64-point transform. For the RP2040 and the RP2350 nothing but CoreMark was found.
"""

from dataclasses import dataclass

_STM32 = "https://github.com/wolfSSL/wolfssl (IDE/STM32Cube/STM32_Benchmarks.md)"
_ESPRESSIF = (
    "https://github.com/gojimmypi/wolfssl (IDE/Espressif/ESP-IDF/examples/wolfssl_benchmark/logs)"
)
_DSP = "https://github.com/espressif/esp-dsp (docs/esp_bm_results.csv"
_DSP_PAGE = "https://docs.espressif.com/projects/esp-dsp/en/latest/esp-dsp-benchmarks.html"
WOLFCRYPT = ("MD5", "RIPEMD", "SHA", "SHA256", "SHA512", "SHA3", "CHACHA", "POLY1305", "AES")
ESP_DSP = ("dotprod_f32", "dotprod_s16", "fir_f32", "biquad_f32", "fft2r_fc32", "fft2r_sc16")


@dataclass(frozen=True)
class Result:
    """Cycles of a program's call on a chip, compiled by GCC at a level; how: what else is known; source."""

    chip: str
    program: str
    cycles: float
    level: str
    how: str
    source: str

    @property
    def floats(self) -> bool:
        """Whether the program computes in floats; the others do in integers alone."""
        return self.program.endswith(("_f32", "_fc32"))


def _rates(chip, megahertz, unit, level, how, source, **rates):
    """wolfCrypt's, in so many units of bytes a second, as cycles of a block of 1024 bytes."""
    return tuple(
        Result(chip, program, 1024 * megahertz * 1e6 / (rate * unit), level, how, source)
        for program, rate in rates.items()
    )


def _kernels(chip, level, how, source, *cycles):
    """esp-dsp's, in ESP_DSP's order, None where there is none."""
    pairs = zip(ESP_DSP, cycles, strict=False)
    return tuple(Result(chip, name, c, level, how, source) for name, c in pairs if c is not None)


RESULTS = (
    *_rates(
        "nrf52840", 64, 1024, "-O3", "or an nRF52832, GCC 9.2, its cache, it seems, off",
        "https://github.com/dgarske/nRF52_SDK (examples/crypto/wolfcrypt)", SHA256=978.474,
    ),
    *_rates(
        "nrf52840", 64, 1024, "-Os", "another Cortex-M4: STM32WB55", _STM32,
        SHA256=984.252, AES=585.937, CHACHA=1.581 * 1024, POLY1305=4.693 * 1024,
    ),
    *_rates(
        "nrf52840", 80, 1024, "-Os", "another: STM32L4A6", _STM32,
        SHA256=1.123 * 1024, AES=620.040, CHACHA=2.010 * 1024, POLY1305=6.006 * 1024,
    ),
    *_rates(
        "nrf52840", 160, 1024, "-Os", "another: STM32F437", _STM32,
        SHA256=2.602 * 1024, AES=1.303 * 1024, CHACHA=4.158 * 1024, POLY1305=12.598 * 1024,
    ),
    *_rates(
        "esp32c3", 160, 1000, "-O2", "ESP-IDF 5.0, from flash", _ESPRESSIF,
        MD5=10905.6, RIPEMD=4411.155, SHA=5533.068, SHA256=2160.874, SHA512=1372.79, SHA3=900.88,
        AES=1754.121,
    ),
    *_rates(
        "esp32", 240, 1024, "-O2", "ESP-IDF 5.1, from flash", _ESPRESSIF,
        MD5=17632.368, RIPEMD=5894.106, SHA3=887.574,
    ),
    *_kernels(
        "esp32", "-Os", "", f"{_DSP}, commit 35106fb)", 4129, 6466, 5147785, 36895, 211252, 400853
    ),
    *_kernels(
        "esp32", "-O2", "", f"{_DSP}, commit 35106fb)", 1325, 3647, 2150685, 24613, 172664, 362193
    ),
    *_kernels(
        "esp32s3", "-Os", "", f"{_DSP}, commit 35106fb)", 3367, 5448, 3705034, 33828, 195230, 298166
    ),
    *_kernels(
        "esp32s3", "-O2", "", f"{_DSP}, commit 35106fb)", 1330, 3397, 1350673, 25644, 169738, 212708
    ),
    *_kernels(
        "esp32s3", "-Os", "earlier", f"{_DSP}, commit e96b11f)",
        3623, 5706, 4357756, 35055, 206017, 361732,
    ),
    *_kernels(
        "esp32s3", "-O2", "earlier", f"{_DSP}, commit e96b11f)",
        1501, 3396, 2012704, 24620, 171644, 327355,
    ),
    *_kernels("esp32p4", "-Os", "", _DSP_PAGE, 2336, 4170, 3050972),
    *_kernels("esp32p4", "-O2", "", _DSP_PAGE, 1563, 3385, 1606552),
)  # fmt: skip

COUNTED: dict[str, dict[str, dict[str, tuple[int, int]]]] = {
    "esp32": {
        "MD5": {"-O2": (13_090, 6)},
        "RIPEMD": {"-O2": (36_952, 14)},
        "SHA3": {"-O2": (142_328, 12)},
        "dotprod_f32": {"-Os": (2_062, 2), "-O2": (2_062, 2)},
        "dotprod_s16": {"-Os": (4_127, 5), "-O2": (4_129, 5)},
        "fir_f32": {"-Os": (2_122_752, 4), "-O2": (2_123_773, 5)},
        "biquad_f32": {"-Os": (24_590, 5), "-O2": (24_590, 4)},
        "fft2r_fc32": {"-Os": (134_223, 7), "-O2": (134_234, 7)},
        "fft2r_sc16": {"-Os": (215_182, 9), "-O2": (215_193, 8)},
    },
    "esp32c3": {
        "MD5": {"-O2": (13_843, 5)},
        "RIPEMD": {"-O2": (35_760, 14)},
        "SHA": {"-O2": (27_824, 10)},
        "SHA256": {"-O2": (79_899, 4)},
        "SHA512": {"-O2": (111_139, 20)},
        "SHA3": {"-O2": (177_450, 12)},
        "AES": {"-O2": (86_650, 14)},
    },
    "esp32p4": {
        "dotprod_f32": {"-Os": (2_574, 0), "-O2": (1_807, 0)},
        "dotprod_s16": {"-Os": (3_886, 0), "-O2": (3_106, 0)},
        "fir_f32": {"-Os": (3_176_463, 0), "-O2": (1_860_617, 0)},
    },
    "nrf52840": {
        "SHA256": {"-Os": (42_909, 1_177), "-O3": (37_437, 1_055)},
        "AES": {"-Os": (49_504, 21_032)},
        "CHACHA": {"-Os": (24_735, 7)},
        "POLY1305": {"-Os": (7_494, 5)},
    },
}
"""By target, program and level: instructions of a call, and how often it would wait for the flash behind the
chip's cache (chips.Cache); counted here."""
