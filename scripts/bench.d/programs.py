"""Rows about whole programs: their start, several of them at work, and the way of a mail through all of them."""

import asyncio
import os
import re
import statistics
import subprocess
import threading
import time

import rig as rigs


class ProgramRows:
    """Measurements beside those of `bench.Bench`, which inherits them."""

    # -- start

    def start(self, _):
        """The processor time of commands that cron and monitoring start, and the size of the programs."""
        spool = self.rig.spool()
        # They are started without a helper that changes the user, whose time would count.
        os.environ["SES_ALLOW_ROOT"] = "1"
        commands = {
            "--help": ["--help"], "status": ["status", "--spool", str(spool.path)],
            "sweep": ["sweep", "--config", str(spool.configuration)],
            "process, empty spool": ["process", "--config", str(spool.configuration)],
        }
        for name, arguments in commands.items():
            costs = [
                rigs.process_cost([str(self.rig.programs / "ses"), *arguments], os.devnull, may_fail=name == "status")
                for _ in range(max(5, 100 // self.scale))]
            self.row(
                f"start of `ses {name}`: CPU", f"{statistics.median(cpu for _, cpu in costs) * 1000:.1f} ms",
                "6 ms" if name == "--help" else "8 ms")
        sizes = []
        for name in ("ses", "ses-relay", "ses-dss", "ses-lmtp", "ses-drop"):
            stripped = self.rig.folder / "stripped"
            subprocess.run(["strip", "-o", stripped, self.rig.programs / name], check=True)
            sizes.append(f"`{name}` {stripped.stat().st_size / 1e6:.0f} MB")
        self.row("size, stripped", ", ".join(sizes), "30 MB each")

    # -- verification

    def verification(self, server):
        count = 2_000 // self.scale
        spool = self.rig.spool(server, rigs.SIGN_MAIL, rigs.VERIFY_MAIL)
        spool.put([spool.prepare(rigs.message(0))])
        spool.process()
        signed = spool.result()
        postfix = rigs.Postfix(self.rig) if rigs.IS_ROOT else None
        rates, costs, beside = [], [], []
        try:
            for _ in range(self.rounds):
                spool.empty()
                spool.put([spool.prepare(signed) for _ in range(count)], "incoming")
                wall, cpu, _ = spool.process()
                if spool.delivered() != count:
                    raise SystemExit(f"{spool.delivered()} of {count} verified")
                rates.append(count / wall)
                costs.append(cpu / count)
                if postfix:
                    beside.append(postfix.deliver(count // 2, rigs.SIZE))
        finally:
            if postfix:
                postfix.close()
        rate = statistics.median(rates)
        self.row(
            "VERIFY_EMAIL through `ses-dss`, durable", f"{rate:,.0f}/s", "2.2 times Postfix",
            (f"{rate / statistics.median(beside):.1f} times Postfix; " if beside else "")
            + f"{statistics.median(costs) * 1000:.2f} ms own CPU a message")

    # -- small attachments

    def documents(self, _):
        """What `ses` and `ses-dss` spend together on a mail with one document."""
        for what, octets, media_type, name, profile in (
            ("137 KiB PDF", rigs.pdf(137 << 10), "application/pdf", "a.pdf", "adss:signing:profile:006"),
            ("20 KiB XML", rigs.xml(20 << 10), "application/xml", "a.xml", "adss:signing:profile:009"),
        ):
            count = max(10, 200 // self.scale)
            server, process = self.rig.signing_server()
            spool = self.rig.spool(server, rigs.sign_attachments(profile))
            mail = rigs.mail_with(octets, media_type, name)
            own, servers = [], []
            base = statistics.median(spool.process()[1] for _ in range(3))
            for _ in range(self.rounds):
                spool.empty()
                spool.put([spool.prepare(mail) for _ in range(count)])
                before = rigs.processor_time(process.pid)
                _, cpu, _ = spool.process()
                servers.append((rigs.processor_time(process.pid) - before) / count * 1000)
                own.append((cpu - base) / count * 1000)
                if spool.delivered() != count:
                    raise SystemExit(f"{what}: {spool.delivered()} of {count} signed")
            process.terminate()
            process.wait()
            ours, theirs = statistics.median(own), statistics.median(servers)
            self.row(
                f"{what} signed: CPU of `ses` and `ses-dss`", f"{ours + theirs:.1f} ms",
                "3.5 ms" if "PDF" in what else "2.2 ms", f"`ses` {ours:.1f} ms, `ses-dss` {theirs:.1f} ms")

    # -- several processes and workers

    def watchers(self, _):
        """Two daemons on one spool, which share its messages."""
        count = 2_000 // self.scale
        rates = {1: [], 2: []}
        for _ in range(self.rounds):
            for number in rates:
                spool = self.rig.spool()
                daemons = [spool.watch() for _ in range(number)]
                files = [spool.prepare(rigs.message(index)) for index in range(count)]
                began = time.monotonic()
                spool.put(files)
                spool.await_delivered(count)
                rates[number].append(count / (time.monotonic() - began))
                for daemon in daemons:
                    daemon.terminate()
                    daemon.wait()
        one, two = (statistics.median(rates[number]) for number in (1, 2))
        self.row(
            "two `ses watch` on one spool", f"{two:,.0f}/s", "1.0 times one", f"{two / one:.2f} times one ({one:,.0f}/s)")

    def workers(self, server):
        """Messages at a server that takes 50 ms, by the number that may be there at a time."""
        delay = 0.05
        with Delay(server, delay) as slow:
            found = []
            for number in (1, 2, 4, 8, 64):
                count = max(number * 4, min(number * 40, 640) // self.scale)
                spool = self.rig.spool(slow, rigs.SIGN_MAIL, processing=f"<Concurrency>{number}</Concurrency>")
                daemon = spool.watch()
                files = [spool.prepare(rigs.message(index)) for index in range(count)]
                began = time.monotonic()
                spool.put(files)
                spool.await_delivered(count)
                wall = time.monotonic() - began
                daemon.terminate()
                daemon.wait()
                found.append(f"{number}: {count / wall:,.0f}/s ({count / wall / (number / delay):.2f} of ideal)")
        self.row("messages by the number at a server that takes 50 ms", "; ".join(found), "0.9 of ideal")

    # -- a queue that waits to leave

    def draining(self, _):
        """The durable queues of Postfix and of `ses-relay`, drained into one sink."""
        if not rigs.IS_ROOT:
            return self.row("`ses-relay` draining its queue", "not measured: Postfix needs root")
        count, connections = 2_000 // self.scale, 8
        sink, spool = rigs.Sink(self.rig), self.rig.spool()
        postfix = rigs.Postfix(
            self.rig, name="postfix-drain",
            settings=f"relayhost = [127.0.0.1]:{sink.port}\nsmtp_destination_concurrency_limit = {connections}\n"
            f"default_process_limit = 100\ninitial_destination_concurrency = {connections}\n"
            "smtp_connection_cache_on_demand = yes\nvirtual_mailbox_domains =\n")
        relay, own, theirs = [], [], []
        try:
            for _ in range(self.rounds):
                spool.put([spool.prepare_departing(rigs.message(number)) for number in range(count)], "delivered")
                wall, cpu = spool.relay(sink.port, connections)
                relay.append(count / wall)
                own.append(cpu / count * 1000)
                theirs.append(postfix.drain(count, rigs.SIZE))
        finally:
            postfix.close()
        ours, beside = statistics.median(relay), statistics.median(theirs)
        self.row(
            f"`ses-relay` draining its queue, {connections} connections", f"{ours:,.0f}/s", "1.8 times Postfix's client",
            f"{ours / beside:.2f} times Postfix's client ({beside:,.0f}/s); {statistics.median(own):.2f} ms own CPU a message")

    # -- the whole chain

    def chain(self, server):
        """Postfix, `ses-lmtp`, signing, `ses-relay`, a sink; beside it Postfix with a signing milter and the same sink.

        The milter is opendkim with RSA-2048, a stand-in for one that signs by S/MIME.
        """
        if not rigs.IS_ROOT:
            return self.row("the whole chain", "not measured: Postfix needs root")
        count, connections = 1_000 // self.scale, 8
        rates = {"chain": [], "milter": []}
        for _ in range(self.rounds):
            rates["chain"].append(self.chain_rate(server, count, connections))
            rates["milter"].append(self.milter_rate(count, connections))
        ours, beside = (statistics.median(rates[key]) for key in ("chain", "milter"))
        self.row(
            "Postfix, `ses-lmtp`, SIGN_EMAIL, `ses-relay`, sink", f"{ours:,.0f}/s", "2 times Postfix with a milter",
            f"{ours / beside:.2f} times Postfix with opendkim, RSA-2048, into the same sink ({beside:,.0f}/s)")

    def chain_rate(self, server, count, connections):
        sink = CountingSink(self.rig)
        spool = self.rig.spool(server, rigs.SIGN_MAIL)
        socket_path = spool.path.with_suffix(".lmtp")
        lmtp = self.rig.start(
            "ses-lmtp", "--spool", spool.path, "--mode", "0666", "--folder", "outgoing", "--socket", socket_path,
            log=self.rig.folder / "lmtp.log")
        watch = spool.watch()
        relay = self.rig.start(
            "ses-relay", "run", "--config", spool.relay_configuration(sink.port, connections),
            log=self.rig.folder / "relay.log")
        postfix = rigs.Postfix(
            self.rig, name=spool.path.name + "-chain", settings=f"virtual_transport = lmtp:unix:{socket_path}\n")
        try:
            return self.sent_rate(postfix, sink, count)
        finally:
            postfix.close()
            for process in (relay, watch, lmtp):
                process.terminate()
                process.wait()
            sink.close()

    def milter_rate(self, count, connections):
        sink = CountingSink(self.rig)
        folder = self.rig.folder / "dkim"
        if not folder.exists():
            folder.mkdir()
            subprocess.run(
                ["openssl", "genrsa", "-out", folder / "key.pem", "2048"], check=True, stderr=subprocess.DEVNULL)
        port, configuration = rigs.free_port(), folder / "opendkim.conf"
        # Else it refuses a key below a folder that everybody may write to, as /var/tmp is.
        configuration.write_text("RequireSafeKeys no\n")
        milter = subprocess.Popen(
            ["opendkim", "-f", "-p", f"inet:{port}@127.0.0.1", "-d", "example.test", "-s", "bench", "-k",
             folder / "key.pem", "-b", "s", "-x", configuration],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.rig.running.append(milter)
        rigs.await_port(port, milter)
        postfix = rigs.Postfix(
            self.rig, name=f"postfix-milter{port}",
            settings=f"relayhost = [127.0.0.1]:{sink.port}\nsmtpd_milters = inet:127.0.0.1:{port}\n"
            f"smtp_destination_concurrency_limit = {connections}\nvirtual_mailbox_domains =\n")
        try:
            return self.sent_rate(postfix, sink, count)
        finally:
            postfix.close()
            milter.terminate()
            milter.wait()
            sink.close()

    def sent_rate(self, postfix, sink, count):
        began = time.monotonic()
        postfix.submit(count, rigs.SIZE)
        sink.wait(count)
        return count / (time.monotonic() - began)


class Delay:
    """A way to a signing server on which each request waits for a while."""

    def __init__(self, server, seconds):
        self.host, self.port = re.match(r"http://([\d.]+):(\d+)", server).groups()
        self.seconds, self.ready = seconds, threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)

    def __enter__(self):
        self.thread.start()
        self.ready.wait(30)
        return self.address

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join(30)

    async def serve(self):
        self.loop, self.end = asyncio.get_running_loop(), asyncio.Event()
        listener = await asyncio.start_server(self.carry, "127.0.0.1", 0, limit=1 << 20)
        self.address = "http://127.0.0.1:%d" % listener.sockets[0].getsockname()[1]
        self.ready.set()
        await self.end.wait()
        listener.close()

    async def carry(self, reader, writer):
        there, back = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        try:
            while request := await self.message(reader):
                began = time.monotonic()
                back.write(request)
                answer = await self.message(there)
                await asyncio.sleep(max(0, self.seconds - (time.monotonic() - began)))
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            back.close()
            writer.close()

    async def message(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return head + await reader.readexactly(int(length.group(1)) if length else 0)


class CountingSink:
    """A mail server that takes everything, keeps nothing, and counts the messages."""

    def __init__(self, rig):
        self.port, self.count, self.changed = rigs.free_port(), 0, threading.Condition()
        self.process = subprocess.Popen(
            rigs.as_user(["smtp-sink", "-c", f"127.0.0.1:{self.port}", "256"]), stdout=subprocess.PIPE)
        rig.running.append(self.process)
        rigs.await_port(self.port, self.process)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """smtp-sink writes its counts over each other on one line: connections, errors, messages."""
        rest = b""
        while piece := os.read(self.process.stdout.fileno(), 65_536):
            rest = (rest + piece)[-4_096:]
            if found := re.findall(rb"mesg=(\d+)", rest):
                with self.changed:
                    self.count = int(found[-1])
                    self.changed.notify_all()

    def wait(self, count, limit=300):
        with self.changed:
            if not self.changed.wait_for(lambda: self.count >= count, limit):
                raise SystemExit(f"only {self.count} of {count} messages arrived")

    def close(self):
        self.process.terminate()
        self.process.wait()
