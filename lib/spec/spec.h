/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI runtime spec as a document.
 *
 * defaults.c  the spec for a caller who has only a root file system and a command
 *             (wish.c checks what it asks for, capset.c and host.c what it may have)
 * validate.c  the types of what libctr reads or edits
 * generate.c  the config.json of a bundle, from a configuration and what is known at init, step by step:
 *             gen_mounts.c, gen_namespaces.c, gen_process.c, gen_linux.c (gen.h)
 * hooks.h     hook directories: hook_dirs.c, hook_check.c, hook_filter.c
 * edit.c, mounts.c  writing into a document; its list of mounts
 *
 * The order of generation (generate.c). Each step works on a copy of the configuration's spec and may rely on
 * those before it; what a step does not mention stays as the user wrote it.
 *
 *  1  hooks       which hook files apply: asked of the spec before anything is changed
 *  2  root        root.path, root.readonly
 *  3  labels      process.selinuxLabel, linux.mountLabel; only with SELinux, not with the option "disable"
 *  4  binds       files and directories that libctr provides; a user's mount with that destination wins
 *  5  tmpfs       destinations that are links in the root file system are followed there
 *  6  user        user, groups, HOME and umask, as looked up in the root file system
 *  7  namespaces  those of other containers are joined by path
 *  8  hostname    hostname and the variable HOSTNAME
 *  9  annotations stop signal, manager, time of creation; with systemd also the scope's stop settings
 * 10  cgroup      linux.cgroupsPath
 * 11  mounts      sorted by the depth of their destinations, otherwise in their order
 * 12  propagation shared and slave volumes: their host's side is checked, linux.rootfsPropagation is set
 * 13  hooks       those of OCI stages are appended to the spec's, then precreate hooks filter the spec
 * 14  rlimits     NOFILE and NPROC, unless set, as high as this process may
 * 15  hidden      none with privileged; else at least the power meters
 * 16  privileges  process.noNewPrivileges
 */
#ifndef LIBCTR_SPEC_SPEC_H
#define LIBCTR_SPEC_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "sys/ns.h"
#include "util/json.h"

/* What the default spec depends on. Lists are NULL-terminated or NULL. */
struct ctr__spec_wish {
	const char *const *args; /* required, not empty                                          */
	const char *const *env;
	const char *const *binds; /* "/host:/container[:ro]"                                  */
	const char *const *cap_add;
	const char *const *cap_drop;
	const struct ctr__cfg_map *annotations;
	const char *workdir;
	const char *hostname;
	int64_t memory, pids, cpu_quota;
	bool terminal, host_network, privileged, read_only, no_new_privs, no_cgroups;
	/* namespaces joined from another container: not private */
	bool join_ipc, join_mount, join_net, join_pid, join_user, join_uts, join_cgroup;
};

/* Builds the default spec as a new object of `d` (not attached). CTR_E_INVALID with detail "field". */
int ctr__spec_default(const struct ctr__spec_wish *w, struct ctr__json_doc *d,
    struct ctr__json **out, ctr_error_t **err);

/* Checks a spec as far as libctr depends on it: an object; ociVersion text; process.args a non-empty list
 * of strings; process.env, mounts, hooks, linux.namespaces, ... of the right types if present. CTR_E_INVALID
 * with detail "field" = path such as "spec.process.args". */
int ctr__spec_validate(const struct ctr__json *spec, ctr_error_t **err);

struct ctr__spec_ids {
	const struct ctr__id_range *v;
	size_t n;
};

/* Whom the process runs as, as far as only the root file system can tell. */
struct ctr__spec_user {
	bool by_name; /* uid and gid come from the configuration's `user` and replace the spec's */
	uint32_t uid, gid;
	const uint32_t *groups; /* join those of the spec */
	size_t groups_n;
	const char *home; /* HOME, unless the environment has it */
};

/* What init knows. */
struct ctr__spec_facts {
	const char *root_path;   /* mounted root file system */
	const char *cgroup_path; /* NULL = none */
	bool systemd_cgroup;     /* cgroup_path is of the form slice:prefix:name */
	/* Used if the spec has none and has a UTS namespace of its own. HOSTNAME is set to the name of the UTS
	 * namespace: the container's own, the host's, or `joined_hostname` (NULL = not known: not set). */
	const char *hostname, *joined_hostname;
	const struct ctr__cfg_pair *bind_mounts; /* destination, host path */
	size_t bind_mounts_n;
	const char *ns_paths[8]; /* index CTR_NS_*: path to join, or NULL */
	/* The mappings of the joined user namespace; none = not known. */
	struct ctr__spec_ids joined_uids, joined_gids;
	bool host_user_ns; /* what should be joined is the host's: no user namespace at all */
	const char *process_label, *mount_label; /* NULL without SELinux */
	const struct ctr__spec_user *user;       /* NULL: as the spec says */
	const char *const *hooks_dirs;           /* NULL-terminated or NULL: see hooks.h */
};

struct ctr__spec_result {
	bool terminal;    /* process.terminal */
	bool start_hooks; /* has poststart (or startContainer) hooks */
	bool own_pid_ns;  /* a PID namespace of its own */
	/* JSON, malloc'ed: {"precreate":[hooks that were run]}; NULL if there were none. */
	char *stage_hooks;
};

/* Appends the config.json text to `out`. The configuration's spec is not changed. */
int ctr__spec_generate(const ctr_config_t *cfg, const struct ctr__spec_facts *f,
    struct ctr__buf *out, struct ctr__spec_result *result, ctr_error_t **err);

#endif
