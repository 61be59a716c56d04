/*
 * QEMU plug-in: instructions executed within regions of a program, exactly, per address and per region.
 *
 * A region starts where one of the `begin` addresses is executed, the first being of kind 0 and so on, and
 * ends at `end`. Arguments: begin=HEX:HEX:...,end=HEX,slow=FILE,floats=FILE,free=FILE,out=FILE; slow and floats list
 * addresses, in hexadecimal, whose executions are counted per region too, free those that are not counted at all. Writes one
 * line per region, in order,
 *     region KIND INSTRUCTIONS SLOW FLOATS MISSES
 * and then one per address and kind,
 *     at ADDRESS KIND INSTRUCTIONS LONGEST
 * LONGEST being the instructions within the longest region of that kind.
 *
 * With cache=FROM:TO:BYTES:WAYS:LINE:DATA, in hexadecimal, MISSES are those of a cache of so many bytes and ways, with lines of
 * so many bytes, the least recently used of which is replaced; it stands before the memory from FROM up to TO. Nothing is read
 * ahead. DATA: 1 if data are read through it too, 0 if each reading of data is a miss. Without all this MISSES are 0.
 *
 * The prototypes are those of the plug-in interface, version 1 (QEMU 4.2 to 8.2), of which Debian ships no header.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
typedef void (*translated_cb)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed_cb)(unsigned, void *);
typedef void (*exit_cb)(qemu_plugin_id_t, void *);
enum { NO_REGISTERS = 0 };
enum { INLINE_ADD = 0 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated_cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed_cb, int, void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);
typedef void (*memory_cb)(unsigned, uint32_t, uint64_t, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, memory_cb, int, int, void *);
bool qemu_plugin_mem_is_store(uint32_t);
unsigned qemu_plugin_mem_size_shift(uint32_t);
enum { READS_AND_WRITES = 3 }; /* asked for reads alone, QEMU 7.2 shows writes alone */
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, exit_cb, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = 1;

enum { KINDS = 8, BUCKETS = 1 << 18 };

typedef struct address {
    struct address *next;
    uint64_t pc;
    uint64_t executed; /* since the program's start */
    uint64_t before;   /* when the region began */
    uint64_t within[KINDS];
    uint64_t longest[KINDS];
    bool slow, floats, free;
} address;

static address *addresses[BUCKETS];
static uint64_t begins[KINDS], longest[KINDS], end_pc, executed, slow, floats, executed_before, slow_before, floats_before;
static uint64_t misses, misses_before;
static struct {
    uint64_t from, to, bytes, ways, line, data;
    uint64_t *tags; /* by set, the latest used first; a line's number plus 1, or 0 for none */
} cache;
typedef struct {
    uint64_t *pc;
    size_t count;
} list;
static list slow_pcs, floats_pcs, free_pcs;
static size_t kinds;
static int open_kind = -1;
static FILE *out;

static bool holds(const list *l, uint64_t pc)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->pc[i] == pc) {
            return true;
        }
    }
    return false;
}

static address *at(uint64_t pc)
{
    address **found = &addresses[(pc >> 1) % BUCKETS];
    while (*found != NULL && (*found)->pc != pc) {
        found = &(*found)->next;
    }
    if (*found == NULL) {
        *found = calloc(1, sizeof **found);
        (*found)->pc = pc;
        (*found)->slow = holds(&slow_pcs, pc);
        (*found)->floats = holds(&floats_pcs, pc);
        (*found)->free = holds(&free_pcs, pc);
    }
    return *found;
}

/* The line that holds this address is used. */
static void use(uint64_t line)
{
    uint64_t *const set = cache.tags + line % (cache.bytes / cache.line / cache.ways) * cache.ways;
    uint64_t way = 0;
    while (way < cache.ways && set[way] != line + 1) {
        way++;
    }
    if (way == cache.ways) {
        misses++;
        way--;
    }
    for (; way > 0; way--) {
        set[way] = set[way - 1];
    }
    set[0] = line + 1;
}

static void touch(uint64_t from, uint64_t bytes)
{
    if (from < cache.from || from >= cache.to) {
        return;
    }
    for (uint64_t line = from / cache.line; line <= (from + bytes - 1) / cache.line; line++) {
        use(line);
    }
}

static void fetched(unsigned cpu, void *instruction)
{
    const uint64_t packed = (uint64_t)(uintptr_t)instruction; /* its address, and above that its bytes */
    (void)cpu;
    touch(packed & 0xffffffff, packed >> 32);
}

static void accessed(unsigned cpu, uint32_t info, uint64_t at, void *unused)
{
    (void)cpu;
    (void)unused;
    at &= 0xffffffff;
    if (qemu_plugin_mem_is_store(info)) {
        return;
    }
    if (cache.data != 0) {
        touch(at, 1u << qemu_plugin_mem_size_shift(info));
    } else if (at >= cache.from && at < cache.to) {
        misses++;
    }
}

static void begin(unsigned cpu, void *kind)
{
    (void)cpu;
    open_kind = (int)(intptr_t)kind;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (address *a = addresses[i]; a != NULL; a = a->next) {
            a->before = a->executed;
        }
    }
    executed_before = executed;
    slow_before = slow;
    floats_before = floats;
    misses_before = misses;
}

static void end(unsigned cpu, void *unused)
{
    (void)cpu;
    (void)unused;
    if (open_kind < 0) {
        return;
    }
    const uint64_t length = executed - executed_before;
    const bool is_longest = length > longest[open_kind];
    fprintf(out, "region %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", open_kind, length,
            slow - slow_before, floats - floats_before, misses - misses_before);
    for (size_t i = 0; i < BUCKETS; i++) {
        for (address *a = addresses[i]; a != NULL; a = a->next) {
            const uint64_t here = a->executed - a->before;
            a->within[open_kind] += here;
            if (is_longest) {
                a->longest[open_kind] = here;
            }
        }
    }
    if (is_longest) {
        longest[open_kind] = length;
    }
    open_kind = -1;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        address *a = at(qemu_plugin_insn_vaddr(instruction));
        for (size_t kind = 0; kind < kinds; kind++) {
            if (a->pc == begins[kind]) {
                qemu_plugin_register_vcpu_insn_exec_cb(instruction, begin, NO_REGISTERS,
                                                       (void *)(intptr_t)kind);
            }
        }
        if (a->pc == end_pc) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, end, NO_REGISTERS, NULL);
        }
        if (cache.tags != NULL) {
            const uint64_t bytes = qemu_plugin_insn_size(instruction);
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, fetched, NO_REGISTERS,
                                                   (void *)(uintptr_t)(bytes << 32 | (a->pc & 0xffffffff)));
            qemu_plugin_register_vcpu_mem_cb(instruction, accessed, NO_REGISTERS, READS_AND_WRITES, NULL);
        }
        if (a->free) {
            continue;
        }
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &a->executed, 1);
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &executed, 1);
        if (a->slow) {
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &slow, 1);
        }
        if (a->floats) {
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &floats, 1);
        }
    }
}

static void leave(qemu_plugin_id_t id, void *unused)
{
    (void)id;
    (void)unused;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const address *a = addresses[i]; a != NULL; a = a->next) {
            for (size_t kind = 0; kind < kinds; kind++) {
                if (a->within[kind] > 0) {
                    fprintf(out, "at %" PRIx64 " %zu %" PRIu64 " %" PRIu64 "\n", a->pc, kind, a->within[kind],
                            a->longest[kind]);
                }
            }
        }
    }
    fclose(out);
}

static bool read_list(const char *name, list *l)
{
    FILE *file = fopen(name, "r");
    uint64_t pc;
    if (file == NULL) {
        return false;
    }
    while (fscanf(file, "%" SCNx64, &pc) == 1) {
        l->pc = realloc(l->pc, (l->count + 1) * sizeof *l->pc);
        l->pc[l->count++] = pc;
    }
    fclose(file);
    return true;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=') + 1;
        if (strncmp(argv[i], "begin=", 6) == 0) {
            for (char *next = (char *)value; kinds < KINDS; value = next + 1) {
                begins[kinds++] = strtoull(value, &next, 16);
                if (*next != ':') {
                    break;
                }
            }
        } else if (strncmp(argv[i], "end=", 4) == 0) {
            end_pc = strtoull(value, NULL, 16);
        } else if (strncmp(argv[i], "slow=", 5) == 0) {
            if (!read_list(value, &slow_pcs)) {
                return -1;
            }
        } else if (strncmp(argv[i], "floats=", 7) == 0) {
            if (!read_list(value, &floats_pcs)) {
                return -1;
            }
        } else if (strncmp(argv[i], "free=", 5) == 0) {
            if (!read_list(value, &free_pcs)) {
                return -1;
            }
        } else if (strncmp(argv[i], "cache=", 6) == 0) {
            if (sscanf(value, "%" SCNx64 ":%" SCNx64 ":%" SCNx64 ":%" SCNx64 ":%" SCNx64 ":%" SCNx64, &cache.from,
                       &cache.to, &cache.bytes, &cache.ways, &cache.line, &cache.data) != 6) {
                return -1;
            }
            cache.tags = calloc(cache.bytes / cache.line, sizeof *cache.tags);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(value, "w");
        }
    }
    if (out == NULL) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, leave, NULL);
    return 0;
}
