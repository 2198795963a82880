#!/usr/bin/env python3
"""Clients of ses-lmtp, honest and hostile.

usage: lmtp_clients.py SES-LMTP SPOOL SCRATCH SCENARIO [ROUNDS]
       lmtp_clients.py --list

SPOOL is an empty spool that `ses init` made, SCRATCH a directory for sockets; both belong to the account that the program
runs as. ROUNDS is the number of kills of the scenario `killed` (25). Ends with 1 and says why when the program did not keep
what it promises.
"""

import collections
import contextlib
import os
import pathlib
import pwd
import random
import re
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time

SENDER, RECIPIENT = "alice@example.test", "bob@example.test"
# The longest time that an honest client waits for one message; a debug build on a busy machine is slow.
PATIENCE = 20.0
MEMORY = 256 << 20


class Missed(Exception):
    pass


def expect(condition, *words):
    if not condition:
        raise Missed(" ".join(str(word) for word in words))


class Server:
    def __init__(self, program, spool, scratch):
        self.program, self.spool, self.scratch = program, pathlib.Path(spool), pathlib.Path(scratch)
        self.socket, self.log = str(self.scratch / "lmtp.sock"), self.scratch / "log"
        self.process = None

    def launch(self, *options, folder="outgoing", file_limit="unlimited"):
        command = ["prlimit", f"--fsize={file_limit}", "--", self.program, "--spool", str(self.spool), "--folder", folder, "--socket", self.socket, *options]
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            command = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--", *command]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "ab"))

    def start(self, *options, **more):
        self.process = self.launch(*options, **more)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), self.connect():
                return self
            time.sleep(0.01)
        raise Missed("it did not start:", self.log.read_text())

    def connect(self, limit=60):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(limit)
        connection.connect(self.socket)
        return connection

    def client(self):
        client = smtplib.LMTP(self.socket)
        client.sock.settimeout(60)
        client.ehlo()
        return client

    def stop(self, limit=10):
        self.process.terminate()
        began = time.monotonic()
        try:
            status = self.process.wait(limit + 20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Missed("it did not end after SIGTERM") from None
        expect(time.monotonic() - began < limit, "it took longer than 10 s to end")
        expect(status == 0, "it ended with", status, self.log.read_text())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def memory(self):
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found.group(1)) * 1024

    def files(self, folder="outgoing"):
        """Name to octets behind the envelope block, and the block's fields."""
        found = {}
        for file in (self.spool / folder / "new").iterdir():
            octets = file.read_bytes()
            length = int(re.search(r",E=(\d+)", file.name).group(1))
            block = octets[:length].decode()
            expect(block.endswith("X-SES-End: 1\r\n"), "the block does not end", block)
            fields = collections.defaultdict(list)
            for line in block.replace("\r\n ", " ").split("\r\n"):
                name, _, value = line.partition(": ")
                fields[name].append(value)
            found[file.name.split(".")[1]] = (octets[length:], fields)
        return found

    def unfinished(self, folder="outgoing"):
        return [name for name in os.listdir(self.spool / folder / "tmp") if not name.startswith(".")]

    def honest(self, count=1):
        """Delivers as an honest client does; the longest time of one message."""
        longest = 0.0
        for _ in range(count):
            began = time.monotonic()
            with self.client() as client:
                client.sendmail(SENDER, [RECIPIENT], message())
            longest = max(longest, time.monotonic() - began)
        expect(longest < PATIENCE, f"an honest client waited {longest:.1f} s")
        return longest


def message(text="Hello\r\n", size=0):
    line = "The quick brown fox jumps over the lazy dog, again and again and again.\r\n"
    return f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: x\r\n\r\n{text}{line * (size // len(line))}".encode()


def lines(connection, count):
    """Reads `count` replies, of any number of lines each."""
    replies, octets = [], b""
    while len(replies) < count:
        chunk = connection.recv(65_536)
        if not chunk:
            break
        octets += chunk
        *whole, octets = octets.split(b"\r\n")
        replies += [line.decode() for line in whole if line[3:4] == b" "]
    return replies


def dialogue(server):
    """All recipients of a message are in one file, its octets are unchanged, and each reply names the entry"""
    server.start()
    octets = message(".dot\r\n..two\r\n.\r\nbare\nlf\n.\nand\rcr\r.\r\n\x00nul\r\n")
    with server.connect() as connection:
        stuffed = re.sub(rb"(^|\r\n)\.", rb"\1..", octets)
        connection.sendall(
            b"LHLO client.test\r\nXFORWARD IDENT=4Xyz\r\nMAIL FROM:<alice@example.test> RET=FULL ENVID=id+2B1 SIZE=500\r\n"
            b"RCPT TO:<bob@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2Bx@example.test\r\n"
            b"RCPT TO:<carol@example.test> NOTIFY=FAILURE,SUCCESS\r\nRCPT TO:<no address>\r\nDATA\r\n")
        replies = lines(connection, 8)
        connection.sendall(stuffed + b".\r\nQUIT\r\n")
        replies += lines(connection, 3)
    codes = [reply[:3] for reply in replies]
    expect(codes == "220 250 250 250 250 250 553 354 250 250 221".split(), replies)
    files = server.files()
    expect(len(files) == 1, files)
    ((entry, (content, fields)),) = files.items()
    expect(all(f"entry {entry}" in reply for reply in replies[8:10]), replies)
    expect(content == octets, content)
    expect(fields["Return-Path"] == [f"<{SENDER}>"], fields)
    expect(fields["Envelope-To"] == [f"{RECIPIENT}, carol@example.test"], fields)
    expect(fields["X-SES-Notify"] == ["SUCCESS,FAILURE"] and fields["X-SES-Return"] == ["FULL"], fields)
    expect(fields["X-SES-Envelope-Id"] == ["id+2B1"] and fields["X-SES-Queue-Id"] == ["4Xyz"], fields)
    expect(fields["X-SES-Original-Recipient"] == [f"rfc822;Bob+2Bx@example.test {RECIPIENT}"], fields)
    # Python's client, a null sender, and wishes that differ.
    with server.client() as client:
        expect(client.sendmail("", [RECIPIENT], message()) == {}, "refused")
        client.mail(SENDER)
        client.rcpt(RECIPIENT, ["NOTIFY=NEVER"])
        client.rcpt("carol@example.test")
        client.docmd("DATA")
        client.send(b"x: y\r\n\r\n.\r\n")
        first, second = client.getreply(), client.getreply()
        expect(first[0] == second[0] == 250 and first[1] != second[1], first, second)
    expect(len(server.files()) == 4, "one file for each wish")
    expect(not server.unfinished(), "files in tmp")
    server.stop()


def pipelining(server):
    """A client may send many messages without waiting, and gets every reply in order"""
    server.start()
    count = 40
    one = b"MAIL FROM:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\nRCPT TO:<c@example.test>\r\nDATA\r\nn: %d\r\n\r\n.\r\n"
    with server.connect() as connection:
        stream = b"LHLO c\r\n" + b"".join(one % number for number in range(count)) + b"QUIT\r\n"
        sender = threading.Thread(target=connection.sendall, args=(stream,))
        sender.start()
        replies = lines(connection, 2 + 6 * count + 1)
        sender.join()
    expected = ["220", "250"] + ["250", "250", "250", "354", "250", "250"] * count + ["221"]
    expect([reply[:3] for reply in replies] == expected, replies)
    files = server.files()
    expect(len(files) == count, len(files))
    told = [reply.split()[-1] for reply in replies if "entry" in reply][::2]
    contents = [files[entry][0] for entry in told]
    expect(contents == [b"n: %d\r\n\r\n" % number for number in range(count)], "not in order")
    server.stop()


def full(server):
    """Above a mark a message is refused for now before it is sent, and taken when there is room again"""
    server.start("--max-waiting", "3")
    for _ in range(3):
        server.honest()
    with server.client() as client:
        code, text = client.mail(SENDER)
        expect((code, text[:5]) == (452, b"4.3.1"), code, text)
    for file in (server.spool / "outgoing" / "new").iterdir():
        file.unlink()
    end = time.monotonic() + 30
    while True:
        with server.client() as client:
            code, text = client.mail(SENDER)
        if code == 250:
            break
        expect(time.monotonic() < end, "the mark holds although there is room")
        time.sleep(0.1)
    server.stop()
    free = os.statvfs(server.spool)
    server.start("--min-free", str((free.f_bavail * free.f_frsize >> 20) + 4_096))
    with server.client() as client:
        code, text = client.mail(SENDER)
        expect((code, text[:5]) == (452, b"4.3.1"), code, text)
    server.stop()
    server.start("--max-size", "1000")
    with server.client() as client:
        expect(client.mail(SENDER, ["SIZE=1001"])[0] == 552, "SIZE above the limit")
        client.mail(SENDER)
        client.rcpt(RECIPIENT)
        expect(client.data(message(size=2_000))[0] == 552, "a message above the limit")
        client.rset()
        expect(client.sendmail(SENDER, [RECIPIENT], message()) == {}, "the next one")
    expect(len(server.files()) == 1 and not server.unfinished(), "what was refused left something")
    server.stop()


def disk(server):
    """A file that cannot be written is refused for now, and nothing of it stays"""
    server.start(file_limit=20_000)
    with server.client() as client:
        client.mail(SENDER)
        client.rcpt(RECIPIENT)
        client.rcpt("carol@example.test")
        client.docmd("DATA")
        client.send(message(size=200_000) + b".\r\n")
        for _ in range(2):
            code, text = client.getreply()
            expect((code, text[:5]) == (451, b"4.3.0"), code, text)
        expect(client.sendmail(SENDER, [RECIPIENT], message()) == {}, "a small one afterwards")
    expect(len(server.files()) == 1 and not server.unfinished(), "half a file stayed")
    server.stop()


def sockets(server):
    """A socket that nobody listens on is replaced, one of a living server is not, and one that is no socket neither"""
    server.start("--mode", "0620", "--group", str(os.getgid() if os.geteuid() else pwd.getpwnam("nobody").pw_gid))
    expect(os.stat(server.socket).st_mode & 0o777 == 0o620, oct(os.stat(server.socket).st_mode))
    second = server.launch()
    expect(second.wait(30) == 69, "a second server on the same socket")
    expect("another server listens" in server.log.read_text(), server.log.read_text())
    server.honest()
    server.kill()
    expect(os.path.exists(server.socket), "kill -9 leaves the socket")
    server.start().honest()
    server.stop()
    expect(not os.path.exists(server.socket), "the socket stays after SIGTERM")
    pathlib.Path(server.socket).write_text("x")
    expect(server.launch().wait(30) == 69, "a file in the place of the socket")
    expect(pathlib.Path(server.socket).read_text() == "x", "the file is gone")
    os.unlink(server.socket)
    expect(server.launch(folder="nowhere").wait(30) == 64, "a folder that is none")


def stopping(server):
    """SIGTERM ends it within 10 s, whatever clients do, and takes no half of a message"""
    server.start()
    idle, command, half, unread = (server.connect() for _ in range(4))
    lines(idle, 1)
    command.sendall(b"LHLO c\r\nMAIL FR")
    half.sendall(b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nhalf of a mess")
    lines(half, 5)
    # A client that sends and never reads.
    unread.settimeout(2)
    with contextlib.suppress(OSError):
        while True:
            unread.sendall(b"NOOP\r\n" * 10_000)
    server.process.send_signal(signal.SIGHUP)
    server.honest()
    server.stop()
    expect(lines(idle, 1)[0].startswith("421 4.3.2"), "an idle client is told")
    expect(lines(half, 1)[0].startswith("421 4.3.2"), "the sender of half a message is told")
    expect(len(server.files()) == 1 and not server.unfinished(), server.files(), server.unfinished())


def deadlines(server):
    """A client that stops talking is sent away: idle, in a command, within a message, and octet by octet"""
    server.start("--timeout", "2", "--data-timeout", "4")

    def told(start, drip):
        connection = server.connect()
        began = time.monotonic()
        connection.sendall(start)
        octets = b""
        connection.settimeout(0.3)
        while time.monotonic() - began < 30:
            try:
                chunk = connection.recv(4_096)
                if not chunk:
                    break
                octets += chunk
            except TimeoutError:
                pass
            except OSError:
                break
            if drip:
                with contextlib.suppress(OSError):
                    connection.sendall(drip)
        expect(b"\r\n421 4.4.2" in octets, start, octets)
        return time.monotonic() - began

    half = b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
    for start, drip, least, most in [
        (b"", b"", 1.5, 12), (b"LHL", b"x", 1.5, 12), (half, b"", 1.5, 12), (half, b"x", 3.5, 14),
    ]:
        took = told(start, drip)
        expect(least < took < most, start, drip, f"{took:.1f} s")
    expect(not server.files() and not server.unfinished(), "something stayed")
    server.honest()
    server.stop()


def hostile(server):
    """Hostile clients slow no honest one down, and take no memory"""
    server.start("--max-connections", "60", "--max-size", str(64 << 20))
    start = b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
    going = threading.Event()

    def flood(first, more):
        while not going.is_set():
            with contextlib.suppress(OSError), server.connect(5) as connection:
                connection.sendall(first)
                while not going.is_set():
                    connection.sendall(more)

    def many_recipients():
        with contextlib.suppress(OSError), server.connect(30) as connection:
            reader = threading.Thread(target=lambda: found.extend(lines(connection, 10_004)))
            reader.start()
            connection.sendall(b"LHLO c\r\nMAIL FROM:<>\r\n" + b"".join(b"RCPT TO:<u%d@example.test>\r\n" % n for n in range(10_000)))
            connection.sendall(b"QUIT\r\n")
            reader.join()

    found = []
    threads = [
        threading.Thread(target=flood, args=arguments, daemon=True)
        for arguments in [(b"", b"x" * 60_000), (start, b"y" * 60_000), (b"LHLO c\r\n", b"\r\n" * 100), (start, b".\r\r\n" * 1_000)]
    ] + [threading.Thread(target=many_recipients)]
    for thread in threads:
        thread.start()
    sleepers = [server.connect() for _ in range(40)]
    longest = server.honest(5)
    threads[-1].join(120)
    codes = collections.Counter(reply[:3] for reply in found)
    expect(codes["250"] == 2 + 1_000 and codes["452"] == 9_000 and codes["221"] == 1, codes)
    # More than are allowed: each is told, and the server goes on.
    crowd = [server.connect() for _ in range(60)]
    greetings = [lines(connection, 1) for connection in crowd[-5:]]
    expect(all(greeting and greeting[0].startswith("421 4.3.2") for greeting in greetings), greetings)
    for connection in crowd + sleepers:
        connection.close()
    going.set()
    for thread in threads:
        thread.join(60)
    end = time.monotonic() + 30
    while True:
        try:
            server.honest()
            break
        except (smtplib.SMTPException, OSError):
            expect(time.monotonic() < end, "places do not become free")
    expect(server.memory() < MEMORY, f"{server.memory() >> 20} MiB")
    print(f"longest {longest:.2f} s, {server.memory() >> 20} MiB")
    server.stop()


def killed(server):
    """kill -9 at any moment loses no message for which 250 was sent, and leaves no half of one in new"""
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 25
    acknowledged, sent = {}, {}
    lock = threading.Lock()
    for number in range(rounds):
        server.start()

        def client(name):
            with contextlib.suppress(OSError, smtplib.SMTPException), server.client() as connection:
                for count in range(1_000):
                    token = f"{number}-{name}-{count}"
                    octets = message(f"token {token}\r\n", random.choice([0, 3_000, 200_000])) + b"the end\r\n"
                    with lock:
                        sent[token] = octets
                    connection.mail(SENDER)
                    connection.rcpt(RECIPIENT)
                    code, text = connection.data(octets)
                    if code == 250:
                        with lock:
                            acknowledged[text.split()[-1].decode()] = octets

        clients = [threading.Thread(target=client, args=(name,)) for name in range(3)]
        for thread in clients:
            thread.start()
        time.sleep(random.uniform(0, 0.25))
        server.kill()
        for thread in clients:
            thread.join(60)
    files = server.files()
    whole = set(sent.values())
    expect(len(acknowledged) > rounds, "too few messages were sent:", len(acknowledged))
    for entry, octets in acknowledged.items():
        expect(entry in files, "lost:", entry)
        expect(files[entry][0] == octets, "not as sent:", entry)
    for entry, (octets, _) in files.items():
        expect(octets in whole, "half a message:", entry)
    print(f"{rounds} kills: {len(sent)} sent, {len(acknowledged)} acknowledged, {len(files)} in new")
    server.start().stop()


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in [dialogue, pipelining, full, disk, sockets, stopping, deadlines, hostile, killed]
}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(SCENARIOS))
        return 0
    if len(sys.argv) not in (5, 6) or sys.argv[4] not in SCENARIOS:
        print(__doc__, file=sys.stderr)
        return 64
    server = Server(*sys.argv[1:4])
    try:
        SCENARIOS[sys.argv[4]](server)
    except Missed as missed:
        print(f"{sys.argv[4]}: {missed}", file=sys.stderr)
        return 1
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
