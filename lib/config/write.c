/* SPDX-License-Identifier: Apache-2.0 */
/* Fields -> JSON, as libpod writes them. */
#include "config/model.h"

#include <inttypes.h>

#include "util/clock.h"
#include "util/cleanup.h"

/* Strings and times that libpod writes even if they are not set. (Other kinds are filled in when a
 * configuration is made and count as given.) */
static bool written_if_absent(int32_t number)
{
	static const int32_t always[] = {CTR_CONFIG_ID, CTR_CONFIG_NAME, CTR_CONFIG_STATIC_DIR,
	    CTR_CONFIG_CREATED_TIME, CTR_CONFIG_CGROUP_PARENT, CTR_CONFIG_LOG_PATH};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(always); i++)
		if (always[i] == number)
			return true;
	return false;
}

static void write_str(const char *s, struct ctr__buf *out)
{
	ctr__json_write_string(s ? s : "", s ? strlen(s) : 0, out);
}

static void write_time(int64_t ns, struct ctr__buf *out)
{
	char text[CTR__RFC3339_MAX];

	ctr__rfc3339_format(ns, text);
	write_str(text, out);
}

static void write_strv(const struct ctr__cfg_list *list, struct ctr__buf *out)
{
	ctr__buf_addc(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			ctr__buf_addc(out, ',');
		write_str(list->v[i], out);
	}
	ctr__buf_addc(out, ']');
}

static void write_map(const struct ctr__cfg_map *map, struct ctr__buf *out)
{
	ctr__buf_addc(out, '{');
	for (size_t i = 0; i < map->n; i++) {
		if (i > 0)
			ctr__buf_addc(out, ',');
		write_str(map->v[i].key, out);
		ctr__buf_addc(out, ':');
		write_str(map->v[i].value, out);
	}
	ctr__buf_addc(out, '}');
}

static void write_value(enum ctr__cfg_kind kind, const void *slot, struct ctr__buf *out)
{
	switch (kind) {
	case CTR__CFG_STR: write_str(*(const ctr__cfg_STR *)slot, out); return;
	case CTR__CFG_BOOL: ctr__buf_adds(out, *(const bool *)slot ? "true" : "false"); return;
	case CTR__CFG_NUM: ctr__buf_addf(out, "%" PRId64, *(const int64_t *)slot); return;
	case CTR__CFG_TIME: write_time(*(const int64_t *)slot, out); return;
	case CTR__CFG_STRV: write_strv(slot, out); return;
	case CTR__CFG_MAP: write_map(slot, out); return;
	case CTR__CFG_OBJ: {
		const struct ctr__cfg_text *json = slot;

		ctr__buf_add(out, json->text, json->len);
		return;
	}
	}
}

static void write_key(const char *key, bool *first, struct ctr__buf *out)
{
	ctr__buf_addc(out, *first ? '{' : ',');
	*first = false;
	write_str(key, out);
	ctr__buf_addc(out, ':');
}

void ctr__config_write(const ctr_config_t *cfg, struct ctr__buf *out)
{
	bool first = true;

	for (size_t i = 0; i < ctr__cfg_fields_n; i++) {
		const struct ctr__cfg_field *f = &ctr__cfg_fields[i];

		if (!cfg->given[f->number] && !written_if_absent(f->number))
			continue;
		write_key(f->key, &first, out);
		write_value(f->kind, (const char *)cfg + f->offset, out);
	}
	for (size_t i = 0; i < cfg->unknown_n; i++) {
		write_key(cfg->unknown[i].key, &first, out);
		ctr__buf_adds(out, cfg->unknown[i].value);
	}
	ctr__buf_addc(out, '}');
}
