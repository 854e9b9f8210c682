/* SPDX-License-Identifier: Apache-2.0 */
/* What conmon and OCI runtimes say, read with suspicion: sync packets, error texts, state answers. */
#include "oci/driver.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"
#include "util/json.h"

/* Length of the UTF-8 sequence that starts with this byte; 1 for bytes that start none. */
static size_t sequence_length(unsigned char lead)
{
	if (lead >= 0xf0)
		return 4;
	if (lead >= 0xe0)
		return 3;
	if (lead >= 0xc0)
		return 2;
	return 1;
}

/* A copy with "?" for every byte that is not part of valid UTF-8, and for NUL: conmon and crun pass on
 * whatever the container's files are called. */
static char *sanitize(const char *data, size_t len)
{
	char *copy = malloc(len + 1);
	size_t i = 0;

	if (!copy)
		return NULL;
	while (i < len) {
		size_t n = sequence_length((unsigned char)data[i]);

		if (n > len - i || !ctr__utf8_valid(data + i, n)) {
			copy[i++] = '?';
			continue;
		}
		memcpy(copy + i, data + i, n);
		i += n;
	}
	copy[len] = '\0';
	return copy;
}

static struct ctr__json_doc *parse_lenient(const char *data, size_t len)
{
	CTR__FREE char *text = sanitize(data, len);
	struct ctr__json_doc *doc = NULL;

	if (!text || ctr__json_parse(text, len, "answer", &doc, NULL) < 0)
		return NULL;
	return doc;
}

/* ---- conmon's sync packet: {"data": PID} or {"data": -1, "message": "..."} ---- */

/* 0 comes from a PID file that holds no number. */

bool ctr__oci_parse_reply(const char *data, size_t len, struct ctr__oci_reply *r)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = parse_lenient(data, len);
	const struct ctr__json *message;
	int64_t pid;

	memset(r, 0, sizeof(*r));
	if (!doc || !ctr__json_i64(ctr__json_get(doc->root, "data"), &pid))
		return false;
	if (pid > INT32_MAX || pid < INT32_MIN)
		return false;
	message = ctr__json_get(doc->root, "message");
	if (message && !ctr__json_str(message))
		return false;
	if (message) {
		r->message = strdup(ctr__json_str(message));
		if (!r->message)
			return false;
	}
	r->pid = pid > 0 ? (int32_t)pid : -1;
	return true;
}

/* ---- error texts ---- */

static bool is_error_level(const char *level, size_t len)
{
	static const char *const levels[] = {"error", "fatal", "panic"};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(levels); i++)
		if (strlen(levels[i]) == len && memcmp(levels[i], level, len) == 0)
			return true;
	return false;
}

/* What one line of output is. */
enum line_kind {
	LINE_PLAIN,
	LINE_ERROR, /* a log line of level error; `text` is its message */
	LINE_OTHER, /* a log line of another level */
	LINE_NOMEM
};

static enum line_kind read_json_line(const char *line, size_t len, char **text)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = parse_lenient(line, len);
	const char *level, *message;

	if (!doc)
		return LINE_PLAIN;
	level = ctr__json_str(ctr__json_get(doc->root, "level"));
	message = ctr__json_str(ctr__json_get(doc->root, "msg"));
	if (!level || !message)
		return LINE_PLAIN;
	if (!is_error_level(level, strlen(level)))
		return LINE_OTHER;
	*text = strdup(message);
	return *text ? LINE_ERROR : LINE_NOMEM;
}

/* Appends what the Go escape sequence after a backslash at *p stands for; *p moves past it. */
static void add_go_escape(struct ctr__buf *b, const char **p)
{
	static const char from[] = "abfnrtv\\\"'";
	static const char to[] = "\a\b\f\n\r\t\v\\\"'";
	const char *known = **p ? strchr(from, **p) : NULL;

	if (!known) { /* \x.. and \u....: kept as written, they are for people */
		ctr__buf_addc(b, '\\');
		return;
	}
	ctr__buf_addc(b, to[known - from]);
	(*p)++;
}

/* A value of a logrus line: "quoted as Go does", or a bare word. */
static char *logrus_value(const char *p)
{
	CTR__BUF struct ctr__buf b = {0};

	if (*p != '"') {
		ctr__buf_add(&b, p, strcspn(p, " "));
		return ctr__buf_steal(&b);
	}
	p++;
	while (*p && *p != '"') {
		char c = *p++;

		if (c == '\\')
			add_go_escape(&b, &p);
		else
			ctr__buf_addc(&b, c);
	}
	return ctr__buf_steal(&b);
}

/* time="..." level=error msg="..." */
static enum line_kind read_logrus_line(const char *line, char **text)
{
	static const char level_key[] = " level=", message_key[] = " msg=";
	const char *level, *message;

	if (!ctr__starts_with(line, "time="))
		return LINE_PLAIN;
	level = strstr(line, level_key);
	message = strstr(line, message_key);
	if (!level || !message || message < level)
		return LINE_PLAIN;
	level += strlen(level_key);
	if (!is_error_level(level, strcspn(level, " ")))
		return LINE_OTHER;
	*text = logrus_value(message + strlen(message_key));
	return *text ? LINE_ERROR : LINE_NOMEM;
}

static enum line_kind read_line(const char *line, size_t len, char **text)
{
	if (*line == '{')
		return read_json_line(line, len, text);
	return read_logrus_line(line, text);
}

static char *trimmed(const char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return strndup(text, len);
}

char *ctr__oci_error_text(const char *data, size_t len)
{
	CTR__FREE char *copy = sanitize(data ? data : "", data ? len : 0);
	CTR__FREE char *error = NULL;
	CTR__BUF struct ctr__buf plain = {0};
	char *line, *rest = copy;

	if (!copy)
		return NULL;
	while ((line = strsep(&rest, "\n"))) {
		char *text = NULL;
		enum line_kind kind = read_line(line, strlen(line), &text);

		if (kind == LINE_NOMEM)
			return NULL;
		if (kind == LINE_ERROR) {
			free(error);
			error = text;
		}
		if (kind == LINE_PLAIN) {
			ctr__buf_adds(&plain, line);
			ctr__buf_addc(&plain, '\n');
		}
	}
	if (plain.failed)
		return NULL;
	return trimmed(error ? error : (plain.data ? plain.data : ""));
}

/* Without the words in front that only say which program speaks. */
static const char *skip_preamble(const char *text)
{
	static const char *const preambles[] = {
	    "runc create failed: ", "runc run failed: ", "unable to start container process: "};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(preambles); i++)
		if (ctr__starts_with(text, preambles[i]))
			text += strlen(preambles[i]);
	return text;
}

char *ctr__oci_one_line(const char *text)
{
	CTR__BUF struct ctr__buf b = {0};
	bool space = false;

	for (const char *p = skip_preamble(text); *p; p++) {
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p)) {
			space = b.len > 0;
			continue;
		}
		if (space)
			ctr__buf_addc(&b, ' ');
		space = false;
		ctr__buf_addc(&b, *p);
	}
	return ctr__buf_steal(&b);
}

static bool says(const char *text, const char *what)
{
	return strcasestr(text, what) != NULL;
}

/* `/proc/.../attr/exec` or `/proc/.../attr/current` */
static bool names_security_attribute(const char *text)
{
	const char *p = strstr(text, "/proc/");

	p = p ? strstr(p, "/attr/") : NULL;
	if (!p)
		return false;
	p += strlen("/attr/");
	return strstr(p, "exec") || strstr(p, "current");
}

int ctr__oci_classify(const char *text)
{
	if (says(text, "permission denied") || says(text, "operation not permitted"))
		return CTR_E_OCI_PERMISSION;
	/* Newer runc's words for what others call "permission denied". */
	if (says(text, "exec: \"") && says(text, "is a directory"))
		return CTR_E_OCI_PERMISSION;
	/* newer crun: "executable file `/x` not found: No such file..." is caught by the second */
	if (says(text, "executable file not found in") || says(text, "no such file or directory") ||
	    says(text, "open executable"))
		return CTR_E_OCI_NOT_FOUND;
	if (names_security_attribute(text))
		return CTR_E_OCI_SECURITY;
	return CTR_E_OCI_RUNTIME;
}

/* A runtime that cannot start says "no such file" too (of a library, say), but does not name the ID. */
bool ctr__oci_says_unknown(const char *text, const char *id)
{
	if (says(text, "container does not exist"))
		return true;
	return strstr(text, id) && (says(text, "does not exist") || says(text, "not found") ||
	                               says(text, "no such file or directory"));
}

/* ---- the answer of `state` ---- */

static bool status_of(const char *word, int32_t *status)
{
	static const struct {
		const char *word;
		int32_t status;
	} words[] = {
	    {"creating", CTR_OCI_CREATED},
	    {"created", CTR_OCI_CREATED},
	    {"running", CTR_OCI_RUNNING},
	    {"pausing", CTR_OCI_PAUSED},
	    {"paused", CTR_OCI_PAUSED},
	    {"stopped", CTR_OCI_STOPPED},
	};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(words); i++) {
		if (ctr__streq(word, words[i].word)) {
			*status = words[i].status;
			return true;
		}
	}
	return false;
}

bool ctr__oci_parse_state(const char *data, size_t len, struct ctr__oci_answer *a)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = parse_lenient(data, len);
	const struct ctr__json *member;
	int64_t pid = 0;

	memset(a, 0, sizeof(*a));
	if (!doc || !status_of(ctr__json_str(ctr__json_get(doc->root, "status")), &a->status))
		return false;
	member = ctr__json_get(doc->root, "pid");
	if (member && (!ctr__json_i64(member, &pid) || pid > INT32_MAX || pid < -1))
		return false;
	if (a->status != CTR_OCI_STOPPED && pid <= 0)
		return false;
	a->pid = a->status == CTR_OCI_STOPPED ? 0 : (int32_t)pid;
	return true;
}
