/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of what a configuration says about the network. */
#include "config/model.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "util/cleanup.h"

static bool is_ip(const char *s)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1;
}

/* ---- ports ---- */

static int check_port_number(const struct ctr__json *port, const char *key, ctr_error_t **err)
{
	const struct ctr__json *v = ctr__json_get(port, key);
	uint64_t number;

	if (!v || v->type == CTR__JSON_NULL || (ctr__json_u64(v, &number) && number <= UINT16_MAX))
		return 0;
	return ctr__cfg_bad(err, CTR_E_INVALID, "portMappings", "%s %s is not in 0 .. %d", key,
	    v->text ? CTR__CFG_SHOW(v->text) : ctr__json_type_name(v->type), UINT16_MAX);
}

static int check_protocol(const struct ctr__json *v, ctr_error_t **err)
{
	static const char *const protocols[] = {"", "tcp", "udp", "sctp", NULL};

	if (!v || v->type == CTR__JSON_NULL ||
	    (ctr__json_str(v) && ctr__strv_has(protocols, v->text)))
		return 0;
	return ctr__cfg_bad(err, CTR_E_INVALID, "portMappings",
	    "protocol %s is not one of \"tcp\", \"udp\" and \"sctp\"",
	    v->text ? CTR__CFG_SHOW(v->text) : ctr__json_type_name(v->type));
}

/* Two generations of keys for the same thing. */
static int check_port(const struct ctr__json *port, ctr_error_t **err)
{
	static const char *const numbers[] = {
	    "hostPort", "containerPort", "host_port", "container_port", "range"};
	int r = 0;

	if (port->type != CTR__JSON_OBJECT)
		return ctr__cfg_bad(err, CTR_E_INVALID, "portMappings",
		    "each port must be an object, not %s%s%s", ctr__json_type_name(port->type),
		    port->text ? " " : "", port->text ? CTR__CFG_SHOW(port->text) : "");
	for (size_t i = 0; r == 0 && i < CTR__ARRAY_SIZE(numbers); i++)
		r = check_port_number(port, numbers[i], err);
	return r < 0 ? r : check_protocol(ctr__json_get(port, "protocol"), err);
}

static int check_ports(const ctr_config_t *cfg, const struct ctr__json *ports, ctr_error_t **err)
{
	if (!ports)
		return 0;
	if (ports->type != CTR__JSON_ARRAY)
		return ctr__cfg_bad(err, CTR_E_INVALID, "portMappings", "must be a list, not %s",
		    ctr__json_type_name(ports->type));
	if (ports->count > 0 && !cfg->create_net_ns)
		return ctr__cfg_bad(err, CTR_E_INVALID, "portMappings",
		    "%zu ports need createNetNS true", ports->count);
	CTR__JSON_EACH (port, ports) {
		int r = check_port(port, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- resolver and hosts: each text becomes part of a line of a file, so none may break a line ---- */

static int check_words(const char *field, const struct ctr__cfg_list *list, ctr_error_t **err)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->v[i][0] || ctr__cfg_has_blank(list->v[i]))
			return ctr__cfg_bad_value(err, field, list->v[i],
			    "is empty or holds a space or control character");
	return 0;
}

static int check_dns_servers(const struct ctr__cfg_list *list, ctr_error_t **err)
{
	for (size_t i = 0; i < list->n; i++)
		if (!is_ip(list->v[i]))
			return ctr__cfg_bad_value(err, "dnsServer", list->v[i], "is no IP address");
	return 0;
}

/* name[;name...] */
static bool valid_host_names(const char *s, size_t len)
{
	bool empty = true;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == ';' && empty)
			return false;
		if (s[i] == '#')
			return false;
		empty = s[i] == ';';
	}
	return !empty;
}

static int check_host(const char *entry, ctr_error_t **err)
{
	const char *colon = strchr(entry, ':');

	if (!colon || ctr__cfg_has_blank(entry) ||
	    !valid_host_names(entry, (size_t)(colon - entry)))
		return ctr__cfg_bad_value(err, "hostsAdd", entry, "is not \"name[;name...]:ip\"");
	if (!is_ip(colon + 1) && strcmp(colon + 1, "host-gateway") != 0)
		return ctr__cfg_bad(err, CTR_E_INVALID, "hostsAdd",
		    "%s in %s is neither an IP address nor \"host-gateway\"",
		    CTR__CFG_SHOW(colon + 1), CTR__CFG_SHOW(entry));
	return 0;
}

static int check_files(const ctr_config_t *cfg, ctr_error_t **err)
{
	int r = check_dns_servers(&cfg->dns_server, err);

	if (r == 0)
		r = check_words("dnsSearch", &cfg->dns_search, err);
	if (r == 0)
		r = check_words("dnsOption", &cfg->dns_option, err);
	for (size_t i = 0; r == 0 && i < cfg->host_add.n; i++)
		r = check_host(cfg->host_add.v[i], err);
	return r;
}

int ctr__cfg_check_net(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	if (cfg->create_net_ns && cfg->net_ns_ctr)
		return ctr__cfg_bad(err, CTR_E_INVALID, "createNetNS", "true excludes netNsCtr %s",
		    CTR__CFG_SHOW(cfg->net_ns_ctr));
	int r = check_ports(cfg, ctr__cfg_member(root, "portMappings"), err);

	return r < 0 ? r : check_files(cfg, err);
}
