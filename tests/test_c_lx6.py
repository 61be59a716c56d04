"""The extractor on the ESP32's own instruction set, Xtensa LX6 with its FPU: the same bits as on the host.

What a machine lacks of measure/toolchain.py's programs is skipped, saying so.
"""

import numpy as np
import pytest
import signals

from common.errors import UserError
from features import device, schema
from measure import firmware, toolchain


def test_choosing_bits_chooses_the_same_number():
    text = "  %3 = select i1 %2, float 0x3FC1EB8520000000, float 0.000000e+00, !prof !4\n"
    assert toolchain.choose_bits(text) == (
        f"  %bits.3 = select i1 %2, i32 {0x3E0F5C29}, i32 0\n  %3 = bitcast i32 %bits.3 to float, !prof !4\n"
    )
    kept = "  %3 = select i1 %2, float %1, float 0.000000e+00\n"
    assert toolchain.choose_bits(kept) == kept


def test_same_bits_on_the_esp32s_instruction_set(tmp_path):
    target = toolchain.TARGETS["esp32"]
    try:
        device.build()
        target.check()
    except UserError as error:
        pytest.skip(str(error))
    library = firmware.extractor_alone(tmp_path / "library")
    samples = np.concatenate([signals.voice(40000, glide=1, wobble=2), signals.noise(9000, 400)])
    built = firmware.build(target, library, tmp_path / "esp32")
    run = firmware.execute(built, [samples], count=False)
    assert run.stack <= 4096
    there = np.array(run.answers[0].features, np.uint32)
    here = device.extract(samples).view(np.uint32)
    assert [schema.COLUMNS[i] for i in np.flatnonzero(here != there)] == []
