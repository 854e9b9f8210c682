/* SPDX-License-Identifier: Apache-2.0 */
/* As much of Docker's API on a UNIX socket as a client needs to attach to the containers of the store. */
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
	char path[512], query[1024];
};

static void answer(const struct request *q, const char *status, const char *body)
{
	dprintf(q->fd,
	    "HTTP/1.1 %s\r\nApi-Version: 1.41\r\nConnection: close\r\nContent-Type: "
	    "application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    status, strlen(body), body);
}

static void answer_error(const struct request *q, ctr_error_t *err)
{
	int code = ctr_error_code(err);
	char body[128];

	fprintf(stderr, "%s: %s\n", q->path, ctr_error_message(err));
	snprintf(body, sizeof body, "{\"message\":\"%s\"}", ctr_error_name(code));
	answer(q,
	    code == CTR_E_NO_SUCH_CTR ? "404 Not Found"
	    : code == CTR_E_CTR_STATE ? "409 Conflict"
	    : code == CTR_E_INVALID   ? "400 Bad Request"
	                              : "500 Internal Server Error",
	    body);
	ctr_error_free(err);
}

/* A parameter of the query, of %XX; NULL = it is not there. */
static char *param(const struct request *q, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), n = 0;
	const char *p = q->query;
	unsigned byte;

	while (p && (strncmp(p, name, len) != 0 || p[len] != '='))
		p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL;
	if (!p)
		return NULL;
	for (p += len + 1; *p && *p != '&' && n + 1 < size; p++) {
		out[n++] = *p;
		if (*p == '%' && sscanf(p + 1, "%2x", &byte) == 1 && p[1] && p[2]) {
			out[n - 1] = (char)byte;
			p += 2;
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

static int attach(const struct request *q, ctr_container_t *c, ctr_error_t **err)
{
	char keys[128];
	struct ctr_http_opts o = {.size = sizeof o};
	ctr_attach_t *a = NULL;

	o.flags = flag(q, "stdin", CTR_HTTP_STDIN) | flag(q, "stdout", CTR_HTTP_STDOUT) |
	          flag(q, "stderr", CTR_HTTP_STDERR) | flag(q, "stream", CTR_HTTP_STREAM) |
	          flag(q, "logs", CTR_HTTP_LOGS);
	if (strcasestr(q->head, "\r\nUpgrade: tcp"))
		o.flags |= CTR_HTTP_UPGRADE;
	o.detach_keys = param(q, "detachKeys", keys, sizeof keys);
	o.initial = q->head + q->head_len;
	o.initial_len = q->len - q->head_len;
	if (ctr_container_http_attach(c, q->fd, &o, &a, err) < 0)
		return -1; /* nothing has been written: we answer */
	if (ctr_attach_run(a, -1, err) < 0) {
		fprintf(stderr, "attach: %s\n", ctr_error_message(*err)); /* the client knows */
		ctr_error_freep(err);
	}
	ctr_attach_unref(a);
	return 0;
}

static int resize(const struct request *q, ctr_container_t *c, ctr_error_t **err)
{
	char h[16] = "0", w[16] = "0";

	param(q, "h", h, sizeof h);
	param(q, "w", w, sizeof w);
	return ctr_container_attach_resize(
	    c, (uint32_t)strtoul(h, NULL, 10), (uint32_t)strtoul(w, NULL, 10), err);
}

/* What is done to a container; `action` is the rest of the path. */
static int act(const struct request *q, const char *action, ctr_container_t *c, ctr_error_t **err)
{
	char body[64], *json = NULL;
	int32_t code;
	int r = 0;

	if (strcmp(action, "attach") == 0)
		return attach(q, c, err);
	if (strcmp(action, "resize") == 0 && (r = resize(q, c, err)) >= 0)
		answer(q, "200 OK", "");
	else if (strcmp(action, "start") == 0 && (r = ctr_container_start(c, 0, err)) >= 0)
		answer(q, "204 No Content", "");
	else if (strcmp(action, "wait") == 0 && (r = ctr_container_wait(c, -1, &code, err)) >= 0) {
		snprintf(body, sizeof body, "{\"StatusCode\":%d}", code);
		answer(q, "200 OK", body);
	} else if (strcmp(action, "json") == 0 &&
	           (r = ctr_container_inspect(c, 0, &json, NULL, err)) >= 0)
		answer(q, "200 OK", json);
	ctr_free(json);
	return r;
}

static void serve(struct request *q)
{
	char name[256], action[32];
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;

	if (strstr(q->path, "/_ping"))
		answer(q, "200 OK", "OK");
	else if (strstr(q->path, "/version"))
		answer(q, "200 OK", "{\"ApiVersion\":\"1.41\"}");
	else if (sscanf(q->path, "/%*[^/]/containers/%255[^/]/%31s", name, action) != 2)
		answer(q, "404 Not Found", "");
	else if (ctr_container_lookup(rt, name, &c, &err) < 0 || act(q, action, c, &err) < 0)
		answer_error(q, err);
	ctr_container_unref(c);
}

static void *connection(void *arg)
{
	struct request *q = arg;
	char *end = NULL;
	ssize_t n = 1;

	while (!end && (n = read(q->fd, q->head + q->len, sizeof q->head - 1 - q->len)) > 0) {
		q->len += (size_t)n;
		end = strstr(q->head, "\r\n\r\n");
	}
	if (end && sscanf(q->head, "%*s %511[^ ?]?%1023[^ ]", q->path, q->query) >= 1) {
		q->head_len = (size_t)(end - q->head) + 4;
		serve(q);
	}
	close(q->fd);
	free(q);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	pthread_t t;

	signal(SIGPIPE, SIG_IGN); /* for our own answers; the library needs it not */
	rt = open_store();
	snprintf(to.sun_path, sizeof to.sun_path, "%s", argc == 2 ? argv[1] : "attach.sock");
	if (bind(s, (struct sockaddr *)&to, sizeof to) < 0 || listen(s, 16) < 0) {
		perror(to.sun_path);
		return 1;
	}
	while ((fd = accept4(s, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct request *q = calloc(1, sizeof *q);

		if (!q)
			return 1;
		q->fd = fd;
		if (pthread_create(&t, NULL, connection, q) == 0)
			pthread_detach(t);
	}
	return 1;
}
