/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach_server SOCKET ROOTFS: as much of Docker's API as `docker attach` needs, on a UNIX socket.
 *
 *	attach_server /tmp/api.sock /path/to/rootfs &
 *	DOCKER_HOST=unix:///tmp/api.sock docker attach terminal
 *
 * It makes two containers, "plain" and "terminal", each with a shell. A client's connection is handed to the library, which
 * answers the request and serves the streams; each has a thread here, but one thread with a poll loop over ctr_attach_fd()
 * would do for all.
 */
#include "example.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

static ctr_runtime_t *rt;

struct request {
	int fd;
	char head[8192]; /* request line and header, NUL-terminated, and what came behind them */
	size_t len, head_len;
	char method[8], path[512], query[1024];
};

/* ---- HTTP ---- */

static void answer(const struct request *q, const char *status, const char *type, const char *body)
{
	dprintf(q->fd,
	    "HTTP/1.1 %s\r\nApi-Version: 1.41\r\nConnection: close\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    status, type, strlen(body), body);
}

static void answer_error(const struct request *q, ctr_error_t *err)
{
	int code = ctr_error_code(err);
	char body[1024];

	snprintf(body, sizeof body, "{\"message\":\"%s\"}", ctr_error_name(code));
	fprintf(stderr, "%s %s: %s\n", q->method, q->path, ctr_error_message(err));
	answer(q,
	    code == CTR_E_NO_SUCH_CTR   ? "404 Not Found"
	    : code == CTR_E_CTR_STATE   ? "409 Conflict"
	    : code == CTR_E_CTR_RUNNING ? "304 Not Modified"
	    : code == CTR_E_INVALID     ? "400 Bad Request"
	                                : "500 Internal Server Error",
	    "application/json", code == CTR_E_CTR_RUNNING ? "" : body);
	ctr_error_free(err);
}

/* Value of a parameter of the query, decoded; NULL if it is absent. */
static char *param(const struct request *q, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), n = 0;
	const char *p = q->query;

	while (strncmp(p, name, len) != 0 || p[len] != '=') {
		p = strchr(p, '&');
		if (!p)
			return NULL;
		p++;
	}
	for (p += len + 1; *p && *p != '&' && n + 1 < size; n++) {
		unsigned byte;

		if (*p == '%' && sscanf(p + 1, "%2x", &byte) == 1) {
			out[n] = (char)byte;
			p += 3;
		} else {
			out[n] = *p++;
		}
	}
	out[n] = '\0';
	return out;
}

static uint64_t flag(const struct request *q, const char *name, uint64_t bit)
{
	char v[8];

	return param(q, name, v, sizeof v) && strcmp(v, "0") != 0 && strcasecmp(v, "false") != 0
	           ? bit
	           : 0;
}

static int read_request(struct request *q)
{
	char *end = NULL;

	while (!end && q->len < sizeof q->head - 1) {
		ssize_t n = read(q->fd, q->head + q->len, sizeof q->head - 1 - q->len);

		if (n <= 0)
			return -1;
		q->len += (size_t)n;
		q->head[q->len] = '\0';
		end = strstr(q->head, "\r\n\r\n");
	}
	if (!end || sscanf(q->head, "%7s %511[^ ?]?%1023[^ ]", q->method, q->path, q->query) < 2)
		return -1;
	q->head_len = (size_t)(end - q->head) + 4;
	return 0;
}

/* ---- what is asked for ---- */

static int attach(const struct request *q, ctr_container_t *c, ctr_error_t **err)
{
	char keys[128];
	struct ctr_http_opts o = {.size = sizeof o};
	ctr_attach_t *a = NULL;
	int r;

	o.flags = flag(q, "stdin", CTR_HTTP_STDIN) | flag(q, "stdout", CTR_HTTP_STDOUT) |
	          flag(q, "stderr", CTR_HTTP_STDERR) | flag(q, "stream", CTR_HTTP_STREAM) |
	          flag(q, "logs", CTR_HTTP_LOGS);
	if (strcasestr(q->head, "\r\nUpgrade: tcp"))
		o.flags |= CTR_HTTP_UPGRADE;
	o.detach_keys = param(q, "detachKeys", keys, sizeof keys);
	o.initial = q->head + q->head_len;
	o.initial_len = q->len - q->head_len;
	r = ctr_container_http_attach(c, q->fd, &o, &a, err);
	if (r < 0)
		return r; /* nothing has been written: we answer */
	r = ctr_attach_run(a, -1, err);
	fprintf(stderr, "attach: %s\n",
	    r < 0                      ? ctr_error_message(*err)
	    : r == CTR_ATTACH_DETACHED ? "detached"
	                               : "ended");
	if (r < 0) {
		ctr_error_free(*err);
		*err = NULL;
	}
	ctr_attach_unref(a);
	return 0;
}

static int resize(const struct request *q, ctr_container_t *c, ctr_error_t **err)
{
	char h[16] = "0", w[16] = "0";
	int r;

	param(q, "h", h, sizeof h);
	param(q, "w", w, sizeof w);
	r = ctr_container_attach_resize(
	    c, (uint32_t)strtoul(h, NULL, 10), (uint32_t)strtoul(w, NULL, 10), err);
	if (r >= 0)
		answer(q, "200 OK", "text/plain", "");
	return r;
}

static int await_end(const struct request *q, ctr_container_t *c, ctr_error_t **err)
{
	char body[64];
	int32_t code;
	int r = ctr_container_wait(c, -1, &code, err);

	snprintf(body, sizeof body, "{\"StatusCode\":%d}", code);
	if (r >= 0)
		answer(q, "200 OK", "application/json", body);
	return r;
}

static int of_container(
    const struct request *q, const char *action, ctr_container_t *c, ctr_error_t **err)
{
	char *json = NULL;
	int r = 0;

	if (strcmp(action, "attach") == 0)
		return attach(q, c, err);
	if (strcmp(action, "resize") == 0)
		return resize(q, c, err);
	if (strcmp(action, "wait") == 0)
		return await_end(q, c, err);
	if (strcmp(action, "start") == 0) {
		r = ctr_container_start(c, CTR_START_RECURSIVE, err);
		if (r >= 0)
			answer(q, "204 No Content", "text/plain", "");
	} else if (strcmp(action, "json") == 0) {
		r = ctr_container_inspect(c, 0, &json, NULL, err);
		if (r >= 0)
			answer(q, "200 OK", "application/json", json);
		ctr_free(json);
	} else {
		answer(q, "404 Not Found", "text/plain", "");
	}
	return r;
}

static void serve(const struct request *q)
{
	const char *path = q->path;
	char name[256], action[32];
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;

	if (strncmp(path, "/v1.", 4) == 0)
		path = strchr(path + 1, '/') ? strchr(path + 1, '/') : "";
	if (strcmp(path, "/_ping") == 0) {
		answer(q, "200 OK", "text/plain", "OK");
	} else if (strcmp(path, "/version") == 0) {
		answer(q, "200 OK", "application/json",
		    "{\"Version\":\"0.1\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.24\","
		    "\"Os\":\"linux\"}");
	} else if (sscanf(path, "/containers/%255[^/]/%31s", name, action) == 2) {
		if (ctr_container_lookup(rt, name, &c, &err) < 0 ||
		    of_container(q, action, c, &err) < 0)
			answer_error(q, err);
		ctr_container_unref(c);
	} else {
		answer(q, "404 Not Found", "text/plain", "");
	}
}

static void *connection(void *arg)
{
	struct request *q = arg;

	if (read_request(q) == 0)
		serve(q);
	close(q->fd);
	free(q);
	return NULL;
}

/* ---- the rest ---- */

static ctr_container_t *make_shell(const char *rootfs, const char *name, int terminal)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, rootfs, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_NAME, name, NULL);
	ctr_config_builder_set_bool(b, CTR_CONFIG_STDIN, 1, NULL);
	ctr_config_builder_set_bool(b, CTR_SPEC_TERMINAL, terminal, NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sh", NULL);
	if (ctr_config_builder_build(b, &cfg, &err) < 0 ||
	    ctr_container_create(rt, cfg, 0, &c, &err) < 0)
		die("create", err);
	ctr_config_unref(cfg);
	ctr_config_builder_free(b);
	return c;
}

static void *listen_to(void *arg)
{
	int s = *(int *)arg, fd;

	while ((fd = accept4(s, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct request *q = calloc(1, sizeof *q);
		pthread_t t;

		if (!q)
			exit(1);
		q->fd = fd;
		if (pthread_create(&t, NULL, connection, q) == 0)
			pthread_detach(t);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	ctr_container_t *shells[2];
	pthread_t t;
	sigset_t ends;
	int s, sig;

	if (argc != 3) {
		fprintf(stderr, "usage: %s SOCKET ROOTFS\n", argv[0]);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN); /* for our own answers; the library needs it not */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	rt = open_store();
	shells[0] = make_shell(argv[2], "plain", 0);
	shells[1] = make_shell(argv[2], "terminal", 1);
	snprintf(to.sun_path, sizeof to.sun_path, "%s", argv[1]);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s, (struct sockaddr *)&to, sizeof to) < 0 || listen(s, 16) < 0) {
		perror(argv[1]);
		return 1;
	}
	pthread_create(&t, NULL, listen_to, &s);
	sigwait(&ends, &sig);
	unlink(argv[1]);
	for (int i = 0; i < 2; i++)
		ctr_container_remove(shells[i], CTR_REMOVE_FORCE, NULL);
	return 0;
}
