#include "ser_bank.h"

#include "ser_in_ram.h"
#include "ser_math.h"
#include "ser_wide.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if SER_COUNT_CORRELATION != SER_PAIRS
#error "the schema's correlation group has other columns than are written here"
#endif
#if SER_COUNT_RELATIVE != SER_MELS
#error "the schema's relative group has other columns than are written here"
#endif

typedef struct {
    uint16_t full, fulls, spread, spreads; /* first and how many of each kind */
    uint8_t times;                         /* where those of its frames are, SER_TIMED_PARTS if nowhere */
    const ser_descriptor *descriptors;
} ser_layout;

/* Where the kinds of each part begin: an enumerator is one more than the one before it. */
#define FIRST_FULL(NAME, name) FIRST_FULL_##NAME, LAST_FULL_##NAME = FIRST_FULL_##NAME + SER_##NAME##_FULLS - 1,
#define FIRST_SPREAD(NAME, name) \
    FIRST_SPREAD_##NAME, LAST_SPREAD_##NAME = FIRST_SPREAD_##NAME + SER_##NAME##_VALUES - SER_##NAME##_FULLS - 1,
enum { SER_EACH_PART(FIRST_FULL) ALL_FULLS };
enum { SER_EACH_PART(FIRST_SPREAD) ALL_SPREADS };
typedef char ser_all_parts_have_their_place[(int)ALL_FULLS == (int)SER_FULLS && (int)ALL_SPREADS == (int)SER_SPREADS ? 1 : -1];

#define LAYOUT(NAME, name) \
    {FIRST_FULL_##NAME, SER_##NAME##_FULLS, FIRST_SPREAD_##NAME, SER_##NAME##_VALUES - SER_##NAME##_FULLS, \
     SER_TIMES_##NAME, ser_##name##_descriptors},

static const ser_layout SER_TABLE_IN_RAM(layouts)[SER_PARTS] = {SER_EACH_PART(LAYOUT)};

/* The sums of a part without frames hold anything. */
void ser_bank_clear(ser_bank *bank)
{
    memset(bank->frames, 0, sizeof bank->frames);
}

static void clear_sums(ser_bank *bank, ser_layout layout, ser_part part)
{
    ser_clear_words(bank->full + layout.full, layout.fulls * sizeof *bank->full);
    ser_clear_words(bank->spread + layout.spread, layout.spreads * sizeof *bank->spread);
    memset(bank->above + layout.spread, 0, layout.spreads * sizeof *bank->above);
    if (layout.times < SER_TIMED_PARTS) {
        ser_clear_words(&bank->times[layout.times], sizeof *bank->times);
    }
#if SER_WITH_CORRELATION
    if (part == SER_PART_FRAME) {
        ser_clear_words(bank->products, sizeof bank->products);
    }
#endif
    (void)part;
}

/* How far from the middle is as far as it goes: of descriptors with all functionals, of the others, which lose DOWN bits. */
enum { FAR = (1 << 22) - 1, DOWN = 3, SPREAD_FAR = 208700 };
#define MOST_FRAMES (UINT32_C(4233600) * 100) /* 49 days */
typedef char ser_squares_fit_64_bits[(uint64_t)SPREAD_FAR * SPREAD_FAR <= UINT64_MAX / MOST_FRAMES ? 1 : -1];

SER_INLINE int32_t clipped(int32_t x, int32_t far)
{
    return x > far ? far : x < -far ? -far : x;
}

/* What a value counts as where mean and standard deviation are all that is asked. */
SER_INLINE int32_t coarse_of(int32_t value, int32_t middle)
{
    return clipped((value - middle + (1 << (DOWN - 1))) >> DOWN, SPREAD_FAR);
}

/* With its sign, as 64 bits. */
SER_INLINE uint64_t extended(int32_t x)
{
    return (uint64_t)(int64_t)x;
}

/* Where there is no carry: sizes are added or taken, by words, and what the words of most numbers are not reached by is jumped over. */
#if defined(__XTENSA__) || defined(SER_TEST_NARROW_PRODUCTS)
#define BY_WORDS 1
#else
#define BY_WORDS 0
#endif

/* Adds a number of 23 bits, its powers, and its product with the frame's number. */
#if BY_WORDS
SER_INLINE void add_full(ser_full_sums *full, int32_t x, uint32_t frame)
{
    const uint32_t size = ser_size(x);
    const uint32_t low = size * size, high = ser_umulh(size, size); /* below 2^44 */
    uint32_t second = ser_umulh(low, size), third = 0;
    ser_add_3(full->squares, low, high, 0);
    if (high != 0) {
        const uint32_t more = high * size;
        third = ser_umulh(high, size);
        if (ser_add_word(&second, more)) {
            (void)ser_carry_into(&third);
        }
    }
    if (x < 0) {
        const uint32_t sum = full->sum[0];
        uint32_t rest = sum - size;
        SER_AS_IT_IS(rest);
        full->sum[0] = rest;
        if (sum < size) {
            full->sum[1]--;
        }
        ser_take_3(full->cubes, low * size, second, third);
        ser_take_3(full->time, frame * size, ser_umulh(frame, size), 0);
    } else {
        if (ser_add_word(full->sum, size)) {
            full->sum[1]++;
        }
        ser_add_3(full->cubes, low * size, second, third);
        ser_add_3(full->time, frame * size, ser_umulh(frame, size), 0);
    }
#if SER_WITH_KURTOSIS
    second = ser_umulh(low, low);
    third = 0;
    if (high != 0) { /* and 2^33 low high + 2^64 high^2 */
        const uint32_t more = low * (2 * high);
        third = high * high + ser_umulh(low, 2 * high);
        if (ser_add_word(&second, more)) {
            (void)ser_carry_into(&third);
        }
    }
    /* third is below 2^25 */
    if (ser_add_word(full->fourths, low * low) && ser_carry_into(&second)) {
        (void)ser_carry_into(&third);
    }
    if (ser_add_word(full->fourths + 1, second)) {
        (void)ser_carry_into(&third);
    }
    if (ser_add_word(full->fourths + 2, third)) {
        full->fourths[3]++;
    }
#endif
}
#else
SER_INLINE void add_full(ser_full_sums *full, int32_t x, uint32_t frame)
{
    const uint32_t sign = x < 0 ? UINT32_MAX : 0;
    const uint64_t signs = (uint64_t)sign << 32 | sign;
    const uint32_t size = ((uint32_t)x ^ sign) - sign;
    const uint64_t square = (uint64_t)size * size;
    const uint32_t low = (uint32_t)square;
    const uint32_t high = (uint32_t)(square >> 32);
    const uint64_t cube_low = (uint64_t)low * size;                               /* and 2^32 times */
    const uint64_t cube_high = (cube_low >> 32) + (uint64_t)high * size;          /* all below 2^66 */
    const uint64_t cube = cube_high << 32 | (uint32_t)cube_low;
    const uint64_t moment = (uint64_t)frame * size;
    ser_add_64(full->sum, extended(x));
    ser_add_96(full->squares, square, 0);
    ser_add_96(full->cubes, (cube ^ signs) - signs, ((uint32_t)(cube_high >> 32) ^ sign) + (cube == 0 ? sign & 1U : 0));
    ser_add_96(full->time, (moment ^ signs) - signs, moment > 0 ? sign : 0);
#if SER_WITH_KURTOSIS
    const uint64_t fourth_low = (uint64_t)low * low;
    const uint64_t fourth_high = (fourth_low >> 32) + ((uint64_t)low * high << 1); /* and 2^64 high^2 */
    ser_add_128(full->fourths, fourth_high << 32 | (uint32_t)fourth_low, (fourth_high >> 32) + (uint64_t)high * high);
#endif
}
#endif

SER_INLINE void add_time(ser_times *times, uint32_t frame)
{
    ser_add_64(times->sum, frame);
    ser_add_96(times->squares, (uint64_t)frame * frame, 0);
}

/* A value of a frame, the first or a later one. */
SER_INLINE void add_value(ser_full_sums *full, int32_t value, int32_t middle, uint32_t frame, int first)
{
    add_full(full, clipped(value - middle, FAR), frame);
    if (first || value < full->low) {
        full->low = value;
    }
    if (first || value > full->high) {
        full->high = value;
    }
}

SER_INLINE int64_t as_64(const uint32_t *words)
{
    return (int64_t)((uint64_t)words[1] << 32 | words[0]);
}

#if SER_WITH_CORRELATION
SER_IN_RAM static void add_pairs(ser_bank *bank, const int32_t *values)
{
    int32_t x[SER_CORRELATED_MFCCS];
    uint32_t (*product)[3] = bank->products;
    for (int i = 0; i < SER_CORRELATED_MFCCS; i++) {
        x[i] = clipped(values[SER_FRAME_MFCC_01 + i] - ser_frame_descriptors[SER_FRAME_MFCC_01 + i].middle, FAR);
    }
    for (int a = 0; a < SER_CORRELATED_MFCCS; a++) {
        for (int b = a + 1; b < SER_CORRELATED_MFCCS; b++) {
            const int64_t y = (int64_t)x[a] * x[b];
#if BY_WORDS
            ser_add_3(*product++, (uint32_t)y, (uint32_t)((uint64_t)y >> 32), y < 0 ? UINT32_MAX : 0);
#else
            ser_add_96(*product++, (uint64_t)y, y < 0 ? UINT32_MAX : 0);
#endif
        }
    }
}
#endif

SER_IN_RAM void ser_bank_add(ser_bank *bank, ser_part part, uint32_t frame, const int32_t *values)
{
    const ser_layout layout = layouts[part];
    const ser_descriptor *descriptor = layout.descriptors;
    const int first = bank->frames[part] == 0;
    if (bank->frames[part] == MOST_FRAMES) {
        return;
    }
    if (first) {
        clear_sums(bank, layout, part);
    }
    bank->frames[part]++;
    if (layout.times < SER_TIMED_PARTS) {
        add_time(&bank->times[layout.times], frame);
    }

#if SER_WITH_CORRELATION
    if (part == SER_PART_FRAME) {
        add_pairs(bank, values);
    }
#endif
    ser_full_sums *full = bank->full + layout.full;
    for (int i = 0; i < layout.fulls; i++, full++, descriptor++) {
        SER_AS_IT_IS(full);
        SER_AS_IT_IS(descriptor);
        add_value(full, *values++, descriptor->middle, frame, first);
    }
    ser_spread_sums *spread = bank->spread + layout.spread;
    uint16_t *above = bank->above + layout.spread;
    for (int i = 0; i < layout.spreads; i++, spread++, above++, descriptor++) {
        SER_AS_IT_IS(spread);
        SER_AS_IT_IS(descriptor);
        const int32_t x = coarse_of(*values++, descriptor->middle);
#if BY_WORDS
        const uint32_t before = spread->sum;
        uint32_t sum = before + (uint32_t)x;
        SER_AS_IT_IS(sum);
        uint32_t high = (uint32_t)ser_mulh(x, x);
        spread->sum = sum;
        if (x < 0) {
            if (sum > before) {
                *above = (uint16_t)(*above - 1);
            }
        } else if (sum < before) {
            *above = (uint16_t)(*above + 1);
        }
        if (ser_add_word(spread->squares, (uint32_t)x * (uint32_t)x)) {
            (void)ser_carry_into(&high);
        }
        spread->squares[1] += high;
#else
        const uint32_t sum = spread->sum + (uint32_t)x;
        *above = (uint16_t)(*above + (sum < (uint32_t)x) - (x < 0));
        spread->sum = sum;
        ser_add_64(spread->squares, (uint64_t)((int64_t)x * x));
#endif
    }
}

/* Those of several banks that have frames of a part, how many frames in all, and what their numbers come to, if it is asked. */
typedef struct {
    const ser_bank *bank[SER_BANKS];
    const uint32_t *word[SER_BANKS]; /* of these, where they are looked at */
    int banks;
    uint32_t frames;
    ser_times times;
} ser_heard;

static ser_heard heard_of(const ser_bank **banks, int count, ser_part part)
{
    const uint8_t place = layouts[part].times;
    ser_heard heard;
    memset(&heard, 0, sizeof heard);
    for (int i = 0; i < count; i++) {
        if (banks[i]->frames[part] == 0) {
            continue;
        }
        heard.bank[heard.banks++] = banks[i];
        heard.frames += banks[i]->frames[part];
        if (place < SER_TIMED_PARTS) {
            const ser_times *times = &banks[i]->times[place];
            ser_add_words_2(heard.times.sum, times->sum);
            ser_add_words_3(heard.times.squares, times->squares);
        }
    }
    return heard;
}

/* From here on, the words at this place of every bank are looked at. */
static void look_at(ser_heard *heard, size_t place)
{
    for (int i = 0; i < heard->banks; i++) {
        heard->word[i] = (const uint32_t *)(const void *)heard->bank[i] + place;
    }
}

/* Adds up 2, 3 or 4 words of every bank, behind so many of those that are looked at; and looks on by `step` of them. One number
   after the other, as the words of all do not stay in registers. */
SER_INLINE void words_of(ser_heard *heard, size_t behind, int words, size_t step, uint32_t *out)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (int i = 0; i < heard->banks; i++) {
        const uint32_t *word = heard->word[i] + behind;
        a += word[0];
        uint32_t carry = a < word[0];
        if (words > 2) {
            /* a word of ones and a carry are none, with one that goes on */
            const uint32_t more = word[1] + carry;
            carry = more < carry;
            b += more;
            carry += b < more;
        } else {
            b += word[1] + carry;
        }
        if (words > 3) {
            const uint32_t more = word[2] + carry;
            carry = more < carry;
            c += more;
            carry += c < more;
            d += word[3] + carry;
        } else if (words > 2) {
            c += word[2] + carry;
        }
        if (step > 0) {
            heard->word[i] = word - behind + step;
        }
    }
    out[0] = a;
    out[1] = b;
    if (words > 2) {
        out[2] = c;
    }
    if (words > 3) {
        out[3] = d;
    }
}

#define IN_WORDS(type, member) (offsetof(type, member) / sizeof(uint32_t))
#define WORDS(type) (sizeof(type) / sizeof(uint32_t))

/* The sums over all banks, one or more, of the descriptor that is looked at; then the next one is. */
static ser_full_sums full_of(ser_heard *heard)
{
    ser_full_sums full;
    full.low = INT32_MAX;
    full.high = INT32_MIN;
    for (int i = 0; i < heard->banks; i++) {
        const int32_t low = (int32_t)heard->word[i][IN_WORDS(ser_full_sums, low)];
        const int32_t high = (int32_t)heard->word[i][IN_WORDS(ser_full_sums, high)];
        if (low < full.low) {
            full.low = low;
        }
        if (high > full.high) {
            full.high = high;
        }
    }
    words_of(heard, IN_WORDS(ser_full_sums, sum), 2, 0, full.sum);
    words_of(heard, IN_WORDS(ser_full_sums, squares), 3, 0, full.squares);
    words_of(heard, IN_WORDS(ser_full_sums, cubes), 3, 0, full.cubes);
#if SER_WITH_KURTOSIS
    words_of(heard, IN_WORDS(ser_full_sums, fourths), 4, 0, full.fourths);
#endif
    words_of(heard, IN_WORDS(ser_full_sums, time), 3, WORDS(ser_full_sums), full.time);
    return full;
}

/* The same where mean and standard deviation are all that is asked, of the spread at this place. */
typedef struct {
    int64_t sum;
    uint64_t squares;
} ser_spread_total;

SER_INLINE ser_spread_total spread_of(const ser_heard *heard, size_t place)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    /* one number to add to an address for all words of a bank */
    size_t words = IN_WORDS(ser_bank, spread) + place * WORDS(ser_spread_sums);
    size_t halves = offsetof(ser_bank, above) / sizeof(uint16_t) + place;
    SER_AS_IT_IS(words);
    SER_AS_IT_IS(halves);
    const ser_bank *const *bank = heard->bank;
    for (const ser_bank *const *const end = bank + heard->banks; bank < end; bank++) {
        const uint32_t *word = (const uint32_t *)(const void *)*bank + words;
        const int32_t above = *((const int16_t *)(const void *)*bank + halves);
        const uint32_t sum = word[0], low = word[1];
        a += sum;
        b = b + (uint32_t)above;
        SER_AS_IT_IS(a); /* compared as any number, and a jump, as LLVM makes more of a carry */
        if (a < sum) {
            b++;
            SER_AS_IT_IS(b);
        }
        c += low;
        d = d + word[2];
        SER_AS_IT_IS(c);
        if (c < low) {
            d++;
            SER_AS_IT_IS(d);
        }
    }
    const ser_spread_total total = {(int64_t)((uint64_t)b << 32 | a), (uint64_t)d << 32 | c};
    return total;
}

/* Whether values spread enough for their shape to be more than rounding; see features/functionals.py. */
static int has_shape(float mean, float variance)
{
    return variance > SER_FLAT * mean * mean + SER_TINY;
}

/* To single precision: its highest 32 bits, rounded once; the C library may convert 64 bits by way of doubles. */
static float float_of(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    if (high == 0) {
        return (float)(uint32_t)x;
    }
    const int bits = 32 - ser_leading_zeros(high);
    return (float)(uint32_t)(x >> bits) * ser_from_bits((uint32_t)(127 + bits) << 23);
}

/* The quotient of a sum of x by how many there are, or an integer next to it: for what follows any will do. */
static int32_t rounded_mean(int64_t sum, float per_frame)
{
    const uint64_t size = sum < 0 ? 0U - (uint64_t)sum : (uint64_t)sum;
    const int32_t mean = ser_round(float_of(size) * per_frame);
    return sum < 0 ? -mean : mean;
}

/* What all descriptors of a part share: the number of frames and one over it; their rounded mean, and what their numbers' sum is
   beyond that many times it; seconds' worth of frames over the sum of squared distances from the mean, 0 if there is no slope. */
typedef struct {
    uint32_t frames;
    int32_t middle;
    float per_frame, rest, per_time;
} ser_shares;

static ser_shares shares_of(uint32_t count, const ser_times *times)
{
    const float frames_per_second = (float)SER_SAMPLE_RATE / (float)SER_HOP;
    const float per_frame = ser_recip((float)count);
    /* frame numbers beyond 2^31, after 248 days, have an integer that is not so near */
    const float mean = float_of((uint64_t)as_64(times->sum)) * per_frame;
    ser_shares shares = {count, mean < 2147483520.0f ? ser_round(mean) : INT32_MAX, per_frame, 0.0f, 0.0f};
    const uint32_t frames[1] = {count};
    ser_wide rest = ser_wide_of(times->sum, 2, 0);
    ser_wide squares = ser_wide_of(times->squares, 3, 0);
    const ser_wide all = ser_wide_of(frames, 1, 0);
    ser_wide_take(&squares, &rest, shares.middle, 4);
    ser_wide_take(&rest, &all, shares.middle, 4);
    ser_wide_take(&squares, &rest, shares.middle, 4);
    shares.rest = ser_wide_to_float(&rest);
    const float spread = ser_wide_to_float(&squares) - shares.rest * shares.rest * per_frame;
    if (spread > 0.0f) {
        shares.per_time = frames_per_second * ser_recip(spread);
    }
    return shares;
}

/* Two to the power of minus so many bits. */
static float unit_of(int bits)
{
    return ser_from_bits((uint32_t)(127 - bits) << 23);
}

/* Central sums of x, and its mean, as floats. */
typedef struct {
    float mean, squares, cubes, fourths, time;
} ser_central;

/* Sums of x to the first to fourth power and of x by time, around the rounded mean m: what is then left to the mean itself is at most
   half a unit. */
typedef struct {
    ser_wide first, second, third, time;
#if SER_WITH_KURTOSIS
    ser_wide fourth;
#endif
} ser_around;

/* In 128 bits. A sum of x^i (x - m)^j is that of x^(i + 1) (x - m)^(j - 1) less m times that of x^i (x - m)^(j - 1); and
   (x - m)^4 = x^4 - m (x^3 + x^2 (x - m) + x (x - m)^2 + (x - m)^3). */
static void move_many(const ser_full_sums *sums, const ser_shares *shares, int32_t m, ser_around *around)
{
    const uint32_t frames[1] = {shares->frames};
    const ser_wide count = ser_wide_of(frames, 1, 0);
    const ser_wide first = ser_wide_of(sums->sum, 2, 1);
    /* of x - m; of x (x - m), (x - m)^2; of x^2 (x - m), x (x - m)^2, (x - m)^3 */
    ser_wide a1 = first;
    ser_wide a2 = ser_wide_of(sums->squares, 3, 0);
    ser_wide a3 = ser_wide_of(sums->cubes, 3, 1);
    around->time = ser_wide_of(sums->time, 3, 1);
    ser_wide_take(&around->time, &first, shares->middle, 4);
    ser_wide_take(&a1, &count, m, 4);
#if SER_WITH_KURTOSIS
    ser_wide powers = a3;
#define ADD_POWERS() ser_wide_add(&powers, &a3)
#else
#define ADD_POWERS() ((void)0)
#endif
    ser_wide_take(&a3, &a2, m, 4);
    ADD_POWERS();
    ser_wide_take(&a2, &first, m, 4);
    ser_wide_take(&a3, &a2, m, 4);
    ADD_POWERS();
    ser_wide_take(&a2, &a1, m, 4);
    ser_wide_take(&a3, &a2, m, 4);
    ADD_POWERS();
#if SER_WITH_KURTOSIS
    around->fourth = ser_wide_of(sums->fourths, 4, 0);
    ser_wide_take(&around->fourth, &powers, m, 4);
#endif
    around->first = a1;
    around->second = a2;
    around->third = a3;
}

/* Frames below which the same fits fewer bits: x is below 2^22 and x - m below 2^23 in size, so sums of x^2, x (x - m) and (x - m)^2 are
   below 2^63, and those of third powers, four of them together, below 2^88. */
#define FEW_FRAMES (UINT32_C(1) << 17)

/* Of few frames: squares in 64 bits; and, as m times a sum is the same after the sums are added up, two products of 96 bits in
   place of six: sum (x - m)^3 = sum x^3 - m (A + B + C) and sum (x - m)^4 = sum x^4 - m (4 sum x^3 - m (3 A + 2 B + C)), where A, B
   and C are the sums of x^2, x (x - m) and (x - m)^2. */
static void move_few(const ser_full_sums *sums, const ser_shares *shares, int32_t m, ser_around *around)
{
    const uint64_t factor = extended(m);
    const uint64_t sum = (uint64_t)as_64(sums->sum);
    const uint64_t a = (uint64_t)as_64(sums->squares);
    const uint64_t first = sum - factor * shares->frames;
    const uint64_t b = a - factor * sum;
    const uint64_t c = b - factor * first;
    const uint32_t sign = b >> 63 != 0 ? UINT32_MAX : 0;
    ser_wide once = ser_wide_of_64(a), whole = ser_wide_of_64(sum);
    ser_add_96(once.word, b, sign);
    ser_add_96(once.word, c, 0);
    around->first = ser_wide_of_64(first);
    around->second = ser_wide_of_64(c);
    around->third = ser_wide_of(sums->cubes, 3, 1);
#if SER_WITH_KURTOSIS
    ser_wide more = once, cubes = around->third;
    ser_add_96(more.word, a + a, 0);
    ser_add_96(more.word, b, sign);
    ser_add_words_3(cubes.word, cubes.word);
    ser_add_words_3(cubes.word, cubes.word);
    ser_wide_take(&cubes, &more, m, 3);
    around->fourth = ser_wide_of(sums->fourths, 4, 0);
    ser_wide_take(&around->fourth, &cubes, m, 4);
#endif
    ser_wide_take(&around->third, &once, m, 3);
    around->time = ser_wide_of(sums->time, 3, 1);
    ser_wide_take(&around->time, &whole, shares->middle, 3);
}

static ser_central central_of(const ser_full_sums *sums, const ser_shares *shares)
{
    const int32_t m = rounded_mean(as_64(sums->sum), shares->per_frame);
    ser_around around;
    if (shares->frames < FEW_FRAMES) {
        move_few(sums, shares, m, &around);
    } else {
        move_many(sums, shares, m, &around);
    }
    /* of t (x - m), t being the distance from the rounded mean of the frame numbers, and their sum `rest`:
       sum (t + T)(x) = time, so sum t (x - m) = time - T sum x - m sum t */
    const float d = ser_wide_to_float(&around.first) * shares->per_frame;
    const float second = ser_wide_to_float(&around.second);
    const float third = ser_wide_to_float(&around.third);
    const float squares = second - d * d * (float)shares->frames;
    const ser_central central = {
        (float)m + d,
        squares > 0.0f ? squares : 0.0f,
        third - 3.0f * d * second + 2.0f * d * d * d * (float)shares->frames,
#if SER_WITH_KURTOSIS
        ser_wide_to_float(&around.fourth) - 4.0f * d * third + 6.0f * d * d * second - 3.0f * d * d * d * d * (float)shares->frames,
#else
        0.0f,
#endif
        ser_wide_to_float(&around.time) - ((float)m + d) * shares->rest};
    return central;
}

/* The functionals of one descriptor, in the order of their bits; see features/functionals.py. */
static void functionals(const ser_full_sums *sums, const ser_descriptor *descriptor, const ser_shares *shares, float *out)
{
    const float unit = unit_of(descriptor->format);
    const ser_central central = central_of(sums, shares);
    const float variance = central.squares * shares->per_frame;
    const float mean = ((float)descriptor->middle + central.mean) * unit;
    out[0] = mean;
    out[1] = sqrtf(variance) * unit;
    out[2] = (float)sums->low * unit;
    out[3] = (float)sums->high * unit;
    out[4] = out[5] = SER_UNDEFINED;
    out[6] = shares->per_time > 0.0f ? central.time * shares->per_time * unit : SER_UNDEFINED;
    if (has_shape(mean, variance * unit * unit)) {
        /* one factor at a time: a power of the variance might overflow */
        const float per_deviation = ser_rsqrt(variance);
        const float per_square = ser_recip(central.squares);
        out[4] = central.cubes * per_square * per_deviation;
#if SER_WITH_KURTOSIS
        out[5] = central.fourths * per_square * per_deviation * per_deviation - 3.0f;
#endif
    }
}

/* Sums below which 32 bits have room for them, and for FEW_FRAMES more. */
#define SMALL (INT32_C(1) << 30)

/* Mean and standard deviation alone, into their columns: what is left around the rounded mean is exact in 64 bits. Returns the mean. */
SER_INLINE float two_functionals(const ser_spread_total *sums, const ser_descriptor *descriptor, const ser_shares *shares, float *features)
{
    float *column = features + descriptor->column;
    const float unit = unit_of(descriptor->format - DOWN);
    const int64_t sum = sums->sum;
    int32_t m, rest;
    uint64_t squares = sums->squares;
    const int32_t small = (int32_t)sum;
    if (shares->frames < FEW_FRAMES && small == sum && small < SMALL && small > -SMALL) {
        /* the same in 32 bits, as far as they reach */
        const int32_t mean = ser_round((float)(small < 0 ? -small : small) * shares->per_frame);
        m = small < 0 ? -mean : mean;
        rest = small - m * (int32_t)shares->frames;
        squares -= (uint64_t)((int64_t)m * (small + rest));
    } else {
        m = rounded_mean(sum, shares->per_frame);
        rest = (int32_t)(sum - (int64_t)m * (int64_t)shares->frames); /* at most half the frames */
        squares -= (uint64_t)m * (uint64_t)(sum + rest);
    }
    const float d = (float)rest * shares->per_frame;
    const float variance = float_of(squares) * shares->per_frame - d * d;
    const float mean = (float)descriptor->middle * unit_of(descriptor->format) + ((float)m + d) * unit;
    if (descriptor->functionals & 1U) {
        *column++ = mean;
    }
    if (descriptor->functionals & 2U) {
        *column = variance > 0.0f ? sqrtf(variance) * unit : 0.0f;
    }
    return mean;
}

#if SER_WITH_CORRELATION
/* Pearson's r of each pair. */
SER_NOT_INLINE static void correlations(ser_heard *heard, float *out)
{
    const uint32_t frames[1] = {heard->frames};
    ser_wide sums[SER_CORRELATED_MFCCS], left[SER_CORRELATED_MFCCS]; /* of x, and of x - m */
    int pair = 0;
    float scales[SER_CORRELATED_MFCCS] = {0}; /* one over the root of the sum of squares; 0 where flat */
    int32_t middles[SER_CORRELATED_MFCCS] = {0};
    float rests[SER_CORRELATED_MFCCS] = {0}; /* of the sum, beyond the rounded mean times the frames */
    float per_frame = 0.0f;
    look_at(heard, IN_WORDS(ser_bank, full) + SER_FRAME_MFCC_01 * WORDS(ser_full_sums));
    for (int i = 0; i < SER_CORRELATED_MFCCS && frames[0] > 0; i++) {
        const ser_full_sums full = full_of(heard);
        const ser_wide count = ser_wide_of(frames, 1, 0);
        ser_wide sum = ser_wide_of(full.sum, 2, 1);
        ser_wide squares = ser_wide_of(full.squares, 3, 0);
        sums[i] = sum;
        per_frame = ser_recip((float)frames[0]);
        middles[i] = rounded_mean(as_64(full.sum), per_frame);
        ser_wide_take(&squares, &sum, middles[i], 4);
        ser_wide_take(&sum, &count, middles[i], 4);
        ser_wide_take(&squares, &sum, middles[i], 4);
        left[i] = sum;
        rests[i] = ser_wide_to_float(&sum);
        const float central = ser_wide_to_float(&squares) - rests[i] * rests[i] * per_frame;
        const ser_descriptor *descriptor = ser_frame_descriptors + SER_FRAME_MFCC_01 + i;
        const float unit = unit_of(descriptor->format);
        const float mean = ((float)descriptor->middle + (float)middles[i] + rests[i] * per_frame) * unit;
        if (has_shape(mean, central * per_frame * unit * unit)) {
            scales[i] = ser_rsqrt(central);
        }
    }
    for (int a = 0; a < SER_CORRELATED_MFCCS; a++) {
        for (int b = a + 1; b < SER_CORRELATED_MFCCS; b++, pair++) {
            if (!(scales[a] > 0.0f && scales[b] > 0.0f)) {
                *out++ = SER_UNDEFINED;
                continue;
            }
            /* of (x - m)(y - n): xy - m y - n (x - m), the latter being what rests of x */
            uint32_t product[3];
            look_at(heard, IN_WORDS(ser_bank, products) + 3 * (size_t)pair);
            words_of(heard, 0, 3, 0, product);
            ser_wide moved = ser_wide_of(product, 3, 1);
            ser_wide_take(&moved, &sums[b], middles[a], 4);
            ser_wide_take(&moved, &left[a], middles[b], 4);
            const float central = ser_wide_to_float(&moved) - rests[a] * rests[b] * per_frame;
            *out++ = central * scales[a] * scales[b];
        }
    }
}
#endif

static const float undefined[7] = {SER_UNDEFINED, SER_UNDEFINED, SER_UNDEFINED, SER_UNDEFINED,
                                   SER_UNDEFINED, SER_UNDEFINED, SER_UNDEFINED};

static void write_columns(const ser_descriptor *descriptor, const float *all, float *features)
{
    float *column = features + descriptor->column;
    for (unsigned i = 0; i < 7U; i++) {
        if (((unsigned)descriptor->functionals >> i) & 1U) {
            *column++ = all[i];
        }
    }
}

#if SER_WITH_RELATIVE
/* Each mel band's mean level, which stands there, less the mean of all of them; or nothing without a frame. */
static void relative_levels(int heard, float *levels)
{
    float sum = 0.0f;
    for (int i = 0; i < SER_MELS; i++) {
        if (!heard) {
            levels[i] = SER_UNDEFINED;
        }
        sum += levels[i];
    }
    const float mean = sum * (1.0f / (float)SER_MELS);
    for (int i = 0; heard && i < SER_MELS; i++) {
        levels[i] -= mean;
    }
}
#endif

typedef char ser_slopes_have_no_ends[SER_DELTA_FULLS == 0 ? 1 : -1]; /* what is repeated has none, nor shapes */

/* The columns of one part. */
SER_NOT_INLINE static void part_columns(ser_heard *heard, ser_part part, const ser_repeated *more, float *features)
{
    const ser_layout layout = layouts[part];
    const ser_descriptor *descriptor = layout.descriptors;
    const uint32_t repeated = more != NULL && more->part == part ? more->frames : 0;
    const uint32_t frames = heard->frames + repeated; /* their numbers hold for slopes alone, which a repeated part has not */
    float all[7] = {0};
    if (frames == 0) {
        for (int i = 0; i < layout.fulls + layout.spreads; i++) {
            write_columns(descriptor + i, undefined, features);
        }
        return;
    }
    const ser_shares shares = shares_of(frames, &heard->times);
    look_at(heard, IN_WORDS(ser_bank, full) + layout.full * WORDS(ser_full_sums));
    for (int i = 0; i < layout.fulls; i++, descriptor++) {
        const ser_full_sums full = full_of(heard);
        functionals(&full, descriptor, &shares, all);
        write_columns(descriptor, all, features);
    }
    for (int i = 0; i < layout.spreads; i++, descriptor++) {
        ser_spread_total total = spread_of(heard, (size_t)(layout.spread + i));
        for (uint32_t frame = 0; frame < repeated; frame++) {
            const int32_t x = coarse_of(more->values[i], descriptor->middle);
            total.sum += x;
            total.squares += (uint64_t)((int64_t)x * x);
        }
        const float mean = two_functionals(&total, descriptor, &shares, features);
#if SER_WITH_RELATIVE
        const int mel = i - (SER_FRAME_MEL_00 - SER_FRAME_FULLS);
        if (part == SER_PART_FRAME && mel >= 0 && mel < SER_MELS) {
            features[SER_FIRST_RELATIVE + mel] = mean;
        }
#else
        (void)mean;
#endif
    }
}

void ser_bank_columns(const ser_bank **banks, int count, const ser_repeated *more, float *features)
{
    for (int part = 0; part < (int)SER_PARTS; part++) {
        ser_heard heard = heard_of(banks, count, (ser_part)part);
        part_columns(&heard, (ser_part)part, more, features);
        if (part != (int)SER_PART_FRAME) {
            continue;
        }
#if SER_WITH_CORRELATION
        correlations(&heard, features + SER_FIRST_CORRELATION);
#endif
#if SER_WITH_RELATIVE
        relative_levels(heard.banks > 0, features + SER_FIRST_RELATIVE);
#endif
    }
}

void ser_series_add(ser_series *series, uint32_t frame, int32_t value)
{
    if (series->frames < MOST_FRAMES) {
        add_time(&series->times, frame);
        add_value(&series->sums, value, 0, frame, series->frames == 0);
        series->frames++;
    }
}

void ser_series_columns(const ser_series *series, int bits, float columns[7])
{
    if (series->frames == 0) {
        memcpy(columns, undefined, sizeof undefined);
        return;
    }
    ser_descriptor descriptor;
    memset(&descriptor, 0, sizeof descriptor);
    descriptor.format = (uint8_t)bits;
    const ser_shares shares = shares_of(series->frames, &series->times);
    functionals(&series->sums, &descriptor, &shares, columns);
}
