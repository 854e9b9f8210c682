/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the benchmark share: options, rows of the table, samples, files and processes.
 *
 * The program runs each section as a process of its own (itself again, with --section): a mount namespace
 * with a tmpfs for the run root, a fresh address space, and for crun a cgroup file system of version 2
 * only. A section writes its rows to its standard output; the first process prints them.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <libctr/libctr.h>

/* ---- options: bench.c ---- */

struct options {
	const char *only; /* regular expression of row names; NULL = all */
	bool quick;
	bool no_podman;
	int podman_containers; /* how many to create for its listings */
	const char *dir;       /* where to work: a disk, not a tmpfs  */
};
extern struct options opt;

/* Is this row wanted? */
bool want(const char *id);
/* `full` or, with --quick, `quick`. */
int rounds(int full, int quick);

/* ---- rows: table.c ---- */

enum unit { UNIT_NS, UNIT_RATE, UNIT_COUNT, UNIT_BYTES };
enum rule {
	RULE_NONE,      /* for information                    */
	RULE_RATIO_MAX, /* ours / floor <= limit              */
	RULE_RATIO_MIN, /* ours / floor >= limit              */
	RULE_MAX        /* ours <= limit, in the row's unit   */
};

struct row {
	const char *id;
	const char *what;
	enum unit unit;
	enum rule rule;
	double ours;
	double floor; /* 0 = there is none     */
	double limit;
	double peer; /* 0 = not measured      */
	const char *note;
};

/* Hands a row of a section to the first process. `note` may be NULL or a printf format. */
void emit(struct row r);
void emit_note(struct row r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void print_heading(void);
/* Prints what emit() wrote; false if the row misses its target. Lines that are not rows go to stderr. */
bool print_row(char *line);

/* ---- time and samples: util.c ---- */

int64_t now_ns(void);
/* CPU time of this thread: for what never waits, so that neighbours on a shared machine do not count. */
int64_t cpu_ns(void);
void sleep_ms(int ms);
/* Returns its argument and keeps the compiler from dropping what made it. */
const void *keep(const void *p);

struct samples {
	double *v;
	size_t n, cap;
};
void sample(struct samples *s, double v);
double percentile(struct samples *s, double p); /* sorts; 0 if empty */
double median(struct samples *s);
void samples_free(struct samples *s);

/* ---- files and processes: util.c ---- */

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
char *text(const char *format, ...) __attribute__((format(printf, 1, 2))); /* owned */
char *read_file(const char *path, size_t *len); /* owned; dies if absent */
void write_file(const char *path, const void *data, size_t len);
void make_dir(const char *path);
void remove_tree(const char *path);
void copy_file(const char *from, const char *to);
char *find_program(const char *name); /* owned path, or NULL */
char *beside(const char *name);       /* owned path of a program next to this one */

/* Starts a program with stdin from `in` and stdout to `out` (-1 = /dev/null); stderr stays. */
pid_t start_program(const char *const *argv, int in, int out);
int wait_program(pid_t pid); /* exit code, 128 + signal */
/* Runs a program with its output thrown away; its time in ns. *code may be NULL, then it must be 0. */
double time_program(const char *const *argv, int *code);
/* CPU time of all children that have been waited for, in ns. */
double children_cpu(void);
/* Runs a program and returns what it printed: owned. */
char *run_output(const char *const *argv);

/* A copy of this program in another role, with pipes to its stdin and from its stdout: helper.c */
struct helper {
	pid_t pid;
	int in, out;
};
void helper_start(struct helper *h, const char *role, const char *a, const char *b, const char *c);
void helper_ask(struct helper *h, char command); /* sends it and waits for the answer */
void helper_end(struct helper *h);
int helper_main(int argc, char **argv);

#endif
