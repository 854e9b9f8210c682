/* SPDX-License-Identifier: Apache-2.0 */
/* What decides about the files that are made for a container: time zone, umask, hosts, users. */
#include "config/model.h"

#include "util/cleanup.h"

#define ZONE_MAX  255
#define UMASK_MAX 0777U
#define PORT_LAST 65535U

/* ---- time zone, umask ---- */

static bool zone_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_+-./", c));
}

/* A relative path: no component is empty or leads elsewhere. "local" is one, too. */
static bool valid_zone(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > ZONE_MAX)
		return false;
	for (const char *p = s; *p; p++)
		if (!zone_char(*p))
			return false;
	for (const char *p = s;; p++) {
		size_t n = strcspn(p, "/");

		/* No name of a time zone begins with a dot. */
		if (n == 0 || p[0] == '.')
			return false;
		p += n;
		if (!*p)
			return true;
	}
}

static bool valid_umask(const char *s)
{
	size_t len = strlen(s);

	return len >= 1 && len <= 4 && s[strspn(s, "01234567")] == '\0' &&
	       strtoul(s, NULL, 8) <= UMASK_MAX;
}

static int check_process(const ctr_config_t *cfg, ctr_error_t **err)
{
	if (cfg->timezone && !valid_zone(cfg->timezone))
		return ctr__cfg_bad_value(err, "timezone", cfg->timezone,
		    "is neither \"local\" nor the name of a time zone, such as \"Europe/Berlin\"");
	if (cfg->umask && !valid_umask(cfg->umask))
		return ctr__cfg_bad_value(
		    err, "umask", cfg->umask, "is not one to four octal digits, at most 0777");
	return 0;
}

/* ---- resolv.conf and hosts ---- */

static int check_base_hosts(const char *s, ctr_error_t **err)
{
	if (!s || s[0] == '/' || strcmp(s, "image") == 0 || strcmp(s, "none") == 0)
		return 0;
	return ctr__cfg_bad_value(
	    err, "baseHostsFile", s, "is neither an absolute path nor \"image\" nor \"none\"");
}

/* What would go into a file that is not made. */
static int check_image_files(const ctr_config_t *cfg, ctr_error_t **err)
{
	const struct {
		const char *key;
		const struct ctr__cfg_list *list;
	} dns[] = {{"dnsServer", &cfg->dns_server}, {"dnsSearch", &cfg->dns_search},
	    {"dnsOption", &cfg->dns_option}};

	for (size_t i = 0; cfg->use_image_resolv_conf && i < CTR__ARRAY_SIZE(dns); i++)
		if (dns[i].list->n > 0)
			return ctr__cfg_bad(err, CTR_E_INVALID, "UseImageResolvConf",
			    "true excludes %s %s", dns[i].key, CTR__CFG_SHOW(dns[i].list->v[0]));
	if (cfg->use_image_hosts && cfg->host_add.n > 0)
		return ctr__cfg_bad(err, CTR_E_INVALID, "useImageHosts",
		    "true excludes hostsAdd %s", CTR__CFG_SHOW(cfg->host_add.v[0]));
	if (cfg->use_image_hosts && cfg->base_hosts_file)
		return ctr__cfg_bad(err, CTR_E_INVALID, "useImageHosts",
		    "true excludes baseHostsFile %s", CTR__CFG_SHOW(cfg->base_hosts_file));
	return check_base_hosts(cfg->base_hosts_file, err);
}

/* ---- passwd and group ---- */

/* One line with so many fields; a newline may end it. */
static bool valid_entry(const char *s, size_t fields)
{
	size_t len = strlen(s), colons = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n' && i + 1 == len && i > 0)
			break;
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
		colons += s[i] == ':';
	}
	return colons + 1 == fields;
}

static int check_entries(const ctr_config_t *cfg, ctr_error_t **err)
{
	if (cfg->passwd_entry && !valid_entry(cfg->passwd_entry, 7))
		return ctr__cfg_bad_value(err, "passwd_entry", cfg->passwd_entry,
		    "is not one line of seven fields with \":\" between them");
	if (cfg->group_entry && !valid_entry(cfg->group_entry, 4))
		return ctr__cfg_bad_value(err, "group_entry", cfg->group_entry,
		    "is not one line of four fields with \":\" between them");
	for (size_t i = 0; i < cfg->host_users.n; i++)
		if (!cfg->host_users.v[i][0] || ctr__cfg_has_blank(cfg->host_users.v[i]) ||
		    strchr(cfg->host_users.v[i], ':'))
			return ctr__cfg_bad_value(err, "HostUsers", cfg->host_users.v[i],
			    "is no name or number of a user");
	return 0;
}

/* ---- exposed ports: {"80": ["tcp"]} ---- */

static int check_protocols(const char *port, const struct ctr__json *list, ctr_error_t **err)
{
	static const char *const protocols[] = {"tcp", "udp", "sctp", NULL};

	if (list->type == CTR__JSON_NULL)
		return 0;
	if (list->type != CTR__JSON_ARRAY)
		return ctr__cfg_bad(err, CTR_E_INVALID, "exposedPorts",
		    "port %s must have a list of protocols, not %s", CTR__CFG_SHOW(port),
		    ctr__json_type_name(list->type));
	CTR__JSON_EACH (v, list) {
		if (!ctr__json_str(v) || !ctr__strv_has(protocols, v->text))
			return ctr__cfg_bad(err, CTR_E_INVALID, "exposedPorts",
			    "port %s: protocol %s is not one of \"tcp\", \"udp\" and \"sctp\"",
			    CTR__CFG_SHOW(port),
			    v->text ? CTR__CFG_SHOW(v->text) : ctr__json_type_name(v->type));
	}
	return 0;
}

static int check_exposed(const struct ctr__json *ports, ctr_error_t **err)
{
	uint64_t number;

	if (!ports)
		return 0;
	if (ports->type != CTR__JSON_OBJECT)
		return ctr__cfg_bad(err, CTR_E_INVALID, "exposedPorts", "must be an object, not %s",
		    ctr__json_type_name(ports->type));
	CTR__JSON_EACH (list, ports) {
		int r;

		if (!ctr__parse_u64(list->key, PORT_LAST, &number) || number == 0)
			return ctr__cfg_bad(err, CTR_E_INVALID, "exposedPorts",
			    "%s is no port in 1 .. %u", CTR__CFG_SHOW(list->key), PORT_LAST);
		r = check_protocols(list->key, list, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int ctr__cfg_check_files(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	int r = check_process(cfg, err);

	if (r == 0)
		r = check_image_files(cfg, err);
	if (r == 0)
		r = check_entries(cfg, err);
	return r < 0 ? r : check_exposed(ctr__cfg_member(root, "exposedPorts"), err);
}
