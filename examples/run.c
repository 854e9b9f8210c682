/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run ROOTFS COMMAND [ARG...]: one container's whole life.
 *
 * Creates it, starts it, waits for its end, prints what it wrote, removes it, and ends with its exit
 * code. An example of almost everything a program needs.
 */
#include "example.h"

/* From arguments to a configuration: it never changes once it is made. */
static ctr_config_t *configure(const char *rootfs, char **command)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;

	/* A builder remembers its first error and gives it again at the end: no checks between. */
	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, rootfs, NULL);
	for (; *command; command++)
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, *command, NULL);
	if (ctr_config_builder_build(b, &cfg, &err) < 0)
		die("configuration", err);
	ctr_config_builder_free(b);
	return cfg;
}

/* The log has lines "TIME STREAM TAG TEXT", as Kubernetes has them. */
static void print_log(const char *path)
{
	char *line = NULL;
	size_t size = 0;
	FILE *log = path ? fopen(path, "re") : NULL;

	while (log && getline(&line, &size, log) > 0) {
		char *text = line;
		for (int i = 0; i < 3 && text; i++)
			text = strchr(text, ' ') ? strchr(text, ' ') + 1 : NULL;
		if (text)
			fputs(text, stdout);
	}
	free(line);
	if (log)
		fclose(log);
}

int main(int argc, char **argv)
{
	ctr_runtime_t *rt;
	ctr_config_t *cfg;
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;
	int32_t code = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s ROOTFS COMMAND [ARG...]\n", argv[0]);
		return 2;
	}
	rt = open_store();
	cfg = configure(argv[1], argv + 2);

	/* Creating stores it: from here on it has an ID and every process can see it. */
	if (ctr_container_create(rt, cfg, 0, &c, &err) < 0)
		die("create", err);
	ctr_config_unref(cfg);

	/* Starting runs it. On failure it is still there: remove it before giving up. */
	if (ctr_container_start(c, 0, &err) < 0) {
		ctr_container_remove(c, CTR_REMOVE_FORCE, NULL);
		die("start", err);
	}
	if (ctr_container_wait(c, -1, &code, &err) < 0)
		die("wait", err);

	/* The container's own copy of the configuration knows where its log is. */
	cfg = ctr_container_config(c);
	print_log(ctr_config_log_path(cfg));
	if (ctr_container_remove(c, 0, &err) < 0)
		die("remove", err);
	fprintf(stderr, "container %.12s ended with code %d\n", ctr_container_id(c), code);

	/* A handle outlives its container; the order of these does not matter. */
	ctr_config_unref(cfg);
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	return code;
}
