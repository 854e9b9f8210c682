/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf and hosts. A container that joins another's network uses that one's files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "net/address.h"
#include "net/hosts.h"
#include "net/resolvconf.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "util/cleanup.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS       "/etc/hosts"
#define HOSTS_LOCK  "hosts.lock"
#define TEXT_MAX    (1U << 20)
#define CHAIN_MAX   64

enum network {
	NET_HOST,   /* the host's namespace */
	NET_NONE,   /* an empty one of its own */
	NET_GIVEN,  /* one that somebody else has set up */
	NET_JOINED, /* another container's */
};

static const char *net_path(const struct ctr__files *f)
{
	const char *path = ctr__json_str(ctr__json_get(ctr__files_namespace(f, "network"), "path"));

	return path && *path ? path : NULL;
}

static enum network network_of(const struct ctr__files *f)
{
	if (f->cfg->net_ns_ctr)
		return NET_JOINED;
	if (!ctr__files_namespace(f, "network"))
		return NET_HOST;
	return net_path(f) || f->cfg->create_net_ns ? NET_GIVEN : NET_NONE;
}

/* ---- reading ---- */

/* A file of the host or below another root. What cannot be read counts as absent: *out NULL. */
static int read_if_there(int root, const char *path, char **out, ctr_error_t **err)
{
	size_t len;
	int r = ctr__read_in_root(root, path, TEXT_MAX, out, &len);

	return r == -ENOMEM ? ctr__fail_nomem(err) : 0;
}

static int open_host(ctr_error_t **err)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? ctr__fail_errno(err, errno, "/", "cannot open /") : fd;
}

/* ---- resolv.conf ---- */

/* A namespace of ip-netns(8) may have files of its own. */
static char *netns_resolv_conf(const struct ctr__files *f)
{
	static const char *const dirs[] = {"/run/netns/", "/var/run/netns/"};
	const char *path = net_path(f);

	for (size_t i = 0; path && i < CTR__ARRAY_SIZE(dirs); i++) {
		const char *name = path + strlen(dirs[i]);

		if (ctr__starts_with(path, dirs[i]) && *name && !strchr(name, '/') &&
		    strcmp(name, "..") != 0)
			return ctr__format("/etc/netns/%s/resolv.conf", name);
	}
	return strdup(RESOLV_CONF);
}

static int read_resolv_conf(struct ctr__files *f, int host, char **out, ctr_error_t **err)
{
	CTR__FREE char *path = netns_resolv_conf(f);
	CTR__FREE char *text = NULL, *real = NULL;
	const char *behind;
	int r = path ? read_if_there(host, path, &text, err) : ctr__fail_nomem(err);

	if (r >= 0 && !text)
		r = read_if_there(host, RESOLV_CONF, &text, err);
	if (r < 0)
		return r;
	behind = network_of(f) == NET_HOST ? NULL : ctr__resolv_behind_stub(text);
	if (behind)
		r = read_if_there(host, behind, &real, err);
	*out = real ? CTR__STEAL_PTR(real) : CTR__STEAL_PTR(text);
	return r;
}

static int put_resolv_conf(struct ctr__files *f, int host, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;
	CTR__BUF struct ctr__buf out = {0};
	struct ctr__resolv in = {
	    .servers = f->cfg->dns_server.v,
	    .search = f->cfg->dns_search.v,
	    .options = f->cfg->dns_option.v,
	    .host_net = network_of(f) == NET_HOST,
	};
	int r;

	if (f->cfg->use_image_resolv_conf || !ctr__files_wants(f, RESOLV_CONF))
		return 0;
	r = read_resolv_conf(f, host, &text, err);
	if (r < 0)
		return r;
	in.host = text;
	r = ctr__resolv_write(&in, &out, err);
	if (r < 0)
		return r;
	return ctr__files_put(
	    f, "resolv.conf", RESOLV_CONF, out.data ? out.data : "", out.len, err);
}

/* ---- hosts ---- */

static int read_base(struct ctr__files *f, int host, char **out, ctr_error_t **err)
{
	const char *base = f->cfg->base_hosts_file;
	size_t len;
	int r;

	if (!base)
		return read_if_there(host, HOSTS, out, err);
	if (strcmp(base, "none") == 0)
		return 0;
	if (strcmp(base, "image") == 0)
		return read_if_there(f->root_fd, HOSTS, out, err);
	r = ctr__read_in_root(host, base, TEXT_MAX, out, &len);
	if (r == -EINVAL)
		r = ctr__fail(
		    err, CTR_E_INVALID, "baseHostsFile: \"%.200s\" is not a regular file", base);
	else if (r < 0)
		r = ctr__fail_errno(err, -r, base, "baseHostsFile: cannot read \"%s\"", base);
	if (r < 0)
		ctr__error_detail(err, "field", "baseHostsFile");
	return r;
}

static int put_hosts(struct ctr__files *f, int host, ctr_error_t **err)
{
	static const char *const loopback[] = {"127.0.0.1", NULL};
	const char *const names[] = {f->hostname, f->cfg->name, NULL};
	CTR__FREE char *base = NULL;
	CTR__BUF struct ctr__buf out = {0};
	char address[CTR__ADDRESS_SIZE];
	struct ctr__hosts in = {
	    .add = f->cfg->host_add.v,
	    .ips = network_of(f) == NET_NONE ? loopback : NULL,
	    .names = names,
	};
	int r;

	if (f->cfg->use_image_hosts || !ctr__files_wants(f, HOSTS))
		return 0;
	r = read_base(f, host, &base, err);
	if (r < 0)
		return r;
	in.base = base;
	in.internal_ip = ctr__net_host_address(address) ? address : NULL;
	r = ctr__hosts_write(&in, &out, err);
	return r < 0 ? r : ctr__files_put(f, "hosts", HOSTS, out.data, out.len, err);
}

/* ---- sharing ---- */

static void container_unref_p(struct ctr_container **c)
{
	ctr__container_unref(*c);
}

/* The run directory of the container at the end of the chain of joined networks. It follows from configurations alone,
 * so it is known at any time, also after a crash. malloc'ed. */
static int owner_dir(struct ctr_container *c, const ctr_config_t *of, char **out, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *cfg = ctr__config_ref((ctr_config_t *)(uintptr_t)of);

	for (int i = 0; cfg->net_ns_ctr && i < CHAIN_MAX; i++) {
		CTR__CLEANUP(container_unref_p) struct ctr_container *other = NULL;
		int r = ctr__container_open(c->rt, cfg->net_ns_ctr, &other, err);

		if (r < 0)
			return r;
		ctr__config_unref(cfg);
		cfg = ctr__container_config(other);
	}
	*out = ctr__path_join(c->rt->run_dirs, cfg->id);
	return *out ? 0 : ctr__fail_nomem(err);
}

/* The hosts file of a running container, locked against others who join or leave. The lock is a file that no
 * container sees: what is mounted into one can be locked from inside, for ever. */
struct shared {
	int dir, lock, fd;
	char *text;
};

static void shared_close(struct shared *s)
{
	free(s->text);
	ctr__cleanup_close(&s->fd);
	/* A child that another thread of the host forks meanwhile has the descriptor, too. */
	if (s->lock >= 0)
		(void)flock(s->lock, LOCK_UN);
	ctr__cleanup_close(&s->lock);
	ctr__cleanup_close(&s->dir);
}

static int lock_file(int fd)
{
	int r;

	do {
		r = flock(fd, LOCK_EX);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Its text: a container may have written anything into it. */
static int read_shared(struct shared *s)
{
	CTR__BUF struct ctr__buf buf = {0};
	char piece[4096];
	ssize_t n;

	while ((n = ctr__read_eintr(s->fd, piece, sizeof(piece))) > 0) {
		ctr__buf_add(&buf, piece, (size_t)n);
		if (buf.len > TEXT_MAX)
			return -EFBIG;
	}
	if (n < 0)
		return (int)n;
	s->text = ctr__buf_steal(&buf);
	return s->text ? 0 : -ENOMEM;
}

static int shared_open(struct shared *s, const char *dir, bool join)
{
	struct stat st;
	int r;

	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dir < 0)
		return -errno;
	if (faccessat(s->dir, "hosts", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	s->lock = openat(
	    s->dir, HOSTS_LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC | (join ? O_CREAT : 0), 0600);
	if (s->lock < 0)
		return -errno;
	r = lock_file(s->lock);
	if (r < 0)
		return r;
	s->fd = openat(s->dir, "hosts", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? read_shared(s) : -EINVAL;
}

/* In place: other containers have this very file mounted. */
static int shared_rewrite(const struct shared *s, const char *text, size_t len)
{
	if (lseek(s->fd, 0, SEEK_SET) < 0)
		return -errno;
	int r = ctr__write_all(s->fd, text, len);

	if (r == 0 && ftruncate(s->fd, (off_t)len) < 0)
		r = -errno;
	return r;
}

static int change_shared(const char *dir, const char *name, bool join)
{
	CTR__CLEANUP(shared_close) struct shared s = {-1, -1, -1, NULL};
	CTR__FREE char *line = ctr__hosts_shared_line(name);
	CTR__BUF struct ctr__buf out = {0};
	bool there;
	int r;

	if (!line)
		return -ENOMEM;
	r = shared_open(&s, dir, join);
	if (r < 0)
		return r;
	there = ctr__hosts_without_line(s.text, line, &out);
	if (there == join)
		return 0;
	if (join) {
		if (out.len && out.data[out.len - 1] != '\n')
			ctr__buf_addc(&out, '\n');
		ctr__buf_adds(&out, line);
	}
	if (out.failed)
		return -ENOMEM;
	return shared_rewrite(&s, out.data ? out.data : "", out.len);
}

void ctr__files_unshare(struct ctr_container *c, const ctr_config_t *cfg)
{
	CTR__FREE char *dir = NULL;

	if (cfg->net_ns_ctr && !cfg->use_image_hosts && owner_dir(c, cfg, &dir, NULL) >= 0)
		(void)change_shared(dir, cfg->name, false);
}

void ctr__files_renamed(struct ctr_container *c, const ctr_config_t *old)
{
	CTR__FREE char *dir = NULL;

	if (!ctr__state_is_live(c->state.state) || !old->net_ns_ctr || old->use_image_hosts)
		return;
	if (owner_dir(c, old, &dir, NULL) < 0)
		return;
	(void)change_shared(dir, old->name, false);
	(void)change_shared(dir, c->cfg->name, true);
}

static int bind_shared(
    struct ctr__files *f, const char *dir, const char *name, const char *dest, ctr_error_t **err)
{
	CTR__FREE char *path = ctr__path_join(dir, name);

	if (!path)
		return ctr__fail_nomem(err);
	/* The other one may have none: then this one has none either. */
	if (!ctr__files_wants(f, dest) || access(path, F_OK) < 0)
		return 0;
	return ctr__files_bind(f, dest, path, err);
}

static int share(struct ctr__files *f, ctr_error_t **err)
{
	CTR__FREE char *dir = NULL;
	int r = owner_dir(f->c, f->cfg, &dir, err);

	if (r >= 0 && !f->cfg->use_image_resolv_conf)
		r = bind_shared(f, dir, "resolv.conf", RESOLV_CONF, err);
	if (r < 0 || f->cfg->use_image_hosts || !ctr__files_wants(f, HOSTS))
		return r;
	r = bind_shared(f, dir, "hosts", HOSTS, err);
	if (r < 0)
		return r;
	r = change_shared(dir, f->cfg->name, true);
	if (r == -ENOMEM)
		return ctr__fail_nomem(err);
	if (r < 0 && r != -ENOENT)
		ctr__log(f->c->rt, CTR_LOG_WARNING, f->c->id,
		    "its name is not added to the hosts file of container %s: %s",
		    f->cfg->net_ns_ctr, strerrordesc_np(-r));
	return 0;
}

int ctr__files_network(struct ctr__files *f, ctr_error_t **err)
{
	enum network net = network_of(f);
	CTR__CLOSE int host = -1;
	int r = 0;

	if (net == NET_JOINED)
		return share(f, err);
	host = open_host(err);
	if (host < 0)
		return host;
	/* Where nothing can be reached, nobody can be asked. */
	if (net != NET_NONE)
		r = put_resolv_conf(f, host, err);
	return r < 0 ? r : put_hosts(f, host, err);
}
