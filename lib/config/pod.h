/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a pod: an immutable, counted snapshot. Its JSON has libpod's keys; unknown ones are kept. */
#ifndef LIBCTR_CONFIG_POD_H
#define LIBCTR_CONFIG_POD_H

#include <libctr/pod.h>

#include "config/config.h"

struct ctr_pod_config {
	atomic_uint refs;
	struct ctr__arena arena; /* owns everything below */
	ctr__cfg_STR id, name, hostname, cgroup_parent, service_ctr;
	ctr__cfg_STR runtime;        /* OCI runtime of the infra container; NULL = the default */
	ctr__cfg_STR exit_policy;    /* "continue" or "stop"; never NULL after parsing */
	ctr__cfg_STR restart_policy; /* NULL = none */
	ctr__cfg_NUM restart_retries;
	ctr__cfg_MAP labels;
	ctr__cfg_STRV create_command;
	ctr__cfg_TIME created_ns;
	ctr__cfg_BOOL has_infra;
	uint64_t shares; /* CTR_POD_SHARE_* */
	struct ctr__cfg_text json;
};

int ctr__pod_config_parse(const char *json, size_t len, ctr_pod_config_t **out, ctr_error_t **err);
/* From a caller's options (already copied in full). */
int ctr__pod_config_from_opts(
    const struct ctr_pod_opts *o, ctr_pod_config_t **out, ctr_error_t **err);

/* A copy in which ID, name, creation time and cgroup parent are filled in where they are missing. */
struct ctr__pod_defaults {
	const char *id, *name, *cgroup_parent;
	int64_t created_ns;
};
int ctr__pod_config_complete(const ctr_pod_config_t *cfg, const struct ctr__pod_defaults *d,
    ctr_pod_config_t **out, ctr_error_t **err);

ctr_pod_config_t *ctr__pod_config_ref(ctr_pod_config_t *cfg);
void ctr__pod_config_unref(ctr_pod_config_t *cfg);
void ctr__pod_config_unrefp(ctr_pod_config_t **cfg);
#define CTR__POD_CONFIG CTR__CLEANUP(ctr__pod_config_unrefp)

#endif
