/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr.h - the container engine as a library.
 *
 * The tour, in the order in which a program needs it:
 *
 *	#include <libctr/libctr.h>
 *
 *	ctr_runtime_t *rt = NULL;
 *	ctr_error_t *err = NULL;
 *	if (ctr_runtime_open(NULL, &rt, &err) < 0)              // runtime.h: open a store
 *		...                                             // error.h: code, message, details
 *
 *	ctr_config_builder_t *b = ctr_config_builder_new();     // config.h: what it shall be
 *	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, "/srv/busybox", NULL);
 *	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/date", NULL);
 *	ctr_config_t *cfg = NULL;
 *	ctr_config_builder_build(b, &cfg, &err);
 *	ctr_config_builder_free(b);
 *
 *	ctr_container_t *c = NULL;
 *	ctr_container_create(rt, cfg, 0, &c, &err);             // container.h: create, start, stop,
 *	ctr_container_start(c, 0, &err);                        //   kill, pause, wait, remove
 *
 *	int32_t state, code;
 *	ctr_container_state(c, &state, &err);                   // state.h: what it is doing
 *	ctr_container_batch(c, callback, userdata, &err);       // batch.h: many calls, one lock
 *	ctr_container_wait(c, -1, &code, &err);
 *	ctr_container_remove(c, 0, &err);
 *
 *	ctr_container_start_and_attach(c, 0, &io, &a, &err);    // attach.h: its input and output
 *	ctr_container_exec(c, &opts, &io, &code, &err);         // exec.h: one more process in it
 *	ctr_container_logs(c, NULL, &log, &err);                // log.h: what it has printed
 *	ctr_container_stats(c, &stats, &err);                   // stats.h: what it uses, its processes
 *
 *	ctr_container_inspect(c, 0, &json, NULL, &err);         // inspect.h: all of it as JSON
 *	ctr_runtime_list(rt, NULL, 0, &list, &err);             // list.h: everything that exists
 *	ctr_runtime_next_event(rt, &ev, &err);                  // event.h: everything that happens
 *	ctr_pod_start(pod, 0, &err);                            // pod.h: containers that live together
 *
 *	ctr_container_handle_exit(c, 0, &err);                  // policy.h: what happens by itself
 *	ctr_runtime_prune(rt, NULL, 0, NULL, &err);             // prune.h: removes what does not run
 *	ctr_container_add_artifact(c, "note", "x", 1, &err);    // artifact.h: files kept with it
 *	ctr_container_healthcheck_run(c, 0, &result, &err);     // health.h: does it do its work?
 *
 *	ctr_container_unref(c);
 *	ctr_config_unref(cfg);
 *	ctr_runtime_unref(rt);
 *
 * The conventions that hold everywhere (errors, ownership, threads, options) are in types.h. Plug-in
 * authors read sys/oci_ops.h and sys/storage_ops.h. Everything is declared in one of these headers; a
 * symbol that is not is not part of the library.
 */
#ifndef LIBCTR_LIBCTR_H
#define LIBCTR_LIBCTR_H

#include <libctr/types.h>
#include <libctr/version.h>
#include <libctr/error.h>
#include <libctr/runtime.h>
#include <libctr/config.h>
#include <libctr/container.h>
#include <libctr/state.h>
#include <libctr/batch.h>
#include <libctr/attach.h>
#include <libctr/exec.h>
#include <libctr/log.h>
#include <libctr/stats.h>
#include <libctr/inspect.h>
#include <libctr/list.h>
#include <libctr/artifact.h>
#include <libctr/event.h>
#include <libctr/policy.h>
#include <libctr/pod.h>
#include <libctr/health.h>
#include <libctr/prune.h>

#endif
