/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: everything about containers, as an array of JSON documents. */
#include "ctrctl.h"

#include <getopt.h>
#include <stdio.h>

struct inspect {
	uint64_t flags;
	bool all;
	size_t printed;
};

static void new_line(unsigned int depth)
{
	printf("\n%*s", (int)(4 * depth), "");
}

/* Prints compact JSON for people: a line per member. `depth` is that of the document itself. */
static void print_indented(const char *json, unsigned int depth)
{
	bool in_string = false;

	for (const char *p = json; *p; p++) {
		bool opens = !in_string && (*p == '{' || *p == '[');
		bool closes = !in_string && (*p == '}' || *p == ']');
		bool empty = closes && (p[-1] == '{' || p[-1] == '[');

		if (closes) {
			depth--;
			if (!empty)
				new_line(depth);
		}
		putchar(*p);
		if (in_string && *p == '\\') {
			putchar(*++p);
			continue;
		}
		if (*p == '"')
			in_string = !in_string;
		depth += opens;
		if ((opens && p[1] != '}' && p[1] != ']') || (!in_string && *p == ','))
			new_line(depth);
		if (!in_string && *p == ':')
			putchar(' ');
	}
}

static int inspect_one(ctr_container_t *c, void *userdata, ctr_error_t **err)
{
	struct inspect *in = userdata;
	char *json = NULL;
	int r = ctr_container_inspect(c, in->flags, &json, NULL, err);

	if (r < 0)
		return r;
	printf("%s", in->printed++ ? "," : "");
	new_line(1);
	print_indented(json, 1);
	ctr_free(json);
	return 0;
}

static int inspect_all(struct app *app, const struct inspect *in)
{
	char *json = NULL;
	ctr_error_t *err = NULL;

	if (ctr_runtime_inspect_many(app->rt, NULL, in->flags, &json, NULL, &err) < 0)
		return report(app, NULL, &err);
	print_indented(json, 0);
	putchar('\n');
	ctr_free(json);
	return 0;
}

int cmd_inspect(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
	    {"all", no_argument, NULL, 'a'}, {"size", no_argument, NULL, 's'}, {0}};
	struct inspect in = {0};
	int o, code;

	while ((o = getopt_long(argc, argv, "+:as", options, NULL)) != -1) {
		switch (o) {
		case 'a': in.all = true; break;
		case 's': in.flags |= CTR_INSPECT_SIZE; break;
		default: return option_error(app, o, argv);
		}
	}
	if (in.all && argv[optind])
		return usage_error(app, "--all takes no argument, but got '%s'", argv[optind]);
	if (in.all)
		return inspect_all(app, &in);
	if (!argv[optind])
		return usage_error(app, "which container?");
	putchar('[');
	code = for_each_target(app, argv + optind, inspect_one, &in, false);
	printf("%s]\n", in.printed ? "\n" : "");
	return code;
}
