/* SPDX-License-Identifier: Apache-2.0 */
/* Running a precreate hook. What it prints is as much to be checked as any other spec. */
#include <sys/wait.h>

#include "spec/hooks.h"
#include "spec/spec.h"
#include "sys/spawn.h"
#include "util/cleanup.h"

#define TIMEOUT_DEFAULT_S 30
#define MS_PER_S          1000
#define DIAG_SHOWN        512

static int failed(ctr_error_t **err, const char *path, int code)
{
	ctr__error_detail(err, "path", path);
	return ctr__error_prefix(err, code, "precreate hook %s", path);
}

static int64_t timeout_ms(const struct ctr__json *hook)
{
	int64_t seconds = TIMEOUT_DEFAULT_S;

	(void)ctr__json_i64(ctr__json_get(hook, "timeout"), &seconds);
	return seconds * MS_PER_S;
}

/* The strings of a list; with `first` in front if the list is empty or absent. */
static char **strings_of(const struct ctr__json *list, const char *first)
{
	CTR__STRV char **v = ctr__strv_copy(NULL);

	if (!v)
		return NULL;
	if (first && (!list || !list->first) && !ctr__strv_add(&v, first))
		return NULL;
	CTR__JSON_EACH (s, list) {
		if (!ctr__strv_add(&v, s->text))
			return NULL;
	}
	return CTR__STEAL_PTR(v);
}

/* Its last words, on one line. */
static void say_why(ctr_error_t **err, int status, bool known, const struct ctr__buf *diag)
{
	const char *text = diag->data ? diag->data : "";
	size_t len = ctr__utf8_span(text, strcspn(text, "\n"));

	if (len > DIAG_SHOWN)
		len = ctr__utf8_span(text, DIAG_SHOWN);
	if (known && WIFSIGNALED(status))
		ctr__fail(err, CTR_E_FAILED, "killed by signal %d", WTERMSIG(status));
	else
		ctr__fail(err, CTR_E_FAILED, "exit status %d%s%.*s", WEXITSTATUS(status),
		    len ? ": " : "", (int)len, text);
}

static int run(const struct ctr__json *hook, const struct ctr__buf *spec, struct ctr__buf *out,
    ctr_error_t **err)
{
	const char *path = ctr__json_str(ctr__json_get(hook, "path"));
	CTR__STRV char **args = strings_of(ctr__json_get(hook, "args"), path);
	CTR__STRV char **env = strings_of(ctr__json_get(hook, "env"), NULL);
	CTR__BUF struct ctr__buf diag = {0};
	int status, r;
	bool known;

	if (!args || !env)
		return ctr__fail_nomem(err);
	const struct ctr__filter f = {.path = path,
	    .argv = (const char *const *)args,
	    .envp = (const char *const *)env,
	    .in = spec->data,
	    .in_len = spec->len,
	    .out_max = CTR__JSON_MAX_SIZE,
	    .timeout_ms = timeout_ms(hook)};
	r = ctr__run_filter(&f, out, &diag, &status, &known, err);
	if (r < 0)
		return r;
	/* Who does not know the exit status has the output to judge by. */
	if (known && status != 0) {
		say_why(err, status, known, &diag);
		return CTR_E_FAILED;
	}
	return 0;
}

int ctr__hook_filter(const struct ctr__json *hook, const struct ctr__json *spec,
    struct ctr__json_doc **out, ctr_error_t **err)
{
	const char *path = ctr__json_str(ctr__json_get(hook, "path"));
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	CTR__BUF struct ctr__buf in = {0}, text = {0};
	int r;

	ctr__json_write(spec, false, &in);
	if (in.failed)
		return ctr__fail_nomem(err);
	r = run(hook, &in, &text, err);
	if (r == 0)
		r = ctr__json_parse(
		    text.data ? text.data : "", text.len, "the spec it printed", &doc, err);
	if (r == 0)
		r = ctr__spec_validate(doc->root, err);
	if (r < 0)
		return r == CTR_E_NOMEM ? r : failed(err, path, r);
	*out = CTR__STEAL_PTR(doc);
	return 0;
}
