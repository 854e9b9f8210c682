/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: how fast the library is, beside the least that the same work can cost and beside podman.
 * docs/performance.md says what each row means.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/magic.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sections.h"

struct options opt = {.podman_containers = 200, .dir = "/var/tmp"};

struct section {
	const char *name;
	const char *rows; /* by spaces: what --only is compared with */
	void (*run)(struct world *w);
	const char *oci; /* the OCI runtime it is about; NULL = any */
};

static const struct section sections[] = {
    {"access", "config.get state.idle state.live state.changed batch.idle batch.live",
        section_access, NULL},
    {"save", "save", section_save, NULL},
    {"create", "create.commits create.syncs create.time", section_create, NULL},
    {"list", "list.1000 list.10000", section_list, NULL},
    {"cold", "cold cold.noexec", section_cold, NULL},
    {"memory", "memory memory.handles", section_memory, NULL},
    {"size", "size", section_size, NULL},
    {"owner", "owner.p50 owner.max", section_owner, NULL},
    {"inspect", "inspect", section_inspect, NULL},
    {"events", "events.write events.read", section_events, NULL},
    {"logs", "logs.all logs.tail", section_logs, NULL},
    {"usage", "top stats", section_usage, "runc"},
    {"start", "start.big", section_start, "runc"},
    {"life-runc", "life.runc.cold life.runc.hot", section_life, "runc"},
    {"exec-runc", "exec.runc.cold exec.runc.hot exec.runc.many", section_exec, "runc"},
    {"wait-runc", "wait.runc.p50 wait.runc.p99", section_wait, "runc"},
    {"many-runc", "many.runc", section_many, "runc"},
    {"life-crun", "life.crun.cold life.crun.hot", section_life, "crun"},
    {"exec-crun", "exec.crun.cold exec.crun.hot exec.crun.many", section_exec, "crun"},
    {"wait-crun", "wait.crun.p50 wait.crun.p99", section_wait, "crun"},
    {"many-crun", "many.crun", section_many, "crun"},
    {"chain", "chain", section_chain, "runc"},
    {"streams", "attach.bytes attach.tty attach.idle", section_streams, "runc"},
};
#define SECTIONS (sizeof(sections) / sizeof(*sections))

static bool matches(const char *id, size_t len)
{
	char name[64];
	regex_t re;
	bool hit;

	if (!opt.only)
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)len, id);
	if (regcomp(&re, opt.only, REG_EXTENDED | REG_NOSUB))
		die("--only: \"%s\" is not a regular expression", opt.only);
	hit = regexec(&re, name, 0, NULL, 0) == 0;
	regfree(&re);
	return hit;
}

bool want(const char *id)
{
	return matches(id, strlen(id));
}

int rounds(int full, int quick)
{
	return opt.quick ? quick : full;
}

static bool section_wanted(const struct section *s)
{
	for (const char *p = s->rows; *p;) {
		size_t len = strcspn(p, " ");

		if (matches(p, len))
			return true;
		p += len;
		p += *p == ' ';
	}
	return false;
}

/* ---- a section ---- */

static bool only_cgroup2(void)
{
	struct statfs fs;

	return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static void enter_namespace(const struct section *s, const char *run)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("cannot make a mount namespace: %s", strerror(errno));
	if (mount("tmpfs", run, "tmpfs", 0, "mode=0755") < 0)
		die("cannot mount a tmpfs at %s: %s", run, strerror(errno));
	/* crun wants a host with cgroup 2 only. */
	if (s->oci && strcmp(s->oci, "crun") == 0 && !only_cgroup2() &&
	    mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
		die("cannot mount cgroup2: %s", strerror(errno));
}

static int run_section(const char *name, const char *dir)
{
	for (size_t i = 0; i < SECTIONS; i++) {
		struct world w;
		char *tmpfs;

		if (strcmp(sections[i].name, name) != 0)
			continue;
		tmpfs = text("%s/tmpfs", dir);
		make_dir(dir);
		make_dir(tmpfs);
		enter_namespace(&sections[i], tmpfs);
		world_init(&w, dir, tmpfs, sections[i].oci);
		if (sections[i].oci && !w.oci) {
			fprintf(stderr, "%s is not installed: no rows %s\n", sections[i].oci,
			    sections[i].rows);
			return 0;
		}
		sections[i].run(&w);
		world_end(&w);
		return 0;
	}
	die("no section %s", name);
}

/* ---- the first process ---- */

/* Everything that a section started and left ends up here, since we are a subreaper. */
static void kill_rest(void)
{
	char path[64];
	bool any;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	do {
		FILE *f = fopen(path, "re");
		int pid;

		any = false;
		while (f && fscanf(f, "%d", &pid) == 1) {
			kill((pid_t)pid, SIGKILL);
			any = true;
		}
		if (f)
			fclose(f);
		while (waitpid(-1, NULL, any ? 0 : WNOHANG) > 0)
			;
	} while (any);
}

/* The misses and failures of one section. */
static int drive(const struct section *s, char **argv, int argc, const char *base)
{
	const char *args[32] = {"/proc/self/exe"};
	char *line = NULL, *dir = text("%s/%s", base, s->name);
	int ends[2], n = 1, bad = 0, code;
	size_t size = 0;
	pid_t pid;
	FILE *f;

	for (int i = 1; i < argc && n < 24; i++)
		args[n++] = argv[i];
	args[n++] = "--section";
	args[n++] = s->name;
	args[n++] = "--base";
	args[n++] = dir;
	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	pid = start_program(args, -1, ends[1]);
	close(ends[1]);
	f = fdopen(ends[0], "r");
	while (f && getline(&line, &size, f) > 0)
		bad += !print_row(line);
	code = wait_program(pid);
	if (code) {
		printf("%-14s FAILED: section %s ended with %d\n", s->name, s->name, code);
		bad++;
	}
	kill_rest();
	remove_tree(dir);
	free(line);
	free(dir);
	if (f)
		fclose(f);
	return bad;
}

static void usage(void)
{
	puts("usage: bench [OPTION...]    (as root)\n"
	     "  --only REGEX           only rows whose name matches (e.g. '^life', 'state|batch')\n"
	     "  --quick                fewer rounds\n"
	     "  --no-podman            without the rival\n"
	     "  --podman-containers N  how many of its containers to list (default 200)\n"
	     "  --dir DIR              where to work (default /var/tmp): a disk, not a tmpfs\n"
	     "  --list                 print the names of the rows\n"
	     "The exit code is 0 when everything was measured, whatever came out; 1 otherwise.");
}

static void print_names(void)
{
	for (size_t i = 0; i < SECTIONS; i++)
		printf("%-10s %s\n", sections[i].name, sections[i].rows);
}

static void print_machine(void)
{
	char *load = read_file("/proc/loadavg", NULL);
	struct utsname u;

	uname(&u);
	printf("%ld CPUs, kernel %s, load %.14s\n", sysconf(_SC_NPROCESSORS_ONLN), u.release, load);
	free(load);
}

static int run_all(char **argv, int argc)
{
	char *base = text("%s/ctrb.XXXXXX", opt.dir);
	int bad = 0;

	if (getuid() != 0)
		die("must be run as root");
	if (!mkdtemp(base))
		die("%s: %s", base, strerror(errno));
	chmod(base, 0755);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	print_heading();
	for (size_t i = 0; i < SECTIONS; i++) {
		if (section_wanted(&sections[i]))
			bad += drive(&sections[i], argv, argc, base);
	}
	remove_tree(base);
	printf("%d row(s) missed or failed\n", bad);
	print_machine();
	free(base);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"only", 1, NULL, 'o'}, {"quick", 0, NULL, 'q'},
	    {"no-podman", 0, NULL, 'n'}, {"podman-containers", 1, NULL, 'p'}, {"dir", 1, NULL, 'd'},
	    {"list", 0, NULL, 'l'}, {"section", 1, NULL, 's'}, {"base", 1, NULL, 'b'},
	    {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *section = NULL, *base = NULL;
	int c;

	if (argc > 1 && strcmp(argv[1], "--helper") == 0)
		return helper_main(argc - 2, argv + 2);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'o': opt.only = optarg; break;
		case 'q': opt.quick = true; break;
		case 'n': opt.no_podman = true; break;
		case 'p': opt.podman_containers = atoi(optarg); break;
		case 'd': opt.dir = optarg; break;
		case 'l': print_names(); return 0;
		case 's': section = optarg; break;
		case 'b': base = optarg; break;
		case 'h': usage(); return 0;
		default: usage(); return 2;
		}
	}
	return section ? run_section(section, base) : run_all(argv, argc);
}
