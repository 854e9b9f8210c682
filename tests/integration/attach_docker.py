#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real client of Docker's API talks to examples/attach_server.
attach_docker.py PROGRAM PATH_OF_CTRCTL; run by with-store.sh.
"""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import docker


PATH = os.path.join(os.getcwd(), "api.sock")
BLOCK = bytes(range(256)) * 1000


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


class Connection:
    """A hijacked connection."""

    def __init__(self, client, name, **params):
        wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, **params}
        self.raw = client.attach_socket(name, params=wanted)
        self.sock = self.raw._sock
        self.sock.settimeout(30)
        self.rest = b""

    def send(self, data):
        self.sock.sendall(data)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.sock.recv(n - len(data))
            check(piece, f"the end after {data!r}")
            data += piece
        return data

    def frame(self):
        header = self.exactly(8)
        check(header[1:4] == b"\0\0\0", f"frame header {header!r}")
        return header[0], self.exactly(int.from_bytes(header[4:], "big"))

    def until(self, text):
        while text not in self.rest:
            piece = self.sock.recv(4096)
            check(piece, f"{text!r} did not come, but {self.rest!r}")
            self.rest += piece
        self.rest = self.rest.split(text, 1)[1]

    def at_end(self):
        return self.sock.recv(1) == b""

    def close(self):
        self.sock.close()
        self.raw.close()


def plain(client):
    check(client.inspect_container("plain")["Config"]["Tty"] is False, "plain has a terminal")
    # Attached first, which makes it; then started. The data has the usual detach keys in it.
    c = Connection(client, "plain", detachKeys="")
    client.start("plain")
    c.send(b"echo hello; echo error >&2; cat\n")
    got = {1: b"", 2: b""}
    while got != {1: b"hello\n", 2: b"error\n"}:
        stream, data = c.frame()
        got[stream] += data
        check(len(got[1]) + len(got[2]) <= 12, f"output {got}")
    sender = threading.Thread(target=c.send, args=(BLOCK,))
    sender.start()
    back = b""
    while len(back) < len(BLOCK):
        stream, data = c.frame()
        check(stream == 1, "not standard output")
        back += data
    sender.join()
    check(back == BLOCK, "binary data")
    c.sock.shutdown(socket.SHUT_WR)
    check(c.at_end(), "the end of input ends cat and the shell")
    c.close()
    check(client.wait("plain", timeout=30)["StatusCode"] == 0, "exit code")
    log()


def log():
    """Not by the client: it loses what comes together with the answer's header, as the log does."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(PATH)
        s.sendall(b"POST /v1.41/containers/plain/attach?logs=1&stdout=1&stderr=1 HTTP/1.1\r\n\r\n")
        data = b"".join(iter(lambda: s.recv(65536), b""))
    head, data = data.split(b"\r\n\r\n", 1)
    check(head == b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream", f"header {head!r}")
    got = {1: b"", 2: b""}
    while data:
        n = int.from_bytes(data[4:8], "big")
        got[data[0]] += data[8:8 + n]
        data = data[8 + n:]
    check(got == {1: b"hello\n" + BLOCK, 2: b"error\n"}, "the log")


def terminal(client):
    check(client.inspect_container("terminal")["Config"]["Tty"] is True, "terminal has none")
    c = Connection(client, "terminal")
    client.start("terminal")
    client.resize("terminal", height=31, width=97)
    c.send(b"echo a$((1+1))b; busybox stty size\n")
    c.until(b"a2b\r\n")
    c.until(b"31 97\r\n")
    # The keys come in two pieces; the container goes on.
    c.send(b"\x10")
    time.sleep(0.1)
    c.send(b"\x11")
    while not c.at_end():
        pass
    c.close()
    check(client.inspect_container("terminal")["State"]["Running"], "it ended with the attach")
    c = Connection(client, "terminal", detachKeys="x,y")
    c.send(b"\x10\x11\recho back\rexit 3\r")
    c.until(b"\nback\r\n")
    while not c.at_end():
        pass
    c.close()
    check(client.wait("terminal", timeout=30)["StatusCode"] == 3, "exit code")


def refused(client):
    for what in (lambda: client.attach_socket("nobody", params={"stdout": 1, "stream": 1}),
                 lambda: client.attach_socket("plain", params={"stdout": 1, "stream": 1, "detachKeys": "nonsense"}),
                 lambda: client.attach_socket("plain", params={"stream": 1})):
        try:
            what()
        except docker.errors.APIError as e:
            check(e.response.status_code in (400, 404), f"status {e.response.status_code}")
        else:
            sys.exit("FAILED: not refused")


def listens():
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(PATH) == 0


def main():
    program, ctrctl = sys.argv[1:]
    for name, options in ("plain", "-i"), ("terminal", "-it"):
        subprocess.run([ctrctl, "create", "--name", name, options, os.environ["ROOTFS"], "/bin/sh"],
                       check=True, stdout=subprocess.DEVNULL)
    server = subprocess.Popen([program, PATH])
    try:
        while not listens():
            check(server.poll() is None, "the server does not run")
            time.sleep(0.01)
        client = docker.APIClient(base_url="unix://" + PATH, version="auto", timeout=30)
        check(client.ping(), "ping")
        refused(client)
        plain(client)
        terminal(client)
        client.close()
    finally:
        server.terminate()
        code = server.wait(30)
        subprocess.run([ctrctl, "rm", "-f", "plain", "terminal"], check=True)
    check(code == -signal.SIGTERM, f"the server ended with {code}")
    print("ok")


main()
