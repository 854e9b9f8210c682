/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting: mounts. Only those are shown that a user asked for: the destinations in the user volumes. */
#include "core/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* ---- finding them ---- */

struct place {
	const char *destination;
	size_t index;
	const struct ctr__json *mount; /* NULL once it has been found */
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = strcmp(x->destination, y->destination);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* The last one with that destination: the one that is seen. Once only. */
static const struct ctr__json *take_place(struct place *v, size_t n, const char *destination)
{
	size_t low = 0, high = n; /* v[low - 1] <= destination < v[high] */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(v[middle].destination, destination) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || strcmp(v[low - 1].destination, destination) != 0)
		return NULL;
	return CTR__STEAL_PTR(v[low - 1].mount);
}

bool ctr__inspect_find_mounts(struct ctr__inspect *in)
{
	const struct ctr__json *mounts = ctr__json_get(in->spec, "mounts");
	const struct ctr__cfg_list *wanted = &in->cfg->user_volumes;
	CTR__FREE struct place *places = NULL;
	size_t n = 0;

	if (wanted->n == 0 || !mounts || mounts->count == 0)
		return true;
	places = calloc(mounts->count, sizeof(*places));
	in->mounts = calloc(wanted->n, sizeof(struct ctr__json *));
	if (!places || !in->mounts)
		return false;
	CTR__JSON_EACH (m, mounts) {
		const char *destination = ctr__json_str(ctr__json_get(m, "destination"));

		if (destination)
			places[n] = (struct place){destination, n, m}, n++;
	}
	qsort(places, n, sizeof(*places), compare_places);
	for (size_t i = 0; i < wanted->n; i++) {
		const struct ctr__json *m = take_place(places, n, wanted->v[i]);

		if (m)
			in->mounts[in->mounts_n++] = m;
	}
	return true;
}

/* ---- showing them ---- */

static const char *text_of(const struct ctr__json *mount, const char *key)
{
	const char *s = ctr__json_str(ctr__json_get(mount, key));

	return s ? s : "";
}

static bool is_tmpfs(const struct ctr__json *mount)
{
	return strcmp(text_of(mount, "type"), "tmpfs") == 0;
}

struct options {
	bool read_only;
	const char *propagation, *label;
};

/* Is this option shown by itself? Then it is taken note of. */
static bool note_option(struct options *o, const char *option)
{
	static const char *const propagations[] = {"shared", "slave", "private", "rshared",
	    "rslave", "rprivate", "unbindable", "runbindable", NULL};

	if (strcmp(option, "ro") == 0)
		o->read_only = true;
	else if (strcmp(option, "z") == 0 || strcmp(option, "Z") == 0)
		o->label = option;
	else if (ctr__strv_has(propagations, option))
		o->propagation = option;
	else
		return strcmp(option, "rw") == 0;
	return true;
}

static void emit_mount(const struct ctr__json *mount, struct ctr__buf *out)
{
	const struct ctr__json *options = ctr__json_get(mount, "options");
	struct options o = {.propagation = "", .label = ""};

	CTR__JSON_EACH (option, options)
		if (ctr__json_str(option))
			(void)note_option(&o, option->text);
	ctr__emit_object(out, NULL);
	ctr__emit_str(out, "Type", "bind");
	ctr__emit_str(out, "Source", text_of(mount, "source"));
	ctr__emit_str(out, "Destination", text_of(mount, "destination"));
	ctr__emit_str(out, "Driver", "");
	ctr__emit_str(out, "Mode", o.label);
	ctr__emit_array(out, "Options");
	CTR__JSON_EACH (option, options) {
		if (ctr__json_str(option) && !note_option(&o, option->text))
			ctr__emit_str(out, NULL, option->text);
	}
	ctr__emit_array_end(out);
	ctr__emit_bool(out, "RW", !o.read_only);
	ctr__emit_str(out, "Propagation", o.propagation);
	ctr__emit_object_end(out);
}

void ctr__inspect_mounts(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_array(out, "Mounts");
	for (size_t i = 0; i < in->mounts_n; i++)
		if (!is_tmpfs(in->mounts[i]))
			emit_mount(in->mounts[i], out);
	ctr__emit_array_end(out);
}

/* "ro,rprivate" */
static void add_options(const struct ctr__json *mount, struct ctr__buf *text)
{
	const char *comma = "";

	CTR__JSON_EACH (option, ctr__json_get(mount, "options")) {
		if (!ctr__json_str(option))
			continue;
		ctr__buf_adds(text, comma);
		ctr__buf_adds(text, option->text);
		comma = ",";
	}
}

static void emit_bind(const struct ctr__json *mount, struct ctr__buf *out)
{
	const struct ctr__json *options = ctr__json_get(mount, "options");
	CTR__BUF struct ctr__buf text = {0};

	ctr__buf_adds(&text, text_of(mount, "source"));
	ctr__buf_addc(&text, ':');
	ctr__buf_adds(&text, text_of(mount, "destination"));
	if (options && options->count > 0)
		ctr__buf_addc(&text, ':');
	add_options(mount, &text);
	out->failed = out->failed || text.failed;
	ctr__emit_str(out, NULL, text.data);
}

void ctr__inspect_binds(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_array(out, "Binds");
	for (size_t i = 0; i < in->mounts_n; i++)
		if (!is_tmpfs(in->mounts[i]))
			emit_bind(in->mounts[i], out);
	ctr__emit_array_end(out);
}

void ctr__inspect_tmpfs(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_object(out, "Tmpfs");
	for (size_t i = 0; i < in->mounts_n; i++) {
		CTR__BUF struct ctr__buf text = {0};

		if (!is_tmpfs(in->mounts[i]))
			continue;
		add_options(in->mounts[i], &text);
		out->failed = out->failed || text.failed;
		ctr__emit_str(out, text_of(in->mounts[i], "destination"), text.data);
	}
	ctr__emit_object_end(out);
}
