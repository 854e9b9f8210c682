/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr-helper: what must be done for a container when no program of the host is there to do it. Written on
 * libctr's public API only.
 *
 * main.c    options, table of subcommands, detaching from the caller
 * exit.c    after a container's end: restart, clean up or remove it; run by its monitor
 * health.c  while a container runs: its health checks; run by the library
 * boot.c    after a boot: start what is to be started
 *
 * A new subcommand is a file with its function and a line in main.c's table.
 */
#ifndef LIBCTR_HELPER_H
#define LIBCTR_HELPER_H

#include <libctr/libctr.h>

/* Gets its own arguments (argv[0] is its name), with the runtime open. Returns 0 or a negative CTR_E_* with *err. */
typedef int (*subcommand_fn)(ctr_runtime_t *rt, int argc, char **argv, ctr_error_t **err);

int cmd_boot(ctr_runtime_t *rt, int argc, char **argv, ctr_error_t **err);
int cmd_exit(ctr_runtime_t *rt, int argc, char **argv, ctr_error_t **err);
int cmd_health(ctr_runtime_t *rt, int argc, char **argv, ctr_error_t **err);

#endif
