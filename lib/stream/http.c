/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of Docker's API reads before and besides the streams. */
#include "stream/frame.h"

#include <libctr/attach.h>

void ctr__http_header(struct ctr__buf *out, uint64_t flags, bool terminal)
{
	bool framed = !terminal && (flags & CTR_HTTP_MULTIPLEXED);

	ctr__buf_adds(
	    out, flags & CTR_HTTP_UPGRADE ? "HTTP/1.1 101 UPGRADED\r\n" : "HTTP/1.1 200 OK\r\n");
	ctr__buf_addf(out, "Content-Type: application/vnd.docker.%s-stream\r\n",
	    framed ? "multiplexed" : "raw");
	if (flags & CTR_HTTP_UPGRADE)
		ctr__buf_adds(out, "Connection: Upgrade\r\nUpgrade: tcp\r\n");
	ctr__buf_adds(out, "\r\n");
}

void ctr__http_error(struct ctr__buf *out, bool framed, const char *message)
{
	static const char before[] = "Error: ", after[] = "\n";

	if (framed) {
		unsigned char header[CTR__FRAME_HEADER];

		ctr__frame_header(
		    header, CTR__STDERR, sizeof(before) - 1 + strlen(message) + sizeof(after) - 1);
		ctr__buf_add(out, header, sizeof(header));
	}
	ctr__buf_adds(out, before);
	ctr__buf_adds(out, message);
	ctr__buf_adds(out, after);
}
