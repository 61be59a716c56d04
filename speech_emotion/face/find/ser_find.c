/* Each step rounds as OpenCV's does (single precision where it says float), so that the squares are the same. */
#include "ser_find.h"

#include "ser_find_cascade.h"

#define MOST SER_FIND_LOOKED_AT
#define WINDOW SER_FIND_WINDOW
#define CANDIDATES 4096
#define NEIGHBOURS 2 /* more windows than that must agree on a face */

static uint8_t small[MOST * MOST];
static uint8_t scaled[MOST * MOST];
static int32_t sums[(MOST + 1) * (MOST + 1)]; /* of the pixels above and to the left */
static uint32_t squares[(MOST + 1) * (MOST + 1)];
static ser_find_face candidates[CANDIDATES];
static int classes[CANDIDATES];

typedef struct {
    int from, to;
    float share;
} part;

/* --- rounding ------------------------------------------------------------------------------- */

/* To the nearest whole number, halves to the even one. For |value| < 2^31. */
static int nearest(double value)
{
    const double whole = 6755399441055744.0; /* 1.5 * 2^52: beyond it there are no fractions */
    return (int)((value + whole) - whole);
}

static int floor_of(double value)
{
    const int cut = (int)value;
    return cut > value ? cut - 1 : cut;
}

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

static uint8_t grey_of(int value) { return (uint8_t)least(most(value, 0), 255); }

/* --- smaller pictures ------------------------------------------------------------------------- */

/* Which pixels of one line go into which of the shorter one, and how much. Returns how many parts. */
static int shares(int from, int to, part *parts)
{
    const double scale = 1.0 / ((double)to / (double)from);
    int count = 0;
    for (int i = 0; i < to; i++) {
        const double begin = i * scale;
        const double end = begin + scale;
        const double width = scale < from - begin ? scale : from - begin;
        int last = least(floor_of(end), from - 1);
        const int first = least(-floor_of(-begin), last);
        if (first - begin > 1e-3) {
            parts[count++] = (part){first - 1, i, (float)((first - begin) / width)};
        }
        for (int k = first; k < last; k++) {
            parts[count++] = (part){k, i, (float)(1.0 / width)};
        }
        if (end - last > 1e-3) {
            double rest = end - last < 1.0 ? end - last : 1.0;
            rest = rest < width ? rest : width;
            parts[count++] = (part){last, i, (float)(rest / width)};
        }
    }
    return count;
}

/* The mean of what each pixel covers, by the parts of the pixels at its rim. */
static void shrink(const uint8_t *grey, int width, int height, int to_width, int to_height)
{
    static part across[SER_FIND_LARGEST + 2 * MOST];
    static part down[SER_FIND_LARGEST + 2 * MOST];
    static float line[MOST], total[MOST];
    const int across_count = shares(width, to_width, across);
    const int down_count = shares(height, to_height, down);
    for (int i = 0; i < down_count; i++) {
        const uint8_t *from = grey + down[i].from * width;
        const int begins = i == 0 || down[i].to != down[i - 1].to;
        for (int x = 0; x < to_width; x++) {
            line[x] = 0.0f;
        }
        for (int k = 0; k < across_count; k++) {
            line[across[k].to] += (float)from[across[k].from] * across[k].share;
        }
        for (int x = 0; x < to_width; x++) {
            total[x] = begins ? down[i].share * line[x] : total[x] + down[i].share * line[x];
        }
        if (i + 1 == down_count || down[i + 1].to != down[i].to) {
            for (int x = 0; x < to_width; x++) {
                small[down[i].to * to_width + x] = grey_of(nearest((double)total[x]));
            }
        }
    }
}

/* The same where both sides are a whole number of times as long. */
static void shrink_whole(const uint8_t *grey, int width, int times_x, int times_y, int to_width, int to_height)
{
    const float share = 1.0f / (float)(times_x * times_y);
    for (int y = 0; y < to_height; y++) {
        for (int x = 0; x < to_width; x++) {
            const uint8_t *from = grey + y * times_y * width + x * times_x;
            int sum = 0;
            for (int i = 0; i < times_y; i++) {
                for (int j = 0; j < times_x; j++) {
                    sum += from[i * width + j];
                }
            }
            small[y * to_width + x] = times_x == 2 && times_y == 2
                                          ? (uint8_t)((sum + 2) >> 2)
                                          : grey_of(nearest((double)((float)sum * share)));
        }
    }
}

/* Between which pixels each of a line lies, and how near to the second, in 256ths. */
static void between(int from, int to, int *first, int *second, uint32_t *near)
{
    const double scale = 1.0 / ((double)to / (double)from);
    for (int i = 0; i < to; i++) {
        const double at = scale * (i + 0.5) - 0.5;
        const int floor = floor_of(at);
        const int inside = floor >= 0 && floor < from - 1;
        first[i] = least(most(floor, 0), from - 1);
        second[i] = inside ? first[i] + 1 : first[i];
        near[i] = inside ? (uint32_t)nearest(256.0 * (at - floor)) : 0u;
    }
}

/* The picture of a scale, by bilinear interpolation of the small one. */
static void rescale(int width, int height, int to_width, int to_height)
{
    static int x0[MOST], x1[MOST], y0[MOST], y1[MOST];
    static uint32_t x_near[MOST], y_near[MOST];
    between(width, to_width, x0, x1, x_near);
    between(height, to_height, y0, y1, y_near);
    for (int y = 0; y < to_height; y++) {
        const uint8_t *above = small + y0[y] * width;
        const uint8_t *below = small + y1[y] * width;
        for (int x = 0; x < to_width; x++) {
            const uint32_t b = x_near[x];
            const uint32_t a = 256u - b;
            const uint32_t upper = a * above[x0[x]] + b * above[x1[x]];
            const uint32_t lower = a * below[x0[x]] + b * below[x1[x]];
            scaled[y * to_width + x] =
                (uint8_t)(((256u - y_near[y]) * upper + y_near[y] * lower + 32768u) >> 16);
        }
    }
}

/* Grey values spread so that each is about as frequent as any other. */
static void equalise(int count)
{
    uint32_t histogram[256] = {0};
    uint8_t to[256];
    int first = 0;
    int sum = 0;
    float scale;
    for (int i = 0; i < count; i++) {
        histogram[small[i]]++;
    }
    while (histogram[first] == 0) {
        first++;
    }
    if (histogram[first] == (uint32_t)count) {
        return; /* of one grey */
    }
    scale = 255.0f / (float)(count - (int)histogram[first]);
    for (int i = 0; i < 256; i++) {
        sum += i > first ? (int)histogram[i] : 0;
        to[i] = grey_of(nearest((double)((float)sum * scale)));
    }
    for (int i = 0; i < count; i++) {
        small[i] = to[small[i]];
    }
}

/* Which pixels of a line of `from` the i-th of `to` covers: those whose centres it does, and where a centre lies
 * on its rim, what Pillow's double precision makes of that. Returns the first; *count: how many. */
static int covered(int i, int from, int to, int *count)
{
    const double scale = (double)from / (double)to;
    const double centre = (i + 0.5) * scale;
    const double half = 0.5 * scale;
    int first = (int)(centre - half + 0.5);
    int last = least((int)(centre + half + 0.5), from) - 1;
    while (first < last && (first - centre + 0.5) * (1.0 / scale) <= -0.5) {
        first++;
    }
    while (last > first && (last - centre + 0.5) * (1.0 / scale) > 0.5) {
        last--;
    }
    *count = last + 1 - first;
    return first;
}

/* The mean of a sum, as Pillow has it: by a share of 22 bits. */
static uint8_t mean(uint32_t sum, int count)
{
    const uint32_t share = (8388608u + (uint32_t)count) / (2u * (uint32_t)count);
    return grey_of((int)(((uint64_t)sum * share + 2097152u) >> 22));
}

void ser_find_box(const uint8_t *grey, int stride, int width, int height, uint8_t *to, int to_width,
                  int to_height, uint8_t *room)
{
    for (int x = 0; x < to_width; x++) {
        int count;
        const int first = covered(x, width, to_width, &count);
        for (int y = 0; y < height; y++) {
            uint32_t sum = 0;
            for (int i = first; i < first + count; i++) {
                sum += grey[y * stride + i];
            }
            room[y * to_width + x] = mean(sum, count);
        }
    }
    for (int y = 0; y < to_height; y++) {
        int count;
        const int first = covered(y, height, to_height, &count);
        for (int x = 0; x < to_width; x++) {
            uint32_t sum = 0;
            for (int i = first; i < first + count; i++) {
                sum += room[i * to_width + x];
            }
            to[y * to_width + x] = mean(sum, count);
        }
    }
}

/* --- the cascade ------------------------------------------------------------------------------ */

static void integrate(int width, int height)
{
    const int stride = width + 1;
    for (int x = 0; x < stride; x++) {
        sums[x] = 0;
        squares[x] = 0u;
    }
    for (int y = 0; y < height; y++) {
        int32_t sum = 0;
        uint32_t square = 0;
        sums[(y + 1) * stride] = 0;
        squares[(y + 1) * stride] = 0u;
        for (int x = 0; x < width; x++) {
            const int at = (y + 1) * stride + x + 1;
            const uint32_t pixel = scaled[y * width + x];
            sum += (int32_t)pixel;
            square += pixel * pixel;
            sums[at] = sums[at - stride] + sum;
            squares[at] = squares[at - stride] + square;
        }
    }
}

static float weighted(const int32_t *corner, int stride, const ser_find_rectangle *r)
{
    const int32_t *above = corner + r->y * stride + r->x;
    const int32_t *below = above + r->height * stride;
    return (float)r->weight * (float)(above[0] - above[r->width] - below[0] + below[r->width]);
}

/* A feature's value in a window, in units of the window's standard deviation. */
static float value(const int32_t *corner, int stride, int feature, float scale)
{
    const ser_find_rectangle *r = ser_find_features[feature];
    float sum = weighted(corner, stride, r) + weighted(corner, stride, r + 1);
    if (r[2].weight != 0) {
        sum += weighted(corner, stride, r + 2);
    }
    return sum * scale;
}

/* The stage that refuses the window at (x, y): 0 for the first; SER_FIND_STAGES: a face; -1: too flat. */
static int judge(int stride, int x, int y)
{
    const int side = WINDOW - 2;
    const int at = (y + 1) * stride + x + 1;
    const int32_t *corner = sums + y * stride + x;
    const double area = side * side;
    const double sum = sums[at] - sums[at + side] - sums[at + side * stride] + sums[at + side * stride + side];
    const double square =
        squares[at] - squares[at + side] - squares[at + side * stride] + squares[at + side * stride + side];
    const double variance = area * square - sum * sum;
    float scale = 1.0f;
    int tree = 0;
    if (variance <= 0.0) {
        return -1;
    }
    scale = (float)(1.0 / __builtin_sqrt(variance));
    if (!(area * (double)scale < 1e-1)) {
        return -1;
    }
    for (int stage = 0; stage < SER_FIND_STAGES; stage++) {
        double total = 0.0;
        for (const int last = tree + ser_find_stages[stage].trees; tree < last; tree++) {
            const ser_find_tree *t = ser_find_trees + tree;
            const int below = value(corner, stride, 2 * tree, scale) < t->threshold[0];
            if (below != t->next) {
                total += (double)t->leaf[0];
            } else {
                total += (double)t->leaf[value(corner, stride, 2 * tree + 1, scale) < t->threshold[1] ? 1 : 2];
            }
        }
        if (total < (double)ser_find_stages[stage].threshold) {
            return stage;
        }
    }
    return SER_FIND_STAGES;
}

/* All windows of one scale that hold a face. */
static int search(int width, int height, float factor, int count)
{
    const int step = factor >= 2.0f ? 1 : 2;
    const int side = nearest((double)((float)WINDOW * factor));
    const int columns = width + 1 - WINDOW;
    const int rows = height + 1 - WINDOW;
    /* OpenCV cuts a scale into strips of whole steps: an odd last row may be left over, and is not looked at */
    const int strips = (columns + 31) / 32;
    const int strip = most((rows / step + strips - 1) / strips, 1) * step;
    for (int y = 0; y < least(rows, strips * strip); y += step) {
        for (int x = 0; x < columns; x += step) {
            const int found = judge(width + 1, x, y);
            if (found == SER_FIND_STAGES && count < CANDIDATES) {
                candidates[count++] = (ser_find_face){
                    nearest((double)((float)x * factor)), nearest((double)((float)y * factor)), side};
            }
            if (found == 0) {
                x += step;
            }
        }
    }
    return count;
}

/* --- one face of several windows ---------------------------------------------------------------- */

static int alike(const ser_find_face *a, const ser_find_face *b)
{
    const double apart = 0.2 * (2 * least(a->side, b->side)) * 0.5;
    const int x = a->x - b->x;
    const int y = a->y - b->y;
    const int right = x + a->side - b->side;
    const int bottom = y + a->side - b->side;
    return x <= apart && -x <= apart && y <= apart && -y <= apart && right <= apart && -right <= apart &&
           bottom <= apart && -bottom <= apart;
}

/* Windows that are alike, or alike to one that is, are a class, with the number of one of them. */
static void classify(int count)
{
    for (int i = 0; i < count; i++) {
        classes[i] = i;
        for (int j = 0; j < i; j++) {
            const int mine = classes[i];
            const int other = classes[j];
            if (mine == other || !alike(candidates + i, candidates + j)) {
                continue;
            }
            for (int k = 0; k <= i; k++) {
                classes[k] = classes[k] == mine ? other : classes[k];
            }
        }
    }
}

/* The mean of each class goes to where its class was; its size to `sizes`. */
static void average(int count, int *sizes)
{
    static ser_find_face total[CANDIDATES];
    for (int i = 0; i < count; i++) {
        total[i] = (ser_find_face){0, 0, 0};
        sizes[i] = 0;
    }
    for (int i = 0; i < count; i++) {
        ser_find_face *own = total + classes[i];
        own->x += candidates[i].x;
        own->y += candidates[i].y;
        own->side += candidates[i].side;
        sizes[classes[i]]++;
    }
    for (int i = 0; i < count; i++) {
        const float share = 1.0f / (float)(sizes[i] > 0 ? sizes[i] : 1);
        candidates[i].x = nearest((double)((float)total[i].x * share));
        candidates[i].y = nearest((double)((float)total[i].y * share));
        candidates[i].side = nearest((double)((float)total[i].side * share));
    }
}

/* Whether it lies inside of another that more windows stand for. */
static int inside(int one, const int *sizes, int count)
{
    const ser_find_face *a = candidates + one;
    for (int i = 0; i < count; i++) {
        const ser_find_face *b = candidates + i;
        const int rim = nearest(b->side * 0.2);
        if (i != one && sizes[i] > NEIGHBOURS && a->x >= b->x - rim && a->y >= b->y - rim &&
            a->x + a->side <= b->x + b->side + rim && a->y + a->side <= b->y + b->side + rim &&
            (sizes[i] > most(3, sizes[one]) || sizes[one] < 3)) {
            return 1;
        }
    }
    return 0;
}

/* --- all of it ---------------------------------------------------------------------------------- */

static int before(const ser_find_face *a, const ser_find_face *b)
{
    return a->side != b->side ? a->side > b->side : a->x != b->x ? a->x < b->x : a->y < b->y;
}

/* Into the list, the largest first; the smallest leaves where it is full. */
static int insert(ser_find_face *faces, int count, ser_find_face face)
{
    int at = count;
    while (at > 0 && before(&face, faces + at - 1)) {
        if (at < SER_FIND_MOST) {
            faces[at] = faces[at - 1];
        }
        at--;
    }
    if (at < SER_FIND_MOST) {
        faces[at] = face;
    }
    return least(count + 1, SER_FIND_MOST);
}

int ser_find(const uint8_t *grey, int width, int height, ser_find_face *faces)
{
    static int sizes[CANDIDATES];
    const double longer = most(width, height);
    const double scale = longer / MOST > 1.0 ? longer / MOST : 1.0;
    const int w = most(1, nearest(width / scale));
    const int h = most(1, nearest(height / scale));
    int windows = 0;
    int count = 0;
    if (w == width && h == height) {
        for (int i = 0; i < w * h; i++) {
            small[i] = grey[i];
        }
    } else if (width % w == 0 && height % h == 0) {
        shrink_whole(grey, width, width / w, height / h, w, h);
    } else {
        shrink(grey, width, height, w, h);
    }
    equalise(w * h);
    for (double factor = 1.0;; factor *= 1.2) {
        const int side = nearest(WINDOW * factor);
        const float single = (float)factor;
        if (side > least(w, h)) {
            break;
        }
        if (side >= SER_FIND_SMALLEST) {
            const int to_w = nearest((double)((float)w / single));
            const int to_h = nearest((double)((float)h / single));
            rescale(w, h, to_w, to_h);
            integrate(to_w, to_h);
            windows = search(to_w, to_h, single, windows);
        }
    }
    classify(windows);
    average(windows, sizes);
    for (int i = 0; i < windows; i++) {
        if (sizes[i] > NEIGHBOURS && !inside(i, sizes, windows)) {
            const ser_find_face *f = candidates + i;
            const int side = least(f->side, least(w - f->x, h - f->y));
            ser_find_face face = {nearest(f->x * scale), nearest(f->y * scale), nearest(side * scale)};
            face.side = least(face.side, least(width - face.x, height - face.y));
            count = insert(faces, count, face);
        }
    }
    return count;
}
