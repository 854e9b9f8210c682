/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a configuration that is accepted can be read through every accessor, can be written, and
 * what is written is accepted again and says the same.
 */
#include <libctr/libctr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "fuzz_config: %s\n", what);
	abort();
}

static size_t touch_text(const char *s)
{
	return s ? strlen(s) : 0;
}

/* The length by its place: the order in which arguments are evaluated is not defined. */
static size_t touch_list(const char *const *list, const size_t *length)
{
	size_t sum = 0, n = *length;

	require(list != NULL, "a list is NULL");
	for (size_t i = 0; i < n; i++)
		sum += strlen(list[i]);
	require(list[n] == NULL, "a list has no end");
	return sum;
}

/* Every accessor that gives memory. */
static size_t touch(const ctr_config_t *cfg)
{
	const char *key = NULL, *value = NULL;
	size_t sum = touch_text(ctr_config_hostname(cfg)), n = 0;

	for (int32_t field = 0; field < 128; field++) {
		sum += touch_text(ctr_config_get_str(cfg, field));
		sum += touch_list(ctr_config_get_list(cfg, field, &n), &n);
		sum += ctr_config_get_num(cfg, field) != 0;
	}
	sum += touch_list(ctr_config_dependencies(cfg, &n), &n);
	sum += touch_list(ctr_config_args(cfg, &n), &n);
	sum += touch_list(ctr_config_env(cfg, &n), &n);
	for (size_t i = 0; ctr_config_label_at(cfg, i, &key, &value); i++)
		require(ctr_config_label(cfg, key) == value, "a label is not found");
	require(ctr_config_stop_signal(cfg) >= 1 && ctr_config_stop_signal(cfg) <= 64, "signal");
	require(ctr_config_stop_timeout_ms(cfg) >= 0, "timeout");
	require(ctr_config_shm_size(cfg) >= 0, "shm size");
	return sum;
}

static char *write_text(const ctr_config_t *cfg, size_t *len)
{
	char *text = NULL;

	require(ctr_config_to_json(cfg, &text, len, NULL) == 0, "cannot be written");
	require(strlen(text) == *len, "length");
	return text;
}

static void check_rebuild(const ctr_config_t *cfg, const char *text)
{
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_config_t *built = NULL;
	size_t len;

	require(b != NULL, "no builder");
	require(ctr_config_builder_build(b, &built, NULL) == 0, "cannot be built");
	char *again = write_text(built, &len);

	require(strcmp(text, again) == 0, "changes when built");
	ctr_free(again);
	ctr_config_unref(built);
	ctr_config_builder_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_config_t *cfg = NULL, *again = NULL;
	ctr_error_t *err = NULL;
	size_t len, len2;
	int r = ctr_config_from_json((const char *)data, size, &cfg, &err);

	if (r < 0) {
		require(cfg == NULL && ctr_error_code(err) == r, "error");
		require(
		    ctr_error_message(err)[0] && !strchr(ctr_error_message(err), '\n'), "message");
		ctr_error_free(err);
		return 0;
	}
	require(err == NULL, "an error without a failure");
	touch(cfg);
	char *text = write_text(cfg, &len);

	require(ctr_config_from_json(text, len, &again, NULL) == 0, "cannot be read again");
	char *text2 = write_text(again, &len2);

	require(len == len2 && memcmp(text, text2, len) == 0, "changes when read again");
	check_rebuild(cfg, text);
	ctr_free(text);
	ctr_free(text2);
	ctr_config_unref(again);
	ctr_config_unref(cfg);
	return 0;
}
