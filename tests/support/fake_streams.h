/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of one container of the fake runtime: pairs of sockets that speak conmon's way. */
#ifndef TESTS_SUPPORT_FAKE_STREAMS_H
#define TESTS_SUPPORT_FAKE_STREAMS_H

#include <libctr/libctr.h>

struct fake_streams {
	int *fds;
	int n;
	uint32_t rows, cols;
};

/* The other end of a new pair, or a code. */
int fake_streams_attach(struct fake_streams *s, ctr_error_t **err);
/* To all that are attached, on standard output: pieces of these lengths. */
void fake_streams_say(const struct fake_streams *s, const char *data, const size_t *lengths, int n);
void fake_streams_close(struct fake_streams *s);

#endif
