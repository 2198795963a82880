#!/usr/bin/env python3
"""Hostile clients against ses-dss: half requests, slow bodies, many connections, few descriptors.

usage: hostile_clients.py SES-DSS SITE [--patience=SECONDS] [SCENARIO ...]
       hostile_clients.py --list

SITE is a directory that `ses-dss init` made. Each scenario starts a server, lets the hostile clients loose, asks for real
signatures meanwhile, looks at the memory, and stops the server with SIGTERM while they go on. Prints a line for each and
ends with 1 when one of them missed: an honest client waits less than a second, the server has less than 256 MiB, uses
less than half a core for clients that do nothing, and has ended 10 seconds after SIGTERM. Without a scenario all are run;
a part of a name stands for all that have it.
"""

import base64
import concurrent.futures
import multiprocessing
import os
import re
import resource
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

MEMORY, STOP = 256 << 20, 10.0
# Seconds; a debug build on a busy machine needs more.
PATIENCE = 1.0
BODY = (
    "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><SignRequest RequestID='SES-1' "
    "Profile='adss:signing:profile:007' xmlns='urn:oasis:names:tc:dss:1.0:core:schema'><OptionalInputs><ClaimedIdentity>"
    "<Name>{client}</Name></ClaimedIdentity></OptionalInputs><InputDocuments><Document><Base64Data>{document}")
END = "</Base64Data></Document></InputDocuments></SignRequest></s:Body></s:Envelope>"


def head(length, *more):
    lines = ["POST /adss/signing/dss HTTP/1.1", "Host: dss", "Content-Type: text/xml", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def request(client="samples_test_client", octets=64):
    body = (BODY.format(client=client, document=base64.b64encode(b"a" * octets).decode()) + END).encode()
    return head(len(body)) + body


def part(octets):
    """The beginning of a document of 100 MB."""
    return BODY.format(client="x", document="").encode() + b"QUFB" * (octets // 4)


def fewest(program, site):
    """The number of descriptors that the server says it needs."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
    ended = subprocess.run(
        [program, "run", "--config", site + "/dss.xml"], capture_output=True, text=True, preexec_fn=limit,
        env={**os.environ, "SES_ALLOW_ROOT": "1"})
    found = re.search(r"are too few: ([0-9]+) are needed", ended.stderr)
    if not found or ended.returncode != 71:
        raise SystemExit(f"status {ended.returncode} with 48 descriptors: {ended.stderr}")
    return int(found[1])


def connect(place, blocking=True):
    one = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET, socket.SOCK_STREAM)
    one.settimeout(20)
    one.connect(place)
    one.setblocking(blocking)
    return one


class Server:
    def __init__(self, program, site, unix, descriptors):
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        arguments = [program, "run", "--config", site + "/dss.xml"] + ([] if unix else ["--port", "0"])
        self.log = open(site + "/log", "w+")
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=limit,
            env={**os.environ, "SES_ALLOW_ROOT": "1"})
        line = self.process.stdout.readline()
        found = re.search(r"listening on http://(?:unix:([^:]+):|([0-9.]+):([0-9]+))", line)
        if not found:
            self.log.seek(0)
            raise SystemExit(f"the server did not start: {line}{self.log.read()}")
        self.place = found[1] or (found[2], int(found[3]))

    def connect(self, blocking=True):
        return connect(self.place, blocking)

    def memory(self):
        if self.process.poll() is not None:
            raise SystemExit(f"the server ended with status {self.process.returncode}")
        text = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) << 10

    def seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP + 5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return time.monotonic() - began


def honest(place, octets):
    """Seconds until the signature is here; a refused connection may be tried again, as ses does."""
    began = time.monotonic()
    while True:
        try:
            with connect(place) as one:
                one.sendall(request(octets=octets))
                answer = b""
                while b"</soap:Envelope>" not in answer:
                    piece = one.recv(65_536)
                    if not piece:
                        raise ConnectionError("closed early")
                    answer += piece
            if b"resultmajor:Success" not in answer:
                raise RuntimeError("no signature: " + answer.decode(errors="replace")[:600])
            return time.monotonic() - began
        except OSError:
            if time.monotonic() - began > 20:
                return time.monotonic() - began
            time.sleep(0.01)


class Crowd(threading.Thread):
    """Connections that send what `first` says, and `drip` again and again."""

    def __init__(self, server, count, first, drip=b"", comes_back=False):
        super().__init__(daemon=True)
        self.server, self.count, self.first, self.drip, self.comes_back = server, count, first, drip, comes_back
        self.is_over = threading.Event()
        self.is_there = threading.Event()
        self.sockets = []

    def open(self):
        try:
            one = self.server.connect(blocking=False)
        except OSError:
            return None
        return [one, memoryview(self.first)]

    def run(self):
        for _ in range(self.count):
            if self.is_over.is_set():
                break
            if client := self.open():
                self.sockets.append(client)
                self.push(client)
        self.is_there.set()
        while not self.is_over.wait(0.25):
            alive = []
            for client in self.sockets:
                if self.push(client):
                    alive.append(client)
                elif self.comes_back and (fresh := self.open()):
                    alive.append(fresh)
            self.sockets = alive
        for one, _ in self.sockets:
            one.close()

    def push(self, client):
        one, rest = client
        try:
            while rest:
                rest = rest[one.send(rest):]
            if self.drip:
                one.send(self.drip)
            try:
                if self.is_there.is_set() and one.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                    raise ConnectionError
            except BlockingIOError:
                pass
        except BlockingIOError:
            pass
        except OSError:
            one.close()
            return False
        client[1] = rest
        return True


KINDS = {
    "silent": (b"", b""),
    "half-head": (head(None)[:-2], b""),
    "dripped-head": (head(None)[:-2], b"X"),
    "head-only": (head(100_000_000), b""),
    "half-body": (head(100_000_000) + part(600_000), b""),
    "large-half-body": (head(100_000_000) + part(3_000_000), b""),
    "chunked-half-body": (head(None, "Transfer-Encoding: chunked") + b"100000\r\n" + part(500_000), b""),
    "one-octet-a-time": (head(100_000_000) + part(100), b"A"),
    "unknown-client": (request("nobody"), b""),
    "garbage": (os.urandom(4_096), b"x"),
    "answer-not-read": (request(octets=400_000) * 4, b""),
}
COUNTS = {"few": 40, "many": 600, "crowd": 2_000}
# The number below which the server refuses to start.
FEWEST = -1
# name: kind, connections, Unix socket, descriptors, comes back
SCENARIOS = {}
for kind in KINDS:
    for word, count in COUNTS.items():
        if kind in ("large-half-body", "answer-not-read", "unknown-client") and word == "crowd":
            count = 1_000
        SCENARIOS[f"{kind}/{word}"] = (kind, count, False, None, False)
    SCENARIOS[f"{kind}/unix"] = (kind, 600, True, None, False)
    SCENARIOS[f"{kind}/few-descriptors"] = (kind, 300, False, 96, True)
    SCENARIOS[f"{kind}/fewest-descriptors"] = (kind, 300, False, FEWEST, True)
for kind in ("silent", "half-head", "half-body"):
    SCENARIOS[f"{kind}/10000"] = (kind, 10_000, False, None, False)
    SCENARIOS[f"{kind}/come-back"] = (kind, 600, False, None, True)


def idle_share(server):
    """The processor's share of one second. Whole requests of the crowd are work that must be done first; a server that
    turns in a circle is never done with it."""
    for _ in range(20):
        began, used = time.monotonic(), server.seconds()
        time.sleep(1)
        share = (server.seconds() - used) / (time.monotonic() - began)
        if share <= 0.5:
            break
    return share


def run(program, site, name):
    _, _, unix, descriptors, _ = SCENARIOS[name]
    if descriptors == FEWEST:
        descriptors = fewest(program, site)
    server = Server(program, site, unix, descriptors)
    # A process of its own, because the crowd's thread would hold up this one's.
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as other:
        def wait(octets):
            return other.submit(honest, server.place, octets).result()
        return attack(server, name, wait)


def attack(server, name, wait):
    kind, count, _, _, comes_back = SCENARIOS[name]
    first, drip = KINDS[kind]
    wait(64)
    crowd = Crowd(server, count, first, drip, comes_back)
    crowd.start()
    waits = [wait(20_000) for _ in range(3)]
    crowd.is_there.wait(30)
    for octets in (64, 20_000, 3_000_000, 64):
        waits.append(wait(octets))
        time.sleep(0.1)
    share = idle_share(server)
    memory = server.memory()
    stopped = server.stop()
    crowd.is_over.set()
    crowd.join(30)
    worst = max(waits)
    is_busy = share > 0.5 and not comes_back and not drip
    is_good = worst < PATIENCE and memory < MEMORY and stopped < STOP and server.process.returncode == 0 and not is_busy
    print(
        f"{'ok  ' if is_good else 'FAIL'} {name}: honest {worst:.2f} s, memory {memory >> 20} MiB, "
        f"processor {share * 100:.0f} %, stop {stopped:.1f} s, status {server.process.returncode}", flush=True)
    return is_good


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print("\n".join(SCENARIOS))
        sys.exit(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    words = [word for word in sys.argv[3:] if not word.startswith("--")]
    for word in sys.argv[3:]:
        if word.startswith("--patience="):
            PATIENCE = float(word.split("=")[1])
    names = [name for word in words for name in ([word] if word in SCENARIOS else SCENARIOS) if word in name]
    names = names or list(SCENARIOS)
    results = [run(sys.argv[1], sys.argv[2], name) for name in names]
    print(f"{sum(results)} of {len(results)} scenarios good")
    sys.exit(0 if all(results) else 1)
