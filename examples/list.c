/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list [FILTER...]: all containers and what they are doing, from one consistent look at the store.
 *
 * Filters are "state=running", "name=web", "label=tier=front", "id=4f2a": same key: any may match,
 * different keys: all must.
 */
#include "example.h"

int main(int argc, char **argv)
{
	ctr_runtime_t *rt = open_store();
	ctr_list_t *list = NULL;
	ctr_error_t *err = NULL;

	(void)argc; /* argv ends with NULL, which is just how libctr takes lists */
	if (ctr_runtime_list(rt, (const char *const *)(argv + 1), 0, &list, &err) < 0)
		die("list", err);

	for (size_t i = 0; i < ctr_list_count(list); i++) {
		printf("%.12s  %-16s %-12s", ctr_list_id(list, i), ctr_list_name(list, i),
		    ctr_state_name(ctr_list_state(list, i)));
		if (ctr_list_pid(list, i) > 0)
			printf(" pid %d", ctr_list_pid(list, i));
		printf("  %s\n", ctr_list_command(list, i));
	}
	printf("%zu container(s)\n", ctr_list_count(list));

	/* The listing is a copy: it stays as it was, whatever the containers do meanwhile. */
	ctr_list_free(list);
	ctr_runtime_unref(rt);
	return 0;
}
