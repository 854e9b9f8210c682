/* SPDX-License-Identifier: Apache-2.0 */
/* bench-cold ROOT RUN_ROOT ID [time]: opens the store, finds one container. With "time", prints the ns from
 * main() to there. */
#include <stdio.h>
#include <time.h>

#include <libctr/libctr.h>

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	long long start = now();
	struct ctr_open_opts o = {.size = sizeof(o)};
	ctr_runtime_t *rt = NULL;
	ctr_container_t *c = NULL;

	if (argc < 4)
		return 2;
	o.root = argv[1];
	o.run_root = argv[2];
	if (ctr_runtime_open(&o, &rt, NULL) < 0 || ctr_container_lookup(rt, argv[3], &c, NULL) < 0)
		return 1;
	if (argc > 4)
		printf("%lld\n", now() - start);
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	return 0;
}
