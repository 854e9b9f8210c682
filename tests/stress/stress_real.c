/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm on real containers: stress_real [RUNTIME] [SECONDS]. Afterwards no process, mount, cgroup or file of them
 * is left.
 */
#include "real.h"
#include "storm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOXES = 10, SECONDS = 60, HANG_MS = 90000 };

static ctr_runtime_t *open_store(void *impl)
{
	return real_open(impl);
}

static ctr_config_t *config(void *impl, int n)
{
	/* Some end by themselves, some on SIGTERM, some never. */
	static const char *const scripts[] = {"exit 3", "sleep 0.05; exit 4",
	    "trap 'exit 5' TERM; sleep 1000 & wait", "sleep 1000; true"};
	ctr_config_builder_t *b = real_builder(impl, scripts[n % 4]);
	ctr_config_t *cfg = NULL;
	char name[16];

	snprintf(name, sizeof(name), "box-%d", n);
	ctr_config_builder_set_str(b, CTR_CONFIG_NAME, name, NULL);
	if (ctr_config_builder_build(b, &cfg, NULL) < 0)
		abort();
	ctr_config_builder_free(b);
	return cfg;
}

int main(int argc, char **argv)
{
	struct storm s = {.boxes = BOXES, .hang_ms = HANG_MS, .open = open_store, .config = config};
	struct real *r;
	bool ok;

	real_init(argc, argv);
	/* crun's tests run below a cgroup without that controller. */
	s.limits = argc > 1 && strcmp(argv[1], "runc") == 0;
	s.seconds = storm_seconds(argc, argv, SECONDS);
	r = real_new();
	if (!r || !r->rt)
		return 1;
	/* It would be of no use in the processes of the storm. */
	r->rt = ctr_runtime_unref(r->rt);
	s.impl = r;
	ok = storm_run(&s);
	r->rt = real_open(r);
	ok = real_free(r) && ok;
	return ok ? 0 : 1;
}
