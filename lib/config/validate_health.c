/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: decoding them, and the rules of libpod. */
#include <string.h>

#include <libctr/health.h>

#include "config/health.h"
#include "config/model.h"
#include "util/cleanup.h"

#define NS_PER_SEC       INT64_C(1000000000)
#define SHORTEST         INT64_C(1000000) /* a millisecond, as docker has it */
#define LONGEST          (INT64_MAX / 4)
#define DEFAULT_INTERVAL (30 * NS_PER_SEC)
#define DEFAULT_TIMEOUT  (30 * NS_PER_SEC)
#define DEFAULT_RETRIES  3

static const char check_key[] = "healthcheck";
static const char startup_key[] = "startupHealthCheck";

void ctr__health_check_free(struct ctr__health_check *h)
{
	ctr__strv_free(h->argv);
	h->argv = NULL;
}

/* ---- the command ---- */

static int add_word(struct ctr__health_check *h, const char *word, ctr_error_t **err)
{
	return ctr__strv_add(&h->argv, word) ? 0 : ctr__fail_nomem(err);
}

/* libpod joins several texts by spaces. */
static int decode_shell(
    struct ctr__health_check *h, const struct ctr__json *first, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	int r;

	if (!first)
		return 0;
	for (const struct ctr__json *v = first; v; v = v->next)
		ctr__buf_addf(&text, "%s%s", v == first ? "" : " ", v->text);
	if (text.failed)
		return ctr__fail_nomem(err);
	r = add_word(h, "/bin/sh", err);
	if (r == 0)
		r = add_word(h, "-c", err);
	return r < 0 ? r : add_word(h, text.data ? text.data : "", err);
}

static int decode_words(
    struct ctr__health_check *h, const struct ctr__json *first, ctr_error_t **err)
{
	size_t n = 0;

	if (!first || !first->len)
		return 0; /* libpod's way to say "none" */
	for (const struct ctr__json *v = first; v; v = v->next)
		n++;
	/* There may be millions. */
	h->argv = calloc(n + 1, sizeof(*h->argv));
	if (!h->argv)
		return ctr__fail_nomem(err);
	for (char **word = h->argv; first; first = first->next) {
		*word = strdup(first->text);
		if (!*word++)
			return ctr__fail_nomem(err);
	}
	return 0;
}

static int decode_test(
    struct ctr__health_check *h, const struct ctr__json *test, const char *key, ctr_error_t **err)
{
	const char *kind;

	if (!test || test->type == CTR__JSON_NULL)
		return 0;
	if (test->type != CTR__JSON_ARRAY)
		return ctr__cfg_bad(err, CTR_E_INVALID, key,
		    "Test must be a list of strings, not %s", ctr__json_type_name(test->type));
	CTR__JSON_EACH (v, test) {
		if (v->type != CTR__JSON_STRING)
			return ctr__cfg_bad(err, CTR_E_INVALID, key,
			    "Test must be a list of strings, but holds %s",
			    ctr__json_type_name(v->type));
	}
	kind = ctr__json_str(test->first);
	if (!kind || strcmp(kind, "NONE") == 0)
		return 0;
	if (strcmp(kind, "CMD") == 0)
		return decode_words(h, test->first->next, err);
	if (strcmp(kind, "CMD-SHELL") == 0)
		return decode_shell(h, test->first->next, err);
	return decode_words(h, test->first, err);
}

/* ---- the numbers ---- */

struct rule {
	const char *name;
	int64_t least, most; /* 0 is always allowed */
	const char *unit;
};

static int decode_number(const struct ctr__json *v, const struct rule *rule, const char *key,
    int64_t *out, ctr_error_t **err)
{
	const struct ctr__json *member = ctr__json_get(v, rule->name);

	if (!member || member->type == CTR__JSON_NULL)
		return 0;
	if (!ctr__json_i64(member, out))
		return ctr__cfg_bad(
		    err, CTR_E_INVALID, key, "%s must be a whole number", rule->name);
	if (*out && (*out < rule->least || *out > rule->most))
		return ctr__cfg_bad(err, CTR_E_INVALID, key,
		    "%s must be 0 or %lld to %lld%s, not %lld", rule->name, (long long)rule->least,
		    (long long)rule->most, rule->unit, (long long)*out);
	return 0;
}

static int decode_numbers(
    struct ctr__health_check *h, const struct ctr__json *v, const char *key, ctr_error_t **err)
{
	static const char ns[] = " nanoseconds";
	static const struct rule rules[] = {
	    {"Interval", SHORTEST, LONGEST, ns},
	    {"Timeout", SHORTEST, LONGEST, ns},
	    {"StartPeriod", SHORTEST, LONGEST, ns},
	    {"Retries", 1, INT32_MAX, ""},
	    {"Successes", 1, INT32_MAX, ""},
	};
	int64_t *const places[] = {
	    &h->interval_ns, &h->timeout_ns, &h->start_period_ns, &h->retries, &h->successes};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(rules); i++) {
		int r = decode_number(v, &rules[i], key, places[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

int ctr__health_check_decode(
    const struct ctr__json *v, const char *key, struct ctr__health_check *out, ctr_error_t **err)
{
	int r;

	*out = (struct ctr__health_check){.interval_ns = DEFAULT_INTERVAL};
	if (!v || v->type == CTR__JSON_NULL)
		return 0;
	if (v->type != CTR__JSON_OBJECT)
		return ctr__cfg_bad(err, CTR_E_INVALID, key, "must be an object, not %s",
		    ctr__json_type_name(v->type));
	r = decode_test(out, ctr__json_get(v, "Test"), key, err);
	if (r == 0)
		r = decode_numbers(out, v, key, err);
	if (r < 0) {
		ctr__health_check_free(out);
		return r;
	}
	if (!out->timeout_ns)
		out->timeout_ns = DEFAULT_TIMEOUT;
	if (!out->retries && strcmp(key, startup_key) != 0)
		out->retries = DEFAULT_RETRIES;
	if (!out->successes)
		out->successes = 1;
	return 0;
}

int ctr__health_check_of(
    const ctr_config_t *cfg, bool startup, struct ctr__health_check *out, ctr_error_t **err)
{
	const struct ctr__cfg_text *text = startup ? &cfg->startup_healthcheck : &cfg->healthcheck;
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	int r;

	*out = (struct ctr__health_check){0};
	if (!text->text)
		return 0;
	r = ctr__json_parse(text->text, text->len, "health check", &doc, err);
	if (r < 0)
		return r;
	return ctr__health_check_decode(doc->root, startup ? startup_key : check_key, out, err);
}

/* ---- rules ---- */

static int check_action(const ctr_config_t *cfg, bool has_check, ctr_error_t **err)
{
	static const char key[] = "healthcheck_on_failure_action";

	switch (cfg->health_on_failure) {
	case CTR_HEALTH_ACTION_NONE: return 0;
	case CTR_HEALTH_ACTION_KILL:
	case CTR_HEALTH_ACTION_RESTART:
	case CTR_HEALTH_ACTION_STOP: break;
	default:
		return ctr__cfg_bad(err, CTR_E_INVALID, key,
		    "must be 0 (none), 2 (kill), 3 (restart) or 4 (stop), not %lld",
		    (long long)cfg->health_on_failure);
	}
	return has_check ? 0 : ctr__cfg_bad(err, CTR_E_INVALID, key, "needs a health check");
}

static int check_log(const ctr_config_t *cfg, ctr_error_t **err)
{
	const char *dir = cfg->health_log_destination;

	if (dir && strcmp(dir, "local") != 0 && dir[0] != '/')
		return ctr__cfg_bad_value(
		    err, "healthLogDestination", dir, "is neither \"local\" nor an absolute path");
	if (cfg->health_max_log_count < 0)
		return ctr__cfg_bad(err, CTR_E_INVALID, "healthMaxLogCount",
		    "must not be negative: %lld", (long long)cfg->health_max_log_count);
	if (cfg->health_max_log_size < 0)
		return ctr__cfg_bad(err, CTR_E_INVALID, "healthMaxLogSize",
		    "must not be negative: %lld", (long long)cfg->health_max_log_size);
	return 0;
}

int ctr__cfg_check_health(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	CTR__HEALTH_CHECK struct ctr__health_check check = {0};
	CTR__HEALTH_CHECK struct ctr__health_check startup = {0};
	int r = ctr__health_check_decode(ctr__cfg_member(root, check_key), check_key, &check, err);

	if (r == 0)
		r = ctr__health_check_decode(
		    ctr__cfg_member(root, startup_key), startup_key, &startup, err);
	if (r == 0 && startup.argv && !check.argv)
		r = ctr__cfg_bad(err, CTR_E_INVALID, startup_key, "needs a health check");
	if (r == 0)
		r = check_action(cfg, check.argv != NULL, err);
	return r < 0 ? r : check_log(cfg, err);
}
