// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest instructions by kernel function: a plugin for QEMU's TCG
 *
 * Usage: -plugin functions.so,map=SYSTEM.MAP,out=FILE[,mark=FUNCTION]
 *
 * Counts each instruction that the guest executes for the function in which it
 * lies; not for those that call it. Whenever the guest enters FUNCTION (default:
 * proc_do_uts_string, that is when /proc/sys/kernel/hostname is read or written)
 * what has been counted since the last time is written to FILE, a function a line:
 * number of the phase, instructions, calls of the function's first instruction,
 * name. Phase 0 ends with the first mark, the rest after the last mark is dropped.
 *
 * "[module]" is whatever is above the kernel's text, "[user]" what is below. For
 * guests with one CPU and without KASLR.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of QEMU's plugin interface, version 1, what is needed here: Debian has no header */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum { QEMU_PLUGIN_CB_NO_REGS };
enum { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*udata_cb)(unsigned int vcpu, void *udata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t idx);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, udata_cb cb,
					    int flags, void *userdata);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *ptr, uint64_t imm);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

struct function {
	uint64_t start;
	uint64_t insns;
	uint64_t calls;
	char *name;
};

static struct function *functions;
static size_t nr_functions;
static uint64_t mark_addr;
static unsigned int phase;
static FILE *out;

static int by_start(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void add_function(uint64_t start, const char *name)
{
	static size_t room;

	if (nr_functions == room) {
		room = room ? 2 * room : 65536;
		functions = realloc(functions, room * sizeof(*functions));
		if (!functions)
			abort();
	}
	functions[nr_functions++] = (struct function){ .start = start, .name = strdup(name) };
}

static bool read_map(const char *path, const char *mark)
{
	uint64_t start, end = 0;
	char type, name[512];
	size_t i, kept = 0;
	FILE *map = fopen(path, "r");

	if (!map)
		return false;
	add_function(0, "[user]");
	while (fscanf(map, "%" SCNx64 " %c %511s", &start, &type, name) == 3) {
		if (!strcmp(name, mark))
			mark_addr = start;
		if (!strcmp(name, "_end"))
			end = start;
		if (strchr("tTwW", type))
			add_function(start, name);
	}
	fclose(map);
	add_function(end, "[module]");
	qsort(functions, nr_functions, sizeof(*functions), by_start);

	/* Of several names for one address, one is enough. */
	for (i = 0; i < nr_functions; i++)
		if (!kept || functions[kept - 1].start != functions[i].start)
			functions[kept++] = functions[i];
	nr_functions = kept;
	return end && mark_addr;
}

static struct function *function_at(uint64_t addr)
{
	size_t low = 0, high = nr_functions;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		if (functions[middle].start <= addr)
			low = middle;
		else
			high = middle;
	}
	return &functions[low];
}

static void end_phase(unsigned int vcpu, void *unused)
{
	size_t i;

	for (i = 0; i < nr_functions; i++) {
		struct function *f = &functions[i];

		if (f->insns)
			fprintf(out, "%u %" PRIu64 " %" PRIu64 " %s\n", phase, f->insns,
				f->calls, f->name);
		f->insns = 0;
		f->calls = 0;
	}
	fflush(out);
	phase++;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const size_t n = qemu_plugin_tb_n_insns(tb);
	size_t i;

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint64_t addr = qemu_plugin_insn_vaddr(insn);
		struct function *f = function_at(addr);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
							   &f->insns, 1);
		if (addr == f->start)
			qemu_plugin_register_vcpu_insn_exec_inline(insn,
					QEMU_PLUGIN_INLINE_ADD_U64, &f->calls, 1);
		if (addr == mark_addr)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end_phase,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

/* The value of KEY=VALUE, or NULL */
static const char *value(const char *arg, const char *key)
{
	const size_t len = strlen(key);

	return !strncmp(arg, key, len) && arg[len] == '=' ? arg + len + 1 : NULL;
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
			char **argv)
{
	const char *map = NULL, *path = NULL, *mark = "proc_do_uts_string";
	int i;

	for (i = 0; i < argc; i++) {
		map = value(argv[i], "map") ?: map;
		path = value(argv[i], "out") ?: path;
		mark = value(argv[i], "mark") ?: mark;
	}
	if (!map || !path) {
		fprintf(stderr, "functions: map= or out= is missing\n");
		return -1;
	}
	if (!read_map(map, mark)) {
		fprintf(stderr, "functions: cannot read %s, or it lacks _end or %s\n", map, mark);
		return -1;
	}
	out = fopen(path, "w");
	if (!out) {
		perror(path);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
