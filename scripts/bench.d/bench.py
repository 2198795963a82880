#!/usr/bin/env python3
"""Measures every row of the table in docs/figures.md in one run."""

import argparse
import datetime
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import threading
import time

import programs
import rig as rigs

SIZE = rigs.SIZE
# In this order; the latency is less the server's time, which is measured with the throughput.
PARTS = (
    "throughput", "verification", "documents", "start", "intake", "relay", "draining", "chain", "watchers", "workers",
    "latency", "syncs", "large", "attachments", "backlog", "queue")


class Bench(programs.ProgramRows):
    def __init__(self, arguments):
        self.rig = rigs.Rig(arguments.programs)
        self.rounds = 1 if arguments.quick else 5
        self.scale = 20 if arguments.quick else 1
        self.rows, self.notes = [], []

    def row(self, what, figure, goal="", compared=""):
        print(f"{what}: {figure} {compared}", flush=True)
        self.rows.append((what, figure, goal, compared))

    def several(self, measure):
        return [measure() for _ in range(self.rounds)]

    # -- throughput

    def rate(self, spool, count):
        spool.empty()
        spool.put([spool.prepare(rigs.message(number)) for number in range(count)])
        wall, cpu, _ = spool.process()
        if spool.delivered() != count:
            raise SystemExit(f"{spool.delivered()} of {count} delivered")
        return count / wall, cpu / count

    def throughput(self, server):
        count = 2_000 // self.scale
        passing, signing = self.rig.spool(), self.rig.spool(server, rigs.SIGN_MAIL)
        postfix = rigs.Postfix(self.rig) if rigs.IS_ROOT else None
        figures = {"pass": [], "sign": [], "postfix": [], "load": []}
        body = self.request()
        try:
            # Side by side, round by round, so that the disk's moods meet all of them.
            for _ in range(self.rounds):
                figures["pass"].append(self.rate(passing, count))
                figures["sign"].append(self.rate(signing, count))
                if postfix:
                    figures["postfix"].append(postfix.deliver(count // 2, SIZE))
                figures["load"].append(self.load(server, body))
        finally:
            if postfix:
                postfix.close()
        passed, signed = (statistics.median(rate for rate, _ in figures[key]) for key in ("pass", "sign"))
        postfix_rate = statistics.median(figures["postfix"]) if postfix else None
        load_rate, load_time = (statistics.median(values) for values in zip(*figures["load"]))
        self.server_time = load_time
        beside = lambda rate: f"{rate / postfix_rate:.1f} times Postfix" if postfix_rate else "Postfix not measured: needs root"
        self.row("pass-through, durable", f"{passed:,.0f}/s", "4.5 times Postfix", beside(passed))
        self.row(
            "SIGN_EMAIL through ses-dss, RSA-2048, durable", f"{signed:,.0f}/s", "2.2 times Postfix, half of the load generator",
            f"{beside(signed)}; {signed / load_rate:.2f} of the load generator")
        if postfix_rate:
            self.row("Postfix, SMTP to a Maildir, unsigned", f"{postfix_rate:,.0f}/s")
        self.row("load generator (wrk, 8 connections) against ses-dss, nothing stored", f"{load_rate:,.0f}/s")
        ours = statistics.median(cpu for _, cpu in figures["sign"]) * 1000
        openssl = statistics.median(self.several(self.openssl_time)) * 1000
        self.row(
            "own CPU of ses for a signed message", f"{ours:.2f} ms", "0.6 ms",
            f"{ours / openssl:.2f} of one `openssl cms -sign` process ({openssl:.1f} ms)")

    # -- the way in

    def intake(self, server):
        spool = self.rig.spool()
        file = spool.prepare(rigs.message(0))
        rest = ["--spool", str(spool.path), "--to", "outgoing", "-f", rigs.SENDER, "--", rigs.RECIPIENT]
        costs = {"ses-drop": [], "ses": []}
        for _ in range(200 // self.scale):
            for name, command in (("ses-drop", ["ses-drop"]), ("ses", ["ses", "drop"])):
                costs[name].append(rigs.process_cost([str(self.rig.programs / command[0]), *command[1:], *rest], file))
        drop, ses = (
            [statistics.median(values) * 1000 for values in zip(*costs[name])] for name in ("ses-drop", "ses"))
        self.row(
            "`ses-drop`, whole process, durable: CPU, time", f"{drop[1]:.1f} ms, {drop[0]:.1f} ms", "2.5 ms, 4 ms",
            f"`ses drop` {ses[1]:.1f} ms, {ses[0]:.1f} ms")
        if not rigs.IS_ROOT:
            self.row("Postfix over LMTP into the spool, durable", "not measured: needs root")
            return
        socket = self.rig.folder / "lmtp"
        lmtp = self.rig.start(
            "ses-lmtp", "--spool", spool.path, "--mode", "0666", "--folder", "incoming", "--socket", socket,
            log=self.rig.folder / "lmtp.log")
        end = time.monotonic() + 30
        while not socket.exists() and time.monotonic() < end and lmtp.poll() is None:
            time.sleep(0.01)
        plain = rigs.Postfix(self.rig)
        over = rigs.Postfix(self.rig, socket, spool.path / "incoming" / "new")
        rates, times = {"plain": [], "over": []}, []
        try:
            for _ in range(self.rounds):
                rates["plain"].append(plain.deliver(1_000 // self.scale, SIZE))
                before = rigs.processor_time(lmtp.pid)
                rates["over"].append(over.deliver(1_000 // self.scale, SIZE))
                times.append((rigs.processor_time(lmtp.pid) - before) / (1_000 // self.scale))
        finally:
            plain.close()
            over.close()
        through, beside = (statistics.median(rates[name]) for name in ("over", "plain"))
        self.row(
            "Postfix over LMTP into the spool, durable", f"{through:,.0f}/s", "1.0 times Postfix",
            f"{through / beside:.2f} times Postfix delivering to a Maildir ({beside:,.0f}/s); `ses-lmtp`"
            f" {statistics.median(times) * 1000:.2f} ms CPU a message")

    def request(self):
        """A sign request as `ses` sends it."""
        recorder = rigs.Recorder()
        spool = self.rig.spool(recorder.address, rigs.SIGN_MAIL)
        spool.put([spool.prepare(rigs.message(0))])
        taken = []
        taker = threading.Thread(target=lambda: taken.append(recorder.take()), daemon=True)
        taker.start()
        spool.process()
        taker.join(30)
        return taken[0]

    def load(self, server, request):
        fields, body = request
        script = self.rig.folder / "wrk.lua"
        (self.rig.folder / "body").write_bytes(body)
        headers = "".join(
            f'wrk.headers["{name}"] = [[{fields[name]}]]\n' for name in ("content-type", "soapaction") if name in fields)
        script.write_text(
            f'wrk.method = "POST"\n{headers}local file = io.open("{self.rig.folder}/body", "rb")\n'
            'wrk.body = file:read("*a")\nfile:close()\n')
        seconds = 1 if self.rounds == 1 else 4

        def run(connections):
            text = subprocess.run(
                ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script),
                 server + "/adss/signing/dss"], check=True, capture_output=True, text=True).stdout
            if "Non-2xx" in text:
                raise SystemExit(f"the load generator is refused: {text}")
            return text

        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", run(8)).group(1))
        value, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", run(1)).groups()
        return rate, float(value) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit]

    def openssl_time(self):
        """CPU seconds of one process that signs one message."""
        folder = self.rig.folder
        key, certificate, entity = folder / "o.key", folder / "o.pem", folder / "o.eml"
        if not certificate.exists():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                 "-subj", "/CN=bench", "-days", "2"], check=True, capture_output=True)
            entity.write_bytes(rigs.message(0))
        before, count = os.times(), 50
        for _ in range(count):
            subprocess.run(
                ["openssl", "cms", "-sign", "-in", entity, "-signer", certificate, "-inkey", key, "-out", "/dev/null"],
                check=True)
        after = os.times()
        return (after.children_user + after.children_system - before.children_user - before.children_system) / count

    # -- the way out

    def relay(self, _):
        count, connections = 2_000 // self.scale, 8
        spool, sink = self.rig.spool(), rigs.Sink(self.rig)
        figures = {"relay": [], "kept": [], "fresh": []}
        # Into one sink, round by round; `-d` keeps connections open between messages, as ses-relay does.
        for _ in range(self.rounds):
            spool.put([spool.prepare_departing(rigs.message(number)) for number in range(count)], "delivered")
            figures["relay"].append(spool.relay(sink.port, connections))
            figures["kept"].append(sink.source(count, SIZE, connections, "-d"))
            figures["fresh"].append(sink.source(count, SIZE, connections))
        median = lambda key, place: statistics.median(figure[place] for figure in figures[key])
        rate = {key: count / median(key, 0) for key in figures}
        cpu = {key: median(key, 1) / count * 1000 for key in figures}
        self.row(
            f"ses-relay into smtp-sink, {connections} connections, durable", f"{rate['relay']:,.0f}/s", "stated",
            f"{rate['relay'] / rate['kept']:.2f} of smtp-source on kept connections, "
            f"{rate['relay'] / rate['fresh']:.2f} on new ones; {cpu['relay']:.2f} ms own CPU a message")
        self.row(
            f"smtp-source into the same sink, {connections} connections, nothing stored", f"{rate['kept']:,.0f}/s", "",
            f"{rate['fresh']:,.0f}/s with a connection a message; {cpu['kept']:.2f} ms own CPU a message")

    # -- latency

    def latency(self, server):
        spool = self.rig.spool(server, rigs.SIGN_MAIL)
        daemon = self.rig.start("ses", "watch", "--config", spool.configuration, log=self.rig.folder / "ses.log")
        end = time.monotonic() + 30
        while not any(spool.path.glob("state/ses-*.json")):
            if time.monotonic() > end or daemon.poll() is not None:
                raise SystemExit("ses watch did not start: " + (self.rig.folder / "ses.log").read_text())
            time.sleep(0.05)
        arrivals, seconds = rigs.Arrivals(spool.path / "delivered" / "new"), []
        for number in range(max(20, 1_000 // self.scale)):
            file = spool.prepare(rigs.message(number))
            time.sleep(0.005)
            began = time.monotonic()
            spool.put([file])
            arrivals.wait()
            seconds.append(time.monotonic() - began)
        arrivals.close()
        daemon.terminate()
        daemon.wait()
        seconds = sorted(max(0, second - self.server_time) * 1000 for second in seconds[10:])
        self.row(
            "into new/ to delivered, less the server's time, idle spool",
            f"median {statistics.median(seconds):.1f} ms, 99th percentile {seconds[len(seconds) * 99 // 100]:.1f} ms",
            "5 ms, 20 ms", f"the server's {self.server_time * 1000:.1f} ms taken off")

    # -- a long queue

    def backlog(self, _):
        few, many, part = 1_000, 100_000 // self.scale, 10_000 // self.scale
        small = self.rig.spool()

        def one():
            small.empty()
            small.put([small.prepare(rigs.message(number, 2_048)) for number in range(few)])
            wall, cpu, _ = small.process()
            return wall / few, cpu / few

        few_wall, few_cpu = (statistics.median(values) for values in zip(*self.several(one)))
        large = self.rig.spool()
        files = [large.prepare(rigs.message(number, 2_048)) for number in range(many)]
        large.put(files)
        arrivals, began, anonymous = rigs.Arrivals(large.path / "delivered" / "new"), time.monotonic(), 0
        process = subprocess.Popen(
            self.rig.command("ses", "process", "--config", large.configuration),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.rig.running.append(process)
        arrivals.wait()
        first = time.monotonic() - began
        arrivals.close()
        began, start = time.monotonic(), large.delivered()
        while large.delivered() - start < part and process.poll() is None:
            anonymous = max(anonymous, rigs.anonymous_memory(process.pid))
            time.sleep(0.2)
        wall = (time.monotonic() - began) / max(1, large.delivered() - start)
        process.send_signal(signal.SIGTERM)
        process.wait()
        self.row(
            f"a message's time with {many:,} waiting", f"{wall * 1000:.2f} ms", "1.1 times that with 1,000",
            f"{wall / few_wall:.2f} times ({few_wall * 1000:.2f} ms, {few_cpu * 1000:.2f} ms CPU)")
        self.row("first result after start, same backlog", f"{first:.2f} s", "1 s")
        self.row("anonymous memory with that backlog", f"{anonymous / 2**20:.0f} MiB", "64 MiB")

    def queue(self, _):
        """The same for the relay; then as many for a route whose server is down, and mail for another one."""
        few, many, part, connections = 1_000, 100_000 // self.scale, 10_000 // self.scale, 8
        sink = rigs.Sink(self.rig)
        small = self.rig.spool()

        def one():
            small.put([small.prepare_departing(rigs.message(number, 2_048)) for number in range(few)], "delivered")
            return small.relay(sink.port, connections)[0] / few

        few_wall = statistics.median(self.several(one))
        large = self.rig.spool()
        large.put([large.prepare_departing(rigs.message(number, 2_048)) for number in range(many)], "delivered")
        configuration = large.relay_configuration(sink.port, connections)
        process = self.rig.start("ses-relay", "run", "--config", configuration, log=self.rig.folder / "relay.log")
        while large.delivered() == many:
            time.sleep(0.01)
        anonymous, began, start = 0, time.monotonic(), large.delivered()
        while start - large.delivered() < part and process.poll() is None:
            anonymous = max(anonymous, rigs.anonymous_memory(process.pid))
            time.sleep(0.2)
        wall = (time.monotonic() - began) / max(1, start - large.delivered())
        process.terminate()
        process.wait()
        self.row(
            f"ses-relay, a message's time with {many:,} waiting", f"{wall * 1000:.2f} ms", "1.1 times that with 1,000",
            f"{wall / few_wall:.2f} times ({few_wall * 1000:.2f} ms); {anonymous / 2**20:.0f} MiB anonymous memory")

        stuck = self.rig.spool()
        dead = f'<Route toDomain="dead.test"><gateway>127.0.0.1</gateway><gatewayPort>{rigs.free_port()}</gatewayPort></Route>'
        configuration = stuck.relay_configuration(sink.port, connections, dead)
        stuck.put(
            [stuck.prepare_departing(rigs.message(number, 2_048), "bob@dead.test") for number in range(many)], "delivered")
        wall, _ = rigs.timed(self.rig.command("ses-relay", "once", "--config", configuration))
        waiting = len(os.listdir(stuck.path / "relay" / "deferred"))
        process = self.rig.start("ses-relay", "run", "--config", configuration, log=self.rig.folder / "relay.log")
        seconds = []
        for number in range(max(20, 200 // self.scale)):
            file = stuck.prepare_departing(rigs.message(number, 2_048))
            time.sleep(0.02)
            began = time.monotonic()
            stuck.put([file], "delivered")
            while stuck.is_departing():
                time.sleep(0.001)
            seconds.append(time.monotonic() - began)
        anonymous = rigs.anonymous_memory(process.pid)
        process.terminate()
        process.wait()
        seconds = sorted(second * 1000 for second in seconds[5:])
        self.row(
            f"ses-relay, mail for one route with {waiting:,} deferred on a dead one",
            f"median {statistics.median(seconds):.1f} ms, 99th percentile {seconds[len(seconds) * 99 // 100]:.1f} ms", "stated",
            f"{anonymous / 2**20:.0f} MiB anonymous memory; {wall / many * 1000:.2f} ms to defer one")

    # -- a large mail

    def large(self, server):
        octets = (100 << 20) // self.scale
        spool = self.rig.spool(server, rigs.SIGN_MAIL, rigs.VERIFY_MAIL)
        line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n"
        mail = (
            rigs.message(0, 0)[:-2].replace(b"text/plain; charset=us-ascii", b"application/octet-stream")
            + b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=large.bin\r\n\r\n"
            + line * (octets // 60))
        spool.put([spool.prepare(mail)])
        wall, _, (signed,) = spool.process(sample=0.01)
        if spool.delivered() != 1:
            raise SystemExit("the large mail was not signed")
        self.row(f"anonymous memory, {octets >> 20} MiB attachment signed", f"{signed / 2**20:.0f} MiB", "128 MiB", f"{wall:.1f} s")
        file = spool.prepare(spool.result())
        spool.empty()
        spool.put([file], "incoming")
        wall, _, (verified,) = spool.process(sample=0.01)
        if spool.delivered() != 1:
            raise SystemExit("the large mail was not verified as trusted")
        self.row(f"anonymous memory, {octets >> 20} MiB attachment verified", f"{verified / 2**20:.0f} MiB", "128 MiB", f"{wall:.1f} s")

    # -- large attachments

    def attachments(self, _):
        octets = (100 << 20) // self.scale
        self.attachment(f"{octets >> 20} MiB PDF", rigs.pdf(octets), "application/pdf", "large.pdf", "adss:signing:profile:006")
        for words, profile in (("and a p7s beside it", "adss:signing:profile:008"), ("as a p7m", rigs.ENCLOSING_PROFILE)):
            self.attachment(
                f"{octets >> 20} MiB file {words}", rigs.noise(octets), "application/octet-stream", "large.bin", profile)
        # Larger ones are refused, because they must be in memory as a whole.
        octets = (15 << 20) // self.scale
        self.attachment(f"{octets >> 20} MiB XML", rigs.xml(octets), "application/xml", "large.xml", "adss:signing:profile:009")

    def attachment(self, what, octets, media_type, name, profile):
        mail, direction = rigs.mail_with(octets, media_type, name), "outgoing"
        for done in ("signed", "verified"):
            # A fresh one: what an earlier document left behind is not this one's.
            server, process = self.rig.signing_server()
            spool = self.rig.spool(server, rigs.sign_attachments(profile), rigs.VERIFY_ATTACHMENTS)
            spool.put([spool.prepare(mail)], direction)
            wall, _, (ours, servers) = spool.process(sample=0.01, beside=[process])
            if spool.delivered() != 1:
                raise SystemExit(f"{what}: not {done}")
            self.row(
                f"anonymous memory, {what}, {done}", f"{ours / 2**20:.0f} MiB", "128 MiB",
                f"{wall:.1f} s; ses-dss {servers / 2**20:.0f} MiB")
            mail, direction = spool.result(), "incoming"
            spool.empty()
            process.terminate()
            process.wait()

    # -- durability's price

    def syncs(self, server):
        spool = self.rig.spool(server, rigs.SIGN_MAIL)

        def count(messages):
            spool.empty()
            spool.put([spool.prepare(rigs.message(number)) for number in range(messages)])
            trace = self.rig.folder / "trace"
            trace.write_text("")
            rigs.give(trace)
            command = self.rig.command("ses", "process", "--config", spool.configuration)
            place = command.index(str(self.rig.programs / "ses"))
            command[place:place] = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(trace)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return len(re.findall(r"\b(?:fsync|fdatasync)\(", trace.read_text()))

        base, number = count(0), 200
        self.row(
            "fsyncs for a signed message", f"{(count(number) - base) / number:.1f}", "stated",
            f"of {number} drained at once; shared ones count once ({count(1) - base} for a single message)")

    def run(self, only):
        server, _ = self.rig.signing_server()
        for part in PARTS:
            if part in only:
                getattr(self, part)(server)


def table(bench):
    processor = next(
        (line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.processor())
    yield f"{os.cpu_count()} cores ({processor}), {datetime.date.today()}, messages of 20 KiB, medians of {bench.rounds}."
    yield ""
    yield "| what | measured | compared | to reach |"
    yield "| --- | --- | --- | --- |"
    for what, figure, goal, compared in bench.rows:
        yield f"| {what} | {figure} | {compared} | {goal} |"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument(
        "--quick", action="store_true", help="fewer messages and one round, to see that it works; its figures mean nothing")
    parser.add_argument(
        "--only", metavar="PART", action="append", choices=PARTS, help=f"one part of: {', '.join(PARTS)}; may be repeated")
    arguments = parser.parse_args()
    only = set(arguments.only or PARTS)
    if "latency" in only:
        only.add("throughput")
    bench = Bench(arguments)
    try:
        bench.run(only)
    finally:
        bench.rig.close()
        if bench.rows:
            text = "\n".join(table(bench)) + "\n"
            arguments.output.mkdir(parents=True, exist_ok=True)
            name = datetime.datetime.now().strftime("%Y%m%d-%H%M%S.md")
            (arguments.output / name).write_text(text)
            print("\n" + text)


if __name__ == "__main__":
    main()
