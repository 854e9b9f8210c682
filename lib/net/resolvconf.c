/* SPDX-License-Identifier: Apache-2.0 */
/* The resolv.conf of a container. */
#include "net/resolvconf.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "util/cleanup.h"

#define BLANK "\t\r\v\f "

/* The lines of a source file that count. */
struct parsed {
	char **servers, **search, **options;
	bool nomem;
};

static void parsed_free(struct parsed *p)
{
	ctr__strv_free(p->servers);
	ctr__strv_free(p->search);
	ctr__strv_free(p->options);
}

static void add(struct parsed *p, char ***list, const char *word)
{
	p->nomem = p->nomem || !ctr__strv_add(list, word);
}

/* The last search (or domain) line counts, as for the resolver. */
static void set_search(struct parsed *p, char *rest, bool only_one)
{
	char *word;

	ctr__strv_free(p->search);
	p->search = NULL;
	while ((word = strtok_r(NULL, BLANK, &rest))) {
		add(p, &p->search, word);
		if (only_one)
			return;
	}
}

static void parse_line(struct parsed *p, char *line)
{
	char *rest = NULL, *key = strtok_r(line, BLANK, &rest), *word;

	if (!key || key[0] == '#' || key[0] == ';')
		return;
	if (strcmp(key, "nameserver") == 0 && (word = strtok_r(NULL, BLANK, &rest)))
		add(p, &p->servers, word);
	else if (strcmp(key, "search") == 0)
		set_search(p, rest, false);
	else if (strcmp(key, "domain") == 0)
		set_search(p, rest, true);
	else if (strcmp(key, "options") == 0)
		while ((word = strtok_r(NULL, BLANK, &rest)))
			add(p, &p->options, word);
}

static bool parse(const char *text, struct parsed *p)
{
	CTR__FREE char *copy = strdup(text ? text : "");
	char *rest = copy, *line;

	p->nomem = !copy;
	while (!p->nomem && (line = strsep(&rest, "\n")))
		parse_line(p, line);
	return !p->nomem;
}

const char *ctr__resolv_behind_stub(const char *host)
{
	CTR__CLEANUP(parsed_free) struct parsed p = {0};

	if (!parse(host, &p) || !p.servers || p.servers[1])
		return NULL;
	if (strcmp(p.servers[0], "127.0.0.53") == 0)
		return "/run/systemd/resolve/resolv.conf";
	if (strcmp(p.servers[0], "127.0.0.1") == 0)
		return "/run/NetworkManager/no-stub-resolv.conf";
	return NULL;
}

/* Does this server of the host answer in the container's network? What is no address at all does not; nor does one
 * with a zone ("fe80::1%eth0"), which names an interface of the host. */
static bool reachable(const struct ctr__resolv *in, const char *server)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, server, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 != 127;
	if (inet_pton(AF_INET6, server, &v6) != 1 || IN6_IS_ADDR_LOOPBACK(&v6))
		return false;
	return in->ipv6;
}

/* A line breaks nowhere but at its end, whoever chose the words. */
static bool printable(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word <= ' ' || *word == 0x7f)
			return false;
	return true;
}

static void write_server(struct ctr__buf *out, const char *server, size_t *n)
{
	if (!printable(server))
		return;
	ctr__buf_addf(out, "nameserver %s\n", server);
	(*n)++;
}

static void write_servers(
    const struct ctr__resolv *in, const struct parsed *host, struct ctr__buf *out)
{
	static const char *const fallback[] = {"8.8.8.8", "8.8.4.4", NULL};
	static const char *const fallback6[] = {
	    "2001:4860:4860::8888", "2001:4860:4860::8844", NULL};
	bool given = in->servers && in->servers[0];
	const char *const *v = given ? in->servers : (const char *const *)host->servers;
	size_t n = 0;

	for (size_t i = 0; in->network_servers && in->network_servers[i]; i++)
		write_server(out, in->network_servers[i], &n);
	for (; v && *v; v++)
		if (given || in->host_net || reachable(in, *v))
			write_server(out, *v, &n);
	if (n > 0 || in->host_net)
		return;
	for (v = fallback; *v; v++)
		write_server(out, *v, &n);
	for (v = fallback6; in->ipv6 && *v; v++)
		write_server(out, *v, &n);
}

static void write_words(struct ctr__buf *out, const char *key, const char *const *v)
{
	bool any = false;

	for (; v && *v; v++) {
		if (!printable(*v))
			continue;
		ctr__buf_addf(out, "%s%s", any ? " " : key, any ? "" : " ");
		ctr__buf_adds(out, *v);
		any = true;
	}
	if (any)
		ctr__buf_addc(out, '\n');
}

static const char *const *choose(const char *const *given, char **host)
{
	return given && given[0] ? given : (const char *const *)host;
}

int ctr__resolv_write(const struct ctr__resolv *in, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__CLEANUP(parsed_free) struct parsed host = {0};
	const char *const *search;

	if (!parse(in->host, &host))
		return ctr__fail_nomem(err);
	search = choose(in->search, host.search);
	if (!ctr__strv_has(search, "."))
		write_words(out, "search", search);
	write_servers(in, &host, out);
	write_words(out, "options", choose(in->options, host.options));
	return out->failed ? ctr__fail_nomem(err) : 0;
}
