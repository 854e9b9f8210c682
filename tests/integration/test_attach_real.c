/* SPDX-License-Identifier: Apache-2.0 */
/* Attach to processes in real containers under a real conmon: test_attach_real RUNTIME. */
#include "real.h"
#include "real_left.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STARTS     200 /* with the first words compared, ... */
#define CONTAINERS 4   /* ... of so many containers          */

/* The host's side: what came so far is in `text`. */
struct host {
	int in, out;
	size_t len;
	char text[1 << 16];
	struct ctr_attach_opts o;
	ctr_attach_t *a;
};

static void host_make(struct host *h, uint64_t flags)
{
	int in[2], out[2];

	memset(h, 0, sizeof(*h));
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	h->in = in[1];
	h->out = out[0];
	fcntl(h->out, F_SETFL, O_NONBLOCK);
	h->o = (struct ctr_attach_opts){.size = sizeof(h->o),
	    .flags = flags,
	    .stdin_fd = in[0],
	    .stdout_fd = out[1],
	    .stderr_fd = out[1]};
}

static void host_hand_over(struct host *h)
{
	close(h->o.stdin_fd);
	close(h->o.stdout_fd);
}

static void host_attach(struct host *h, ctr_container_t *c)
{
	OK(ctr_container_attach(c, &h->o, &h->a, err));
	host_hand_over(h);
}

static void host_start(struct host *h, ctr_container_t *c)
{
	OK(ctr_container_start_and_attach(c, 0, &h->o, &h->a, err));
	host_hand_over(h);
}

static void host_free(struct host *h)
{
	ctr_attach_unref(h->a);
	close(h->in);
	close(h->out);
}

static void take(struct host *h)
{
	ssize_t n;

	while ((n = read(h->out, h->text + h->len, sizeof(h->text) - 1 - h->len)) > 0)
		h->len += (size_t)n;
	h->text[h->len] = '\0';
}

/* Until the text is there; it and what was before it is then forgotten. */
static void await_text(struct host *h, const char *text)
{
	int64_t end = real_now_ms() + PATIENCE_MS;
	char *at;

	for (;;) {
		int r = ctr_attach_run(h->a, 5, NULL);

		take(h);
		at = strstr(h->text, text);
		if (at)
			break;
		if ((r != CTR_ATTACH_GOING_ON && r != CTR_E_TIMEOUT) || real_now_ms() > end)
			fail_msg("\"%s\" did not come, but \"%s\" (%d)", text, h->text, r);
	}
	h->len -= (size_t)(at - h->text) + strlen(text);
	memmove(h->text, at + strlen(text), h->len + 1);
}

static void type(const struct host *h, const char *text)
{
	assert_int_equal(write(h->in, text, strlen(text)), strlen(text));
}

/* To its end; everything that came is in h->text. */
static void run_to(struct host *h, int result)
{
	int64_t end = real_now_ms() + PATIENCE_MS;
	int r;

	do {
		r = ctr_attach_run(h->a, 5, NULL);
		take(h);
	} while (r == CTR_E_TIMEOUT && real_now_ms() < end);
	assert_int_equal(r, result);
	take(h);
}

static ctr_container_t *make(const struct real *r, const char *script, bool terminal, bool input)
{
	ctr_config_builder_t *b = real_builder(r, script);

	ctr_config_builder_set_bool(b, CTR_SPEC_TERMINAL, terminal, NULL);
	ctr_config_builder_set_bool(b, CTR_CONFIG_STDIN, input, NULL);
	return real_create_from(r, b);
}

#define OUTPUTS (CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR)
#define ALL     (CTR_ATTACH_STDIN | OUTPUTS)

/* ---- first words ---- */

static void no_byte_is_lost(void **state)
{
	struct real *r = *state;
	ctr_container_t *c[CONTAINERS];
	char expected[4096] = "";
	size_t n = 0;

	for (int i = 1; i <= 300; i++)
		n += (size_t)snprintf(expected + n, sizeof(expected) - n, "%d\n", i);
	snprintf(expected + n, sizeof(expected) - n, "last words");
	for (int k = 0; k < CONTAINERS; k++)
		c[k] = make(r, "seq 1 300; echo -n last words", false, false);
	for (int i = 0; i < STARTS; i += CONTAINERS) {
		static struct host h[CONTAINERS];

		for (int k = 0; k < CONTAINERS; k++) {
			host_make(&h[k], CTR_ATTACH_STDOUT);
			host_start(&h[k], c[k]);
		}
		for (int k = 0; k < CONTAINERS; k++) {
			run_to(&h[k], CTR_ATTACH_ENDED);
			assert_string_equal(h[k].text, expected);
			host_free(&h[k]);
			assert_int_equal(real_wait(c[k]), 0);
		}
	}
	for (int k = 0; k < CONTAINERS; k++)
		real_remove(c[k], 0);
}

/* ---- input ---- */

static void half_close(void **state)
{
	ctr_container_t *c = make(*state, "cat; echo over", false, true);
	static struct host h;

	host_make(&h, ALL);
	host_start(&h, c);
	type(&h, "to be copied\n");
	await_text(&h, "to be copied\n");
	type(&h, "and this\n");
	close(h.in);
	h.in = -1;
	run_to(&h, CTR_ATTACH_ENDED);
	assert_string_equal(h.text, "and this\nover\n");
	assert_int_equal(real_wait(c), 0);
	host_free(&h);
	real_remove(c, 0);
}

/* Its end resets the connection; what it has printed comes nevertheless. */
static void input_is_not_read(void **state)
{
	ctr_container_t *c = make(*state, "read l; echo \"$l\"; echo last words", false, true);
	static struct host h;
	char block[4096];

	memset(block, 'x', sizeof(block));
	host_make(&h, ALL);
	fcntl(h.in, F_SETFL, O_NONBLOCK);
	OK(ctr_container_start_and_attach(c, 0, &h.o, &h.a, err));
	host_hand_over(&h);
	type(&h, "first\n");
	while (write(h.in, block, sizeof(block)) > 0)
		;
	run_to(&h, CTR_ATTACH_ENDED);
	assert_string_equal(h.text, "first\nlast words\n");
	assert_int_equal(real_wait(c), 0);
	host_free(&h);
	real_remove(c, 0);
}

/* Bytes of all values, more than any buffer has. */
static void much_input(void **state)
{
	ctr_container_t *c = make(*state, "cat", false, true);
	static struct host h;
	static unsigned char block[3000], got[65536];
	size_t sent = 0, back = 0;

	host_make(&h, ALL);
	fcntl(h.in, F_SETFL, O_NONBLOCK);
	host_start(&h, c);
	while (back < 1000 * sizeof(block)) {
		ssize_t n = 0;

		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (unsigned char)((sent + i) * 31 / 7);
		if (h.in >= 0)
			n = write(h.in, block, sizeof(block));
		sent += n > 0 ? (size_t)n : 0;
		if (sent >= 1000 * sizeof(block) && h.in >= 0) {
			close(h.in);
			h.in = -1;
		}
		(void)ctr_attach_run(h.a, 1, NULL);
		while ((n = read(h.out, got, sizeof(got))) > 0) {
			for (size_t i = 0; i < (size_t)n; i++)
				assert_int_equal(got[i], (unsigned char)((back + i) * 31 / 7));
			back += (size_t)n;
		}
	}
	assert_int_equal(back, sent);
	run_to(&h, CTR_ATTACH_ENDED);
	assert_int_equal(real_wait(c), 0);
	host_free(&h);
	real_remove(c, 0);
}

/* ---- terminals ---- */

static void detach_keys(void **state)
{
	ctr_container_t *c = make(*state, "echo ready; read l; echo \"got $l.\"", true, true);
	static struct host h, k;

	host_make(&h, ALL);
	host_start(&h, c);
	await_text(&h, "ready\r\n");
	type(&h, "ab\x10");
	/* Echoed by the terminal, without the key that may be the first one. */
	await_text(&h, "ab");
	type(&h, "\x11");
	run_to(&h, CTR_ATTACH_DETACHED);
	assert_string_equal(h.text, "");
	host_free(&h);
	assert_state(c, CTR_STATE_RUNNING);
	host_make(&k, ALL);
	k.o.detach_keys = "";
	host_attach(&k, c);
	type(&k, "c\n");
	await_text(&k, "got abc.\r\n");
	run_to(&k, CTR_ATTACH_ENDED);
	host_free(&k);
	assert_int_equal(real_wait(c), 0);
	real_remove(c, 0);
}

static void sizes(void **state)
{
	ctr_container_t *c = make(*state,
	    "until stty size 2>&1 | grep '33 99'; do :; done; while read l; do stty size; done",
	    true, true);
	static struct host h;

	host_make(&h, ALL | CTR_ATTACH_SIZE);
	h.o.rows = 33;
	h.o.cols = 99;
	host_start(&h, c);
	await_text(&h, "33 99\r\n");
	/* Told at once: the last one counts. */
	for (uint32_t i = 1; i <= 5; i++)
		OK(ctr_container_attach_resize(c, 40 + i, 100 + i, err));
	for (;;) {
		type(&h, "\n");
		await_text(&h, "\r\n");
		(void)ctr_attach_run(h.a, 20, NULL);
		take(&h);
		if (strstr(h.text, "45 105\r\n"))
			break;
	}
	OK(ctr_attach_resize(h.a, 1000, 1, err));
	type(&h, "\n");
	type(&h, "\x04");
	run_to(&h, CTR_ATTACH_ENDED);
	assert_int_equal(real_wait(c), 0);
	FAILS(CTR_E_CTR_STATE, ctr_container_attach_resize(c, 24, 80, err));
	host_free(&h);
	real_remove(c, 0);
}

/* ---- several, none, too slow ---- */

static void two_at_once(void **state)
{
	ctr_container_t *c = make(*state, "read l; echo \"one said $l\"", false, true);
	static struct host h, k;

	OK(ctr_container_init(c, 0, err));
	host_make(&h, ALL);
	host_make(&k, OUTPUTS);
	host_attach(&h, c);
	host_attach(&k, c);
	OK(ctr_container_start(c, 0, err));
	type(&h, "hello\n");
	await_text(&h, "one said hello\n");
	await_text(&k, "one said hello\n");
	run_to(&h, CTR_ATTACH_ENDED);
	run_to(&k, CTR_ATTACH_ENDED);
	assert_int_equal(real_wait(c), 0);
	host_free(&h);
	host_free(&k);
	real_remove(c, 0);
}

/* What the host does not take waits in the container. */
static void slow_host(void **state)
{
	ctr_container_t *c =
	    make(*state, "dd if=/dev/zero bs=65536 count=64 2>/dev/null", false, false);
	static struct host h;
	static char got[65536];
	size_t all = 0;
	ssize_t n;
	int r;

	host_make(&h, CTR_ATTACH_STDOUT);
	host_start(&h, c);
	/* It gets stuck, and nothing is lost by that. */
	assert_int_equal(ctr_attach_run(h.a, 300, NULL), CTR_E_TIMEOUT);
	assert_state(c, CTR_STATE_RUNNING);
	do {
		r = ctr_attach_run(h.a, 5, NULL);
		while ((n = read(h.out, got, sizeof(got))) > 0)
			all += (size_t)n;
	} while (r == CTR_E_TIMEOUT || n > 0);
	assert_int_equal(r, CTR_ATTACH_ENDED);
	assert_int_equal(all, 64 * 65536);
	assert_int_equal(real_wait(c), 0);
	host_free(&h);
	real_remove(c, 0);
}

static void nobody_left(void **state)
{
	ctr_container_t *c = make(*state, "while :; do echo more; sleep 0.01; done", false, false);
	static struct host h;

	host_make(&h, OUTPUTS);
	host_start(&h, c);
	await_text(&h, "more\n");
	close(h.out);
	h.out = -1;
	assert_int_equal(ctr_attach_run(h.a, PATIENCE_MS, NULL), CTR_ATTACH_CLOSED);
	assert_state(c, CTR_STATE_RUNNING);
	host_free(&h);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void dead_monitor(void **state)
{
	ctr_container_t *c = make(*state, "echo ready; sleep 1000", false, false);
	static struct host h, k;

	host_make(&h, OUTPUTS);
	host_make(&k, OUTPUTS);
	host_start(&h, c);
	await_text(&h, "ready\n");
	kill(real_conmon_pid(c), SIGKILL);
	run_to(&h, CTR_ATTACH_ENDED);
	FAILS(CTR_E_CONMON_DEAD, ctr_container_attach(c, &k.o, &k.a, err));
	assert_null(k.a);
	host_hand_over(&k);
	host_free(&h);
	host_free(&k);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void failed_start(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, NULL);
	ctr_container_t *c;
	static struct host h;

	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/no/such/program", NULL);
	c = real_create_from(r, b);
	host_make(&h, OUTPUTS);
	FAILS(CTR_E_OCI_NOT_FOUND, ctr_container_start_and_attach(c, 0, &h.o, &h.a, err));
	assert_null(h.a);
	host_hand_over(&h);
	host_free(&h);
	real_remove(c, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)
	    TEST(no_byte_is_lost),
	    TEST(half_close),
	    TEST(input_is_not_read),
	    TEST(much_input),
	    TEST(detach_keys),
	    TEST(sizes),
	    TEST(two_at_once),
	    TEST(slow_host),
	    TEST(nobody_left),
	    TEST(dead_monitor),
	    TEST(failed_start),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
