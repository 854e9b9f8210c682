/* SPDX-License-Identifier: Apache-2.0 */
/* conmon's packets in, Docker's frames out. */
#include "stream/frame.h"

bool ctr__packet_read(const unsigned char *packet, size_t len, int *stream,
    const unsigned char **data, size_t *data_len)
{
	if (len < 1 || packet[0] < CTR__STDOUT + 1 || packet[0] > CTR__STDERR + 1)
		return false;
	*stream = packet[0] - 1;
	*data = packet + 1;
	*data_len = len - 1;
	return true;
}

void ctr__frame_header(unsigned char out[CTR__FRAME_HEADER], int stream, size_t len)
{
	memset(out, 0, CTR__FRAME_HEADER);
	out[0] = (unsigned char)stream;
	for (int i = 0; i < 4; i++)
		out[4 + i] = (unsigned char)(len >> (24 - 8 * i));
}
