/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting: "NetworkSettings", ports. */
#include "core/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* A range stands for many ports: more than these are not written out. */
#define PORTS_MOST     65536
#define PROTOCOL_MOST  8
#define PORT_TEXT_SIZE 16 /* "65535/protocol" */

struct port {
	char text[PORT_TEXT_SIZE];
	size_t index;
	bool bound; /* else only exposed */
	const char *host_ip;
	unsigned int host_port;
};

struct ports {
	struct port *v;
	size_t n, cap;
	struct ctr__json_doc *mappings, *exposed;
	bool failed;
};

static void ports_free(struct ports *p)
{
	free(p->v);
	ctr__json_doc_free(p->mappings);
	ctr__json_doc_free(p->exposed);
}

static void add_port(struct ports *p, uint64_t number, const char *protocol, struct port port)
{
	if (p->n >= PORTS_MOST || number > UINT16_MAX || strlen(protocol) > PROTOCOL_MOST)
		return;
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 16;
		struct port *v = realloc(p->v, cap * sizeof(*v));

		if (!v) {
			p->failed = true;
			return;
		}
		p->v = v;
		p->cap = cap;
	}
	snprintf(port.text, sizeof(port.text), "%u/%s", (unsigned int)number, protocol);
	port.index = p->n;
	p->v[p->n++] = port;
}

/* Two generations of keys for the same thing. */
static uint64_t number_of(
    const struct ctr__json *mapping, const char *key, const char *older, uint64_t absent)
{
	uint64_t n;

	if (ctr__json_u64(ctr__json_get(mapping, key), &n) ||
	    ctr__json_u64(ctr__json_get(mapping, older), &n))
		return n;
	return absent;
}

static void add_mapping(struct ports *p, const struct ctr__json *mapping)
{
	const char *protocol = ctr__json_str(ctr__json_get(mapping, "protocol"));
	const char *ip = ctr__json_str(ctr__json_get(mapping, "host_ip"));
	uint64_t inside = number_of(mapping, "container_port", "containerPort", 0);
	uint64_t outside = number_of(mapping, "host_port", "hostPort", 0);
	uint64_t range = number_of(mapping, "range", "range", 1);

	if (!ip)
		ip = ctr__json_str(ctr__json_get(mapping, "hostIP"));
	for (uint64_t i = 0; i < (range ? range : 1) && i <= UINT16_MAX; i++)
		add_port(p, inside + i, protocol && *protocol ? protocol : "tcp",
		    (struct port){.bound = true,
		        .host_ip = ip ? ip : "",
		        .host_port = (unsigned int)(outside + i)});
}

static void add_exposed(struct ports *p, const struct ctr__json *port)
{
	uint64_t number;

	if (!ctr__parse_u64(port->key, UINT16_MAX, &number))
		return;
	CTR__JSON_EACH (protocol, port)
		if (ctr__json_str(protocol))
			add_port(p, number, protocol->text, (struct port){.bound = false});
}

static int compare_ports(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static const struct ctr__json *parse(
    struct ports *p, const struct ctr__cfg_text *json, struct ctr__json_doc **doc)
{
	if (!json->text)
		return NULL;
	if (ctr__json_parse(json->text, json->len, "ports", doc, NULL) == CTR_E_NOMEM)
		p->failed = true;
	return *doc ? (*doc)->root : NULL;
}

/* All ports in order of their texts. */
static void find_ports(const struct ctr__inspect *in, bool exposed, struct ports *p)
{
	const struct ctr__json *mappings = parse(p, &in->cfg->port_mappings, &p->mappings);
	const struct ctr__json *more =
	    exposed ? parse(p, &in->cfg->exposed_ports, &p->exposed) : NULL;

	CTR__JSON_EACH (mapping, mappings)
		add_mapping(p, mapping);
	if (more && more->type == CTR__JSON_OBJECT)
		CTR__JSON_EACH (port, more)
			add_exposed(p, port);
	if (p->n > 1)
		qsort(p->v, p->n, sizeof(*p->v), compare_ports);
}

static bool starts_group(const struct ports *p, size_t i)
{
	return i == 0 || strcmp(p->v[i - 1].text, p->v[i].text) != 0;
}

/* The places of the host where the port at `i` and those of the same text are bound; null if nowhere. */
static void emit_group(const struct ports *p, size_t i, struct ctr__buf *out)
{
	const char *text = p->v[i].text;
	bool any = false;

	for (; i < p->n && strcmp(p->v[i].text, text) == 0; i++) {
		if (!p->v[i].bound)
			continue;
		if (!any)
			ctr__emit_array(out, text);
		any = true;
		ctr__emit_object(out, NULL);
		ctr__emit_str(out, "HostIp", p->v[i].host_ip);
		char number[16];
		snprintf(number, sizeof(number), "%u", p->v[i].host_port);
		ctr__emit_str(out, "HostPort", number);
		ctr__emit_object_end(out);
	}
	if (any)
		ctr__emit_array_end(out);
	else
		ctr__emit_null(out, text);
}

static void emit_bindings(
    const struct ctr__inspect *in, bool exposed, struct ctr__buf *out, const char *key)
{
	CTR__CLEANUP(ports_free) struct ports p = {0};

	find_ports(in, exposed, &p);
	out->failed = out->failed || p.failed;
	ctr__emit_object(out, key);
	for (size_t i = 0; i < p.n; i++)
		if (starts_group(&p, i))
			emit_group(&p, i, out);
	ctr__emit_object_end(out);
}

void ctr__inspect_port_bindings(const struct ctr__inspect *in, struct ctr__buf *out)
{
	if (in->cfg->create_net_ns) {
		emit_bindings(in, false, out, "PortBindings");
		return;
	}
	ctr__emit_object(out, "PortBindings");
	ctr__emit_object_end(out);
}

/* Left out if there are none. */
void ctr__inspect_exposed_ports(const struct ctr__inspect *in, struct ctr__buf *out)
{
	CTR__CLEANUP(ports_free) struct ports p = {0};

	find_ports(in, true, &p);
	out->failed = out->failed || p.failed;
	if (p.n == 0)
		return;
	ctr__emit_object(out, "ExposedPorts");
	for (size_t i = 0; i < p.n; i++) {
		if (!starts_group(&p, i))
			continue;
		ctr__emit_object(out, p.v[i].text);
		ctr__emit_object_end(out);
	}
	ctr__emit_object_end(out);
}

/* The host's network, or another container's, has ports of its own. */
static bool shows_exposed(const struct ctr__inspect *in)
{
	return !in->cfg->net_ns_ctr && ctr__inspect_namespace(in, "network");
}

void ctr__inspect_network(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_object(out, "NetworkSettings");
	ctr__emit_str(out, "EndpointID", "");
	ctr__emit_str(out, "Gateway", "");
	ctr__emit_str(out, "IPAddress", "");
	ctr__emit_i64(out, "IPPrefixLen", 0);
	ctr__emit_str(out, "IPv6Gateway", "");
	ctr__emit_str(out, "GlobalIPv6Address", "");
	ctr__emit_i64(out, "GlobalIPv6PrefixLen", 0);
	ctr__emit_str(out, "MacAddress", "");
	ctr__emit_str(out, "Bridge", "");
	ctr__emit_str(out, "SandboxID", "");
	ctr__emit_bool(out, "HairpinMode", false);
	ctr__emit_str(out, "LinkLocalIPv6Address", "");
	ctr__emit_i64(out, "LinkLocalIPv6PrefixLen", 0);
	emit_bindings(in, shows_exposed(in), out, "Ports");
	ctr__emit_str(out, "SandboxKey", in->s->net_ns);
	ctr__emit_object_end(out);
}
