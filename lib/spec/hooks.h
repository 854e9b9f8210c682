/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hook directories: files that add OCI hooks to the containers they match, as in containers' oci-hooks(5), version
 * 1.0.0:
 *
 *	{"version": "1.0.0",
 *	 "hook": {"path": "/abs", "args": ["abs", "x"], "env": ["K=V"], "timeout": 5},
 *	 "when": {"always": true, "annotations": {"^key$": "^value$"}, "commands": ["/sh$"],
 *	          "hasBindMounts": true, "or": false},
 *	 "stages": ["prestart", "precreate", ...]}
 *
 * Conditions of `when` are all to be met, with "or" one of them. Patterns are POSIX extended regular expressions
 * that match anywhere. Files are the *.json of all directories, by name; a later directory's file stands in for
 * an earlier one's of the same name. Directories that do not exist count as empty. What is not understood is
 * an error and not left out: a hook that is to guard containers must not get lost.
 */
#ifndef LIBCTR_SPEC_HOOKS_H
#define LIBCTR_SPEC_HOOKS_H

#include <stdbool.h>

#include "util/json.h"

struct ctr__hook_file {
	char *name, *path; /* malloc'ed: "x.json", "/dir/x.json" */
	struct ctr__json_doc *doc;
};

/* Files, sorted by name. */
struct ctr__hook_list {
	struct ctr__hook_file *v;
	size_t n;
};

void ctr__hook_list_free(struct ctr__hook_list *list);
#define CTR__HOOK_LIST CTR__CLEANUP(ctr__hook_list_free)

/* Reads and checks all files of the directories (NULL-terminated or NULL). Errors have detail "path". */
int ctr__hook_list_read(const char *const *dirs, struct ctr__hook_list *out, ctr_error_t **err);

/* Checks one document: CTR_E_INVALID, or CTR_E_UNSUPPORTED for another version. */
int ctr__hook_check(const struct ctr__json *hook, const char *path, ctr_error_t **err);

/* What conditions are about. */
struct ctr__hook_subject {
	const struct ctr__json *annotations; /* object of strings, or NULL */
	const char *command;                 /* process.args[0]            */
	bool has_bind_mounts;
};

/* Does a checked document apply? 1, 0, CTR_E_NOMEM. */
int ctr__hook_matches(
    const struct ctr__json *hook, const struct ctr__hook_subject *s, ctr_error_t **err);

/* Drops the files that do not apply. */
int ctr__hook_list_select(
    struct ctr__hook_list *list, const struct ctr__hook_subject *s, ctr_error_t **err);

/* Does a stage belong to OCI runtimes (false: "precreate")? */
bool ctr__hook_stage_is_oci(const char *stage);

/* Filters a spec through one precreate hook (the member "hook" of a document): it gets the text on standard input
 * and must print a spec. *out is a new document. CTR_E_TIMEOUT, CTR_E_FAILED (exit status), CTR_E_INVALID
 * (what it printed), with detail "path" = the hook. */
int ctr__hook_filter(const struct ctr__json *hook, const struct ctr__json *spec,
    struct ctr__json_doc **out, ctr_error_t **err);

#endif
