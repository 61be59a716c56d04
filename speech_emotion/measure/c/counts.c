/*
 * QEMU plug-in: instructions executed within regions of a program, exactly, per address and per region.
 *
 * A region starts where one of the `begin` addresses is executed, the first being of kind 0 and so on, and
 * ends at `end`. Arguments: begin=HEX:HEX:...,end=HEX,slow=FILE,free=FILE,out=FILE; slow lists addresses, in hexadecimal,
 * whose executions are counted per region too, free those that are not counted at all. Writes one line per region, in order,
 *     region KIND INSTRUCTIONS SLOW
 * and then one per address and kind,
 *     at ADDRESS KIND INSTRUCTIONS LONGEST
 * LONGEST being the instructions within the longest region of that kind.
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
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, exit_cb, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = 1;

enum { KINDS = 8, BUCKETS = 1 << 18 };

typedef struct address {
    struct address *next;
    uint64_t pc;
    uint64_t executed; /* since the program's start */
    uint64_t before;   /* when the region began */
    uint64_t within[KINDS];
    uint64_t longest[KINDS];
    bool slow, free;
} address;

static address *addresses[BUCKETS];
static uint64_t begins[KINDS], longest[KINDS], end_pc, executed, slow, executed_before, slow_before;
typedef struct {
    uint64_t *pc;
    size_t count;
} list;
static list slow_pcs, free_pcs;
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
        (*found)->free = holds(&free_pcs, pc);
    }
    return *found;
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
    fprintf(out, "region %d %" PRIu64 " %" PRIu64 "\n", open_kind, length, slow - slow_before);
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
        if (a->free) {
            continue;
        }
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &a->executed, 1);
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &executed, 1);
        if (a->slow) {
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &slow, 1);
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
        } else if (strncmp(argv[i], "free=", 5) == 0) {
            if (!read_list(value, &free_pcs)) {
                return -1;
            }
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
