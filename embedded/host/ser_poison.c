/* Test builds (-DSER_TEST_POISON): slots and columns are filled with a NaN that no arithmetic makes, and the
   program stops at the first that a stage has left as it was, and says which. */
#ifndef SER_TEST_POISON
#error "only for test builds: -DSER_TEST_POISON"
#endif
#define SER_SLOT_NAMES
#include "ser_extractor.h"
#include "ser_slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t POISON = 0x7fc5e7a1u;

void ser_test_poison(void *slots, int count)
{
    for (int i = 0; i < count; i++) {
        memcpy((uint32_t *)slots + i, &POISON, sizeof POISON);
    }
}

static void find_poison(const void *slots, int count, const char *what, const char *const *names)
{
    for (int i = 0; i < count; i++) {
        if (memcmp((const uint32_t *)slots + i, &POISON, sizeof POISON) == 0) {
            fprintf(stderr, "%s %s: never written\n", what, names[i]);
            abort();
        }
    }
}

void ser_test_part(ser_part part, const int32_t *values)
{
#define COUNT(NAME, name) SER_##NAME##_VALUES,
#define WHAT(NAME, name) "slot " #name,
#define NAMES(NAME, name) ser_##name##_names,
    static const int counts[SER_PARTS] = {SER_EACH_PART(COUNT)};
    static const char *const whats[SER_PARTS] = {SER_EACH_PART(WHAT)};
    static const char *const *const names[SER_PARTS] = {SER_EACH_PART(NAMES)};
    find_poison(values, counts[part], whats[part], names[part]);
}

void ser_test_columns(const float *features)
{
    find_poison(features, SER_FEATURES, "column", ser_column_names);
}
