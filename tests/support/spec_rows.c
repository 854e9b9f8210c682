/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations for tests of generated specs: see spec_rows.h. */
#include "spec_rows.h"
#include "fixture.h"

#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STR(field, value)  OK(ctr_config_builder_set_str(b, field, value, err))
#define ADD(field, value)  OK(ctr_config_builder_add_str(b, field, value, err))
#define BOOL(field)        OK(ctr_config_builder_set_bool(b, field, 1, err))
#define NUM(field, number) OK(ctr_config_builder_set_num(b, field, number, err))

static void privileged(ctr_config_builder_t *b)
{
	BOOL(CTR_CONFIG_PRIVILEGED);
}

static void read_only(ctr_config_builder_t *b)
{
	BOOL(CTR_CONFIG_READ_ONLY);
	BOOL(CTR_CONFIG_NO_NEW_PRIVS);
}

static void volumes(ctr_config_builder_t *b)
{
	ADD(CTR_SPEC_BIND, "/usr:/mnt/usr:ro");
	ADD(CTR_SPEC_BIND, "/usr/share:/mnt/usr/share");
	ADD(CTR_SPEC_BIND, "/tmp:/tmp");
}

static void process(ctr_config_builder_t *b)
{
	STR(CTR_CONFIG_USER, "1000:1001");
	STR(CTR_SPEC_WORKDIR, "/tmp");
	STR(CTR_SPEC_HOSTNAME, "host-name");
	ADD(CTR_SPEC_ENV, "A=b \"c\" \\ \xc3\xa4");
	NUM(CTR_CONFIG_STOP_SIGNAL, 2);
	OK(ctr_config_builder_set_map(b, CTR_SPEC_ANNOTATION, "org.x/y", "", err));
}

static void capabilities(ctr_config_builder_t *b)
{
	ADD(CTR_SPEC_CAP_ADD, "net_admin");
	ADD(CTR_SPEC_CAP_DROP, "CAP_CHOWN");
}

static void no_capabilities(ctr_config_builder_t *b)
{
	ADD(CTR_SPEC_CAP_DROP, "ALL");
}

static void limits(ctr_config_builder_t *b)
{
	NUM(CTR_SPEC_MEMORY, 64 << 20);
	NUM(CTR_SPEC_PIDS, 100);
	NUM(CTR_SPEC_CPU_QUOTA, 50000);
}

static void no_pids_limit(ctr_config_builder_t *b)
{
	NUM(CTR_SPEC_PIDS, -1);
}

static void host_network(ctr_config_builder_t *b)
{
	BOOL(CTR_SPEC_HOST_NETWORK);
}

static void terminal(ctr_config_builder_t *b)
{
	BOOL(CTR_SPEC_TERMINAL);
	BOOL(CTR_CONFIG_STDIN);
}

static void no_cgroups(ctr_config_builder_t *b)
{
	STR(CTR_CONFIG_CGROUPS_MODE, "disabled");
	STR(CTR_CONFIG_CGROUP_PARENT, NULL);
}

static void split(ctr_config_builder_t *b)
{
	STR(CTR_CONFIG_CGROUPS_MODE, "split");
	STR(CTR_CONFIG_CGROUP_PARENT, NULL);
}

#define JOINS(name, field)                               \
	static void name(ctr_config_builder_t *b)        \
	{                                                \
		STR(field, "BASE"); /* replaced later */ \
	}
JOINS(join_net, CTR_CONFIG_NET_NS_CTR)
JOINS(join_pid, CTR_CONFIG_PID_NS_CTR)
JOINS(join_ipc, CTR_CONFIG_IPC_NS_CTR)
JOINS(join_uts, CTR_CONFIG_UTS_NS_CTR)
JOINS(join_cgroup, CTR_CONFIG_CGROUP_NS_CTR)

/* A hook that does not read what it is told. */
#define DEAF "{\"path\":\"/bin/true\",\"args\":[\"true\"],\"timeout\":9}"

const struct spec_row spec_rows[] = {
    {.name = "minimal"},
    {.name = "privileged", .fill = privileged},
    {.name = "read-only", .fill = read_only},
    {.name = "volumes", .fill = volumes},
    {.name = "process", .fill = process},
    {.name = "capabilities", .fill = capabilities},
    {.name = "no-capabilities", .fill = no_capabilities},
    {.name = "limits", .fill = limits, .needs_cgroup = true},
    {.name = "no-pids-limit", .fill = no_pids_limit},
    {.name = "host-network", .fill = host_network},
    {.name = "terminal", .fill = terminal},
    {.name = "no-cgroups", .fill = no_cgroups, .no_cgroup = true},
    {.name = "split", .fill = split, .split = true},
    {.name = "join-net", .fill = join_net, .joins = true},
    {.name = "join-pid", .fill = join_pid, .joins = true},
    {.name = "join-ipc", .fill = join_ipc, .joins = true},
    {.name = "join-uts", .fill = join_uts, .joins = true},
    {.name = "join-cgroup", .fill = join_cgroup, .joins = true},
    {.name = "user-namespace",
        .edits = {"\"namespaces\":[",
            "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":65536}],"
            "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":65536}],"
            "\"namespaces\":[{\"type\":\"user\"},"}},
    {.name = "rlimits",
        .edits = {"\"noNewPrivileges\"",
            "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":512},"
            "{\"type\":\"RLIMIT_CORE\",\"hard\":0,\"soft\":0}],\"noNewPrivileges\""}},
    {.name = "tmpfs",
        .edits = {"\"mounts\":[",
            "\"mounts\":[{\"destination\":\"/link/deep\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
            "\"options\":[\"nosuid\",\"size=64k\"]},{\"destination\":\"/tmp\",\"type\":\"tmpfs\","
            "\"source\":\"tmpfs\"},"}},
    {.name = "seccomp",
        .edits = {"\"namespaces\":[",
            "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
            "[\"swapon\"],\"action\":\"SCMP_ACT_ERRNO\"}]},\"namespaces\":["}},
    {.name = "null-members",
        .edits = {"\"namespaces\":[", "\"sysctl\":{},\"namespaces\":[", "{\"ociVersion\"",
            "{\"annotations\":{},\"hooks\":{},\"ociVersion\""}},
    {.name = "hooks",
        .edits = {"{\"ociVersion\"", "{\"hooks\":{\"poststop\":[" DEAF "," DEAF "," DEAF "," DEAF
                                     "," DEAF "," DEAF "]},\"ociVersion\""}},
};
const size_t spec_rows_n = sizeof(spec_rows) / sizeof(*spec_rows);

/* ---- configurations ---- */

static char *replace(char *text, const char *what, const char *with)
{
	char *at = strstr(text, what), *out;

	if (!at)
		return text;
	out = malloc(strlen(text) + strlen(with) + 1);
	assert_non_null(out);
	memcpy(out, text, (size_t)(at - text));
	strcpy(out + (at - text), with);
	strcat(out, at + strlen(what));
	free(text);
	return out;
}

ctr_config_t *spec_row_config(const struct spec_row *row, ctr_config_builder_t *b, const char *base)
{
	ctr_config_t *built = NULL, *cfg = NULL;
	char *json = NULL, *text;

	if (row->fill)
		row->fill(b);
	OK(ctr_config_builder_build(b, &built, err));
	ctr_config_builder_free(b);
	OK(ctr_config_to_json(built, &json, NULL, err));
	text = strdup(json);
	assert_non_null(text);
	for (size_t i = 0; row->edits[i]; i += 2) {
		assert_non_null(strstr(text, row->edits[i]));
		text = replace(text, row->edits[i], row->edits[i + 1]);
	}
	text = replace(text, "BASE", base);
	if (ctr_config_from_json(text, strlen(text), &cfg, NULL) < 0)
		fail_msg("row %s: %s", row->name, text);
	free(text);
	ctr_free(json);
	ctr_config_unref(built);
	return cfg;
}

/* ---- what was generated ---- */

static void copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	int c;

	if (!in || !out)
		fail_msg("cannot copy %s to %s", from, to);
	while ((c = fgetc(in)) != EOF)
		fputc(c, out);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

void spec_row_keep(ctr_container_t *c, const char *dir, const char *name)
{
	char *run = NULL, from[400], to[400];

	OK(ctr_container_run_dir(c, &run, err));
	snprintf(from, sizeof(from), "%s/config.json", run);
	snprintf(to, sizeof(to), "%s/%s.json", dir, name);
	copy(from, to);
	ctr_free(run);
}

void spec_rows_validate(const char *dir)
{
	char pattern[400], *environment[] = {"PATH=/usr/bin:/bin", NULL};
	char *argv[66] = {TEST_VALIDATE};
	glob_t g = {0};
	pid_t pid;
	int status = -1;

	snprintf(pattern, sizeof(pattern), "%s/*.json", dir);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc < 65);
	memcpy(argv + 1, g.gl_pathv, g.gl_pathc * sizeof(*argv));
	assert_int_equal(posix_spawn(&pid, TEST_VALIDATE, NULL, NULL, argv, environment), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	globfree(&g);
}

/* ---- hooks ---- */

static void write_text(const char *path, mode_t mode, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

const char *const *spec_hooks_dir(const char *dir)
{
	static const char *const stages[] = {"prestart", "createRuntime", "createContainer",
	    "startContainer", "poststart", "poststop"};
	static char hooks[300];
	static const char *const list[] = {hooks, NULL};
	char path[400], text[2000];

	snprintf(hooks, sizeof(hooks), "%s/hooks.d", dir);
	assert_int_equal(mkdir(hooks, 0755), 0);
	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		/* The one that runs inside finds its program there. crun fails to create if a hook does
		 * not read its standard input. */
		snprintf(path, sizeof(path), "%s/%zu-%s.json", hooks, i, stages[i]);
		snprintf(text, sizeof(text),
		    "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\","
		    "\"cat >/dev/null; echo %s "
		    ">>%s/stages\"],\"timeout\":20},\"when\":{\"commands\":[\"sh$\"]},"
		    "\"stages\":[\"%s\"]}",
		    stages[i], strcmp(stages[i], "startContainer") == 0 ? "/tmp" : dir, stages[i]);
		write_text(path, 0644, text);
	}
	snprintf(path, sizeof(path), "%s/precreate.sh", dir);
	write_text(path, 0755, "#!/bin/sh\nexec sed 's/\"env\":\\[/&\"PRECREATE=ran\",/'\n");
	snprintf(text, sizeof(text),
	    "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"%s\",\"env\":[\"PATH=/usr/bin:/bin\"]},"
	    "\"when\":{\"always\":true},\"stages\":[\"precreate\"]}",
	    path);
	snprintf(path, sizeof(path), "%s/precreate.json", hooks);
	write_text(path, 0644, text);
	return list;
}
