/* SPDX-License-Identifier: Apache-2.0 */
/* Options, the table of subcommands, detaching. */
#include "helper.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct subcommand {
	const char *name;
	subcommand_fn fn;
	bool detaches; /* the caller does not wait for it (unless --wait is given) */
	const char *args, *help;
} subcommands[] = {
    {"boot", cmd_boot, false, "", "start what is to be started after a boot"},
    {"exit", cmd_exit, true, "ID", "restart, clean up or remove a container that has ended"},
    {"health", cmd_health, true, "ID STARTED INTERVAL STARTUP-INTERVAL",
        "check a container's health while it runs"},
};
#define HOOKS_DIRS_MAX 32
enum { N_SUBCOMMANDS = sizeof(subcommands) / sizeof(*subcommands) };

static const struct option options[] = {{"root", required_argument, NULL, 'r'},
    {"run-root", required_argument, NULL, 'R'}, {"runtime", required_argument, NULL, 'o'},
    {"conmon", required_argument, NULL, 'c'}, {"helper", required_argument, NULL, 'H'},
    {"hooks-dir", required_argument, NULL, 'k'}, {"systemd-cgroup", no_argument, NULL, 's'},
    {"wait", no_argument, NULL, 'w'}, {"help", no_argument, NULL, 'h'}, {0}};

static const struct subcommand *find(const char *name)
{
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	}
	return NULL;
}

static int usage(FILE *out)
{
	fprintf(out, "Usage: libctr-helper SUBCOMMAND [OPTIONS] [ARGUMENTS]\n\nSubcommands:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		fprintf(out, "  %-8s %-4s %s%s\n", subcommands[i].name, subcommands[i].args,
		    subcommands[i].help, subcommands[i].detaches ? ", in the background" : "");
	fprintf(out, "\nOptions:\n"
	             "  --root DIR, --run-root DIR   the store\n"
	             "  --runtime PATH[:PATH...]     OCI runtimes\n"
	             "  --conmon PATH                container monitor\n"
	             "  --helper PATH                this program, for the containers it starts\n"
	             "  --hooks-dir DIR              hook files; may be repeated\n"
	             "  --systemd-cgroup             cgroups through systemd\n"
	             "  --wait                       stay in the foreground\n");
	return out == stdout ? 0 : 2;
}

/* conmon before 2.1.9 gives its own protection from the OOM killer on to us, and so to what we start. */
static void drop_oom_protection(void)
{
	static const char file[] = "/proc/self/oom_score_adj";
	char text[16] = "";
	int fd = open(file, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strcmp(text, "-1000\n") == 0 &&
	    write(fd, "0", 1) != 1)
		fprintf(stderr, "libctr-helper: cannot write %s\n", file);
	if (fd >= 0)
		close(fd);
}

/* The monitor waits for the program that it runs, and the container's cleanup waits for the monitor. Returns
 * true in the process that goes on. */
static bool detach(void)
{
	pid_t pid = fork();

	if (pid == 0)
		(void)setsid();
	/* Where there is no second process the first one does it: late is better than never. */
	return pid <= 0;
}

static int run(const struct subcommand *s, const struct ctr_open_opts *o, int argc, char **argv)
{
	ctr_runtime_t *rt = NULL;
	ctr_error_t *err = NULL;
	int r = ctr_runtime_open(o, &rt, &err);

	if (r >= 0)
		r = s->fn(rt, argc, argv, &err);
	if (r < 0)
		fprintf(stderr, "libctr-helper: %s: %s\n", s->name, ctr_error_message(err));
	ctr_error_free(err);
	ctr_runtime_unref(rt);
	return r < 0;
}

int main(int argc, char **argv)
{
	struct ctr_open_opts open_opts = {.size = sizeof(open_opts)};
	const struct subcommand *s = argc > 1 ? find(argv[1]) : NULL;
	const char *hooks_dirs[HOOKS_DIRS_MAX + 1] = {NULL};
	size_t n_hooks_dirs = 0;
	bool wait = false;
	int o;

	if (!s)
		return usage(argc > 1 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
	argc--;
	argv++;
	while ((o = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (o) {
		case 'r': open_opts.root = optarg; break;
		case 'R': open_opts.run_root = optarg; break;
		case 'o': open_opts.oci_runtimes = optarg; break;
		case 'c': open_opts.conmon = optarg; break;
		case 'H': open_opts.helper = optarg; break;
		case 'k':
			if (n_hooks_dirs == HOOKS_DIRS_MAX)
				return usage(stderr);
			hooks_dirs[n_hooks_dirs++] = optarg;
			open_opts.hooks_dirs = hooks_dirs;
			break;
		case 's': open_opts.flags |= CTR_OPEN_SYSTEMD_CGROUP; break;
		case 'w': wait = true; break;
		case 'h': return usage(stdout);
		default: return usage(stderr);
		}
	}
	/* The current directory is the container's, which may have to go. */
	if (chdir("/") < 0)
		fprintf(stderr, "libctr-helper: cannot change to /\n");
	drop_oom_protection();
	if (s->detaches && !wait && !detach())
		return 0;
	argv[optind - 1] = (char *)s->name;
	return run(s, &open_opts, argc - optind + 1, argv + optind - 1);
}
