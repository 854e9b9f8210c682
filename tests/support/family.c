/* SPDX-License-Identifier: Apache-2.0 */
#include "family.h"

#include <stdlib.h>
#include <string.h>

void family_add(struct family *w, const char *deps)
{
	ctr_config_t *plain = fixture_config(w->f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);

	for (; *deps; deps++)
		OK(ctr_config_builder_add_str(
		    b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(w->c[*deps - '0']), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(w->f->rt, cfg, 0, &w->c[w->n++], err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
}

struct family family_of(void **state, const char *const *deps)
{
	struct family w = {.f = *state};

	for (; *deps; deps++)
		family_add(&w, *deps);
	free(events_text(w.f->rt));
	return w;
}

void family_end(struct family *w)
{
	for (size_t i = 0; i < w->n; i++)
		ctr_container_unref(w->c[i]);
}

char family_number(const struct family *w, const char *id)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(ctr_container_id(w->c[i]), id) == 0)
			return (char)('0' + i);
	return '?';
}

void assert_family_events(const struct family *w, int32_t type, const char *expected)
{
	char text[64] = "";
	ctr_event_t *ev = NULL;

	while (ctr_runtime_next_event(w->f->rt, &ev, NULL) > 0) {
		if (ctr_event_type(ev) == type)
			text[strlen(text)] = family_number(w, ctr_event_container_id(ev));
		ctr_event_unref(ev);
	}
	assert_string_equal(text, expected);
}
