/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of generating a config.json. Each one edits the copy of the spec. A failed allocation is
 * remembered in `e`; a step that finds something wrong sets `code` (and *err), which ends the generation. The
 * order is in generate.c.
 */
#ifndef LIBCTR_SPEC_GEN_H
#define LIBCTR_SPEC_GEN_H

#include "spec/edit.h"
#include "spec/hooks.h"
#include "spec/spec.h"

struct ctr__gen {
	struct ctr__edit e;
	struct ctr__json *spec, *process;
	const ctr_config_t *cfg;
	const struct ctr__spec_facts *facts;
	ctr_error_t **err;
	int code;                    /* 0, or the negative code of the step that failed */
	struct ctr__hook_list hooks; /* those that apply */
	char *stage_hooks;           /* malloc'ed: see struct ctr__spec_result */
};

/* Sets a variable ("HOME=") of the environment unless it is there. */
void ctr__gen_want_env(struct ctr__gen *g, const char *name, const char *value);
/* Text that is not empty? */
bool ctr__gen_is_set(const struct ctr__json *v);
/* spec.linux, made if it is absent. */
struct ctr__json *ctr__gen_linux(struct ctr__gen *g);
/* Has the container a namespace of this kind ("pid") that is made for it? */
bool ctr__gen_own_namespace(const struct ctr__gen *g, const char *type);
/* The entry of linux.namespaces; NULL if there is none. */
struct ctr__json *ctr__gen_find_namespace(const struct ctr__gen *g, const char *type);

/* gen_mounts.c */
void ctr__gen_root(struct ctr__gen *g);
void ctr__gen_bind_mounts(struct ctr__gen *g);
void ctr__gen_resolve_tmpfs(struct ctr__gen *g);
void ctr__gen_sort_mounts(struct ctr__gen *g);
/* gen_propagation.c */
void ctr__gen_propagation(struct ctr__gen *g);
/* gen_namespaces.c */
void ctr__gen_namespaces(struct ctr__gen *g);
/* gen_process.c */
void ctr__gen_labels(struct ctr__gen *g);
void ctr__gen_hostname(struct ctr__gen *g);
void ctr__gen_no_new_privs(struct ctr__gen *g);
/* gen_hooks.c */
void ctr__gen_find_hooks(struct ctr__gen *g);
void ctr__gen_hooks(struct ctr__gen *g);
/* gen_limits.c */
void ctr__gen_rlimits(struct ctr__gen *g);
/* gen_user.c */
void ctr__gen_user(struct ctr__gen *g);
/* gen_linux.c */
void ctr__gen_annotations(struct ctr__gen *g);
void ctr__gen_cgroup(struct ctr__gen *g);
void ctr__gen_hidden_paths(struct ctr__gen *g);

#endif
