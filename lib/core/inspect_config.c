/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting: "Config", what the container was asked to be. */
#include "core/inspect.h"

#include <string.h>

#include "util/cleanup.h"

#define UMASK_DEFAULT "0022"
#define UMASK_DIGITS  4

/* libpod's defaults of a health check's log. */
#define HEALTH_LOG_DESTINATION "local"
#define HEALTH_LOG_COUNT       5
#define HEALTH_LOG_SIZE        500

static void emit_streams(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_str(out, "Hostname", ctr_config_hostname(in->cfg));
	ctr__emit_str(out, "Domainname", "");
	ctr__emit_str(out, "User", in->cfg->user);
	ctr__emit_bool(out, "AttachStdin", false);
	ctr__emit_bool(out, "AttachStdout", false);
	ctr__emit_bool(out, "AttachStderr", false);
	ctr__emit_bool(
	    out, "Tty", ctr__json_bool(ctr__json_path(in->spec, "process", "terminal", NULL)));
	ctr__emit_bool(out, "OpenStdin", in->cfg->stdin_open);
	ctr__emit_bool(out, "StdinOnce", false);
}

/* ---- environment: values that come from secrets are not shown ---- */

static bool is_secret(const struct ctr__json *secrets, const char *var, size_t name_len)
{
	CTR__JSON_EACH (s, secrets) {
		if (s->key && strlen(s->key) == name_len && memcmp(s->key, var, name_len) == 0)
			return true;
	}
	return false;
}

static void emit_var(const struct ctr__json *secrets, const char *var, struct ctr__buf *out)
{
	size_t name_len = strcspn(var, "=");

	if (!is_secret(secrets, var, name_len)) {
		ctr__emit_str(out, NULL, var);
		return;
	}
	CTR__FREE char *masked = ctr__format("%.*s=*******", (int)name_len, var);
	if (!masked)
		out->failed = true;
	ctr__emit_str(out, NULL, masked);
}

static void emit_env(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *secrets = ctr__inspect_extra(in, "secret_env");

	ctr__emit_array(out, "Env");
	CTR__JSON_EACH (var, ctr__json_path(in->spec, "process", "env", NULL)) {
		if (ctr__json_str(var))
			emit_var(secrets, var->text, out);
	}
	ctr__emit_array_end(out);
}

/* ---- command ---- */

/* One text with spaces, as podman 4 has it. */
static void emit_entrypoint(const struct ctr__cfg_list *words, struct ctr__buf *out)
{
	CTR__BUF struct ctr__buf text = {0};

	for (size_t i = 0; i < words->n; i++) {
		if (i)
			ctr__buf_addc(&text, ' ');
		ctr__buf_adds(&text, words->v[i]);
	}
	if (text.failed)
		out->failed = true;
	ctr__emit_str(out, "Entrypoint", text.data);
}

static void emit_labels(const struct ctr__cfg_map *labels, struct ctr__buf *out)
{
	if (labels->n == 0) {
		ctr__emit_null(out, "Labels");
		return;
	}
	ctr__emit_object(out, "Labels");
	for (size_t i = 0; i < labels->n; i++)
		ctr__emit_str(out, labels->v[i].key, labels->v[i].value);
	ctr__emit_object_end(out);
}

static void emit_command(const struct ctr__inspect *in, struct ctr__buf *out)
{
	emit_env(in, out);
	if (in->cfg->command.n > 0)
		ctr__emit_list(out, "Cmd", &in->cfg->command);
	else
		ctr__emit_null(out, "Cmd");
	ctr__emit_str(out, "Image", in->cfg->rootfs_image_name);
	ctr__emit_null(out, "Volumes");
	ctr__emit_str(
	    out, "WorkingDir", ctr__json_str(ctr__json_path(in->spec, "process", "cwd", NULL)));
	emit_entrypoint(&in->cfg->entrypoint, out);
	ctr__emit_null(out, "OnBuild");
	emit_labels(&in->cfg->labels, out);
	ctr__emit_map(out, "Annotations", ctr__json_get(in->spec, "annotations"));
	ctr__emit_i64(out, "StopSignal", in->cfg->stop_signal);
}

/* ---- health ---- */

static void emit_check(struct ctr__buf *out, const char *key, const struct ctr__cfg_text *check)
{
	if (check->text)
		ctr__emit_text(out, key, check->text, check->len);
}

static void emit_health(const struct ctr__inspect *in, struct ctr__buf *out)
{
	/* Numbers as libpod stores them. */
	static const char *const actions[] = {"none", "invalid", "kill", "restart", "stop"};
	const ctr_config_t *cfg = in->cfg;
	size_t action = (size_t)cfg->health_on_failure;
	bool any = cfg->healthcheck.text || cfg->startup_healthcheck.text;

	emit_check(out, "StartupHealthCheck", &cfg->startup_healthcheck);
	emit_check(out, "Healthcheck", &cfg->healthcheck);
	ctr__emit_str(out, "HealthcheckOnFailureAction",
	    actions[action < CTR__ARRAY_SIZE(actions) ? action : 1]);
	if (!any)
		return;
	ctr__emit_str(out, "HealthLogDestination",
	    cfg->health_log_destination ? cfg->health_log_destination : HEALTH_LOG_DESTINATION);
	ctr__emit_some_i64(out, "HealthcheckMaxLogCount",
	    cfg->given[CTR_CONFIG_HEALTH_MAX_LOG_COUNT] ? cfg->health_max_log_count
	                                                : HEALTH_LOG_COUNT);
	ctr__emit_some_i64(out, "HealthcheckMaxLogSize",
	    cfg->given[CTR_CONFIG_HEALTH_MAX_LOG_SIZE] ? cfg->health_max_log_size
	                                               : HEALTH_LOG_SIZE);
}

/* ---- the rest ---- */

static void emit_umask(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const char *umask = in->cfg->umask ? in->cfg->umask : UMASK_DEFAULT;
	char padded[UMASK_DIGITS + 1] = "0000";
	size_t len = strlen(umask);

	if (len < UMASK_DIGITS) {
		memcpy(padded + UMASK_DIGITS - len, umask, len);
		umask = padded;
	}
	ctr__emit_str(out, "Umask", umask);
}

static void emit_secrets(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *secrets = ctr__inspect_extra(in, "secrets");
	static const char *const numbers[] = {"UID", "GID", "Mode"};

	if (!secrets || secrets->type != CTR__JSON_ARRAY || secrets->count == 0)
		return;
	ctr__emit_array(out, "Secrets");
	CTR__JSON_EACH (s, secrets) {
		ctr__emit_object(out, NULL);
		ctr__emit_str(out, "Name", ctr__json_str(ctr__json_get(s, "name")));
		ctr__emit_str(out, "ID", ctr__json_str(ctr__json_get(s, "id")));
		for (size_t i = 0; i < CTR__ARRAY_SIZE(numbers); i++) {
			uint64_t n = 0;

			(void)ctr__json_u64(ctr__json_get(s, numbers[i]), &n);
			ctr__emit_u64(out, numbers[i], n);
		}
		ctr__emit_object_end(out);
	}
	ctr__emit_array_end(out);
}

static void emit_list_if_any(struct ctr__buf *out, const char *key, const struct ctr__json *list)
{
	if (list && list->type == CTR__JSON_ARRAY && list->count > 0)
		ctr__emit_strings(out, key, list);
}

static void emit_surroundings(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *passwd = ctr__inspect_extra(in, "passwd");
	const char *notify = ctr__json_str(ctr__inspect_extra(in, "sdnotifyMode"));

	if (in->cfg->create_command.n > 0)
		ctr__emit_list(out, "CreateCommand", &in->cfg->create_command);
	ctr__emit_some_str(out, "Timezone", in->cfg->timezone);
	ctr__emit_some_bool(out, "SystemdMode", ctr__json_bool(ctr__inspect_extra(in, "systemd")));
	emit_umask(in, out);
	emit_secrets(in, out);
	ctr__emit_i64(out, "Timeout", in->cfg->timeout);
	ctr__emit_i64(out, "StopTimeout", in->cfg->stop_timeout);
	ctr__emit_bool(out, "Passwd", !passwd || ctr__json_bool(passwd));
	emit_list_if_any(out, "ChrootDirs", ctr__inspect_extra(in, "chroot_directories"));
	/* No socket is passed on to containers. */
	ctr__emit_str(out, "sdNotifyMode", notify && *notify ? notify : "ignore");
	ctr__emit_some_str(
	    out, "sdNotifySocket", ctr__json_str(ctr__inspect_extra(in, "sdnotifySocket")));
}

void ctr__inspect_config(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_object(out, "Config");
	emit_streams(in, out);
	emit_command(in, out);
	emit_health(in, out);
	emit_surroundings(in, out);
	ctr__inspect_exposed_ports(in, out);
	ctr__emit_object_end(out);
}
