#include "ser_gate.h"

#include "ser_slots.h"

#include <string.h>

void ser_gate_reset(ser_gate *gate)
{
    memset(gate, 0, sizeof *gate);
}

void ser_gate_level(ser_gate *gate, int64_t energy)
{
    uint8_t step = 0;
    while (step < SER_STEPS && energy >= ser_step_energies[step]) {
        step++;
    }
    /* A louder frame closes the gate for the quietest banks: they serve the new steps. */
    while (gate->top < step) {
        gate->top++;
        ser_bank_clear(&gate->banks[gate->top % SER_BANKS]);
    }
    gate->steps[gate->frames % SER_GATE_HISTORY] = step;
    gate->frames++;
}

int ser_gate_is_speech(const ser_gate *gate, uint32_t frame)
{
    const int step = gate->steps[frame % SER_GATE_HISTORY];
    return step > 0 && step + SER_GATE_STEPS >= gate->top;
}

void ser_gate_add(ser_gate *gate, ser_part part, uint32_t frame, const int32_t *values)
{
    if (ser_gate_is_speech(gate, frame)) {
        ser_test_part(part, values);
        const int step = gate->steps[frame % SER_GATE_HISTORY];
        ser_bank_add(&gate->banks[step % SER_BANKS], part, frame, values);
    }
}

int ser_gate_banks(const ser_gate *gate, const ser_bank **banks)
{
    int count = 0;
    for (int step = gate->top; step > 0 && step + SER_GATE_STEPS >= gate->top; step--) {
        banks[count++] = &gate->banks[step % SER_BANKS];
    }
    return count;
}
