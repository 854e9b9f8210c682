/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts file of a container. */
#include "net/hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"

#define BLANK        "\t\r\v\f "
#define HOST_GATEWAY "host-gateway"

/* Names that earlier groups have, sorted; and those of the group being written. They point into what the caller gave
 * or into copies that live as long. */
struct writer {
	struct ctr__buf *out;
	const char **known;
	size_t known_n, n, cap;
	bool nomem;
};

static void writer_free(struct writer *w)
{
	free(w->known);
}

static int by_name(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_known(const struct writer *w, const char *name)
{
	return w->known_n > 0 &&
	       bsearch(&name, w->known, w->known_n, sizeof(*w->known), by_name) != NULL;
}

static void remember(struct writer *w, const char *name)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 32;
		const char **v = realloc(w->known, cap * sizeof(*v));

		if (!v) {
			w->nomem = true;
			return;
		}
		w->known = v;
		w->cap = cap;
	}
	w->known[w->n++] = name;
}

/* From here on the names of the group count. */
static void end_group(struct writer *w)
{
	if (w->n > 1)
		qsort(w->known, w->n, sizeof(*w->known), by_name);
	w->known_n = w->n;
}

static bool printable(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word <= ' ' || *word == 0x7f || *word == '#')
			return false;
	return true;
}

static bool is_ip(const char *s)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1;
}

/* A line of those names that are new. `names` is split at the characters of `separators`, in place. */
static void write_line(struct writer *w, const char *ip, char *names, const char *separators)
{
	char *rest = NULL;
	bool any = false;

	for (char *name = strtok_r(names, separators, &rest); name;
	     name = strtok_r(NULL, separators, &rest)) {
		if (!printable(name) || is_known(w, name))
			continue;
		ctr__buf_addf(w->out, "%s%s%s", any ? "" : ip, any ? " " : "\t", name);
		remember(w, name);
		any = true;
	}
	if (any)
		ctr__buf_addc(w->out, '\n');
}

static void write_names(struct writer *w, const char *ip, const char *const *names)
{
	bool any = false;

	for (; names && *names; names++) {
		if (!**names || !printable(*names) || is_known(w, *names))
			continue;
		ctr__buf_addf(w->out, "%s%s%s", any ? "" : ip, any ? " " : "\t", *names);
		remember(w, *names);
		any = true;
	}
	if (any)
		ctr__buf_addc(w->out, '\n');
}

static int no_gateway(ctr_error_t **err, const char *entry)
{
	ctr__fail(err, CTR_E_INVALID,
	    "hostsAdd: \"%.100s\": the host has no address that could stand for \"" HOST_GATEWAY
	    "\"",
	    entry);
	ctr__error_detail(err, "field", "hostsAdd");
	return CTR_E_INVALID;
}

/* `copy` is cut into pieces. */
static int write_added(struct writer *w, const struct ctr__hosts *in, char *copy, ctr_error_t **err)
{
	char *ip = strchr(copy, ':');

	if (!ip)
		return 0; /* the configuration's check lets none through */
	*ip++ = '\0';
	if (strcmp(ip, HOST_GATEWAY) != 0) {
		write_line(w, ip, copy, ";");
		return 0;
	}
	if (!in->internal_ip)
		return no_gateway(err, copy);
	write_line(w, in->internal_ip, copy, ";");
	return 0;
}

static void write_base(struct writer *w, char *text)
{
	char *line;

	while (text && (line = strsep(&text, "\n"))) {
		char *rest = NULL, *ip;

		line[strcspn(line, "#")] = '\0';
		ip = strtok_r(line, BLANK, &rest);
		if (ip && is_ip(ip))
			write_line(w, ip, rest, BLANK);
	}
	end_group(w);
}

static void write_generated(struct writer *w, const struct ctr__hosts *in)
{
	static const char *const localhost[] = {"localhost", NULL};
	static const char *const internal[] = {
	    "host.containers.internal", "host.docker.internal", NULL};

	write_names(w, "127.0.0.1", localhost);
	write_names(w, "::1", localhost);
	end_group(w);
	if (in->internal_ip)
		write_names(w, in->internal_ip, internal);
	end_group(w);
	for (const char *const *ip = in->ips; ip && *ip; ip++) {
		/* The hostname may be the name. */
		const char *const *n = in->names;

		if (n && n[0] && n[1] && strcasecmp(n[0], n[1]) == 0)
			n++;
		write_names(w, *ip, n);
	}
	end_group(w);
}

int ctr__hosts_write(const struct ctr__hosts *in, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__STRV char **added = ctr__strv_copy(in->add);
	CTR__FREE char *base = strdup(in->base ? in->base : "");
	CTR__CLEANUP(writer_free) struct writer w = {.out = out};

	if (!added || !base)
		return ctr__fail_nomem(err);
	for (char **entry = added; *entry; entry++) {
		int r = write_added(&w, in, *entry, err);

		if (r < 0)
			return r;
	}
	end_group(&w);
	write_base(&w, base);
	write_generated(&w, in);
	return w.nomem || out->failed ? ctr__fail_nomem(err) : 0;
}

char *ctr__hosts_shared_line(const char *name)
{
	return ctr__format("127.0.0.1\t%s\n", name);
}

bool ctr__hosts_without_line(const char *text, const char *line, struct ctr__buf *out)
{
	size_t len = strlen(line);
	bool found = false;

	while (*text) {
		const char *end = strchr(text, '\n');
		size_t n = end ? (size_t)(end - text) + 1 : strlen(text);

		if (n == len && memcmp(text, line, n) == 0)
			found = true;
		else
			ctr__buf_add(out, text, n);
		text += n;
	}
	return found;
}
