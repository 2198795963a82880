"""What the measurements run on: a folder on the disk, an account, spools, a signing server, Postfix."""

import base64
import contextlib
import ctypes
import os
import pathlib
import pwd
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import uuid

SIZE = 20_480
SENDER, RECIPIENT, KEY = "alice@example.test", "bob@example.test", "alice@example.test"
IS_ROOT = os.geteuid() == 0
ACCOUNT = pwd.getpwnam("nobody")
SIGN_MAIL = f"""<Workflow><OperationRule>SIGN_EMAIL</OperationRule>
    <ProfileSelection><SignEmail profileId="adss:signing:profile:007"/></ProfileSelection>
    <CertificateSelection><SignEmail alias="{KEY}"/></CertificateSelection></Workflow>"""
VERIFY_MAIL = """<Workflow><OperationRule>VERIFY_EMAIL</OperationRule>
    <VerificationResultRule attachResponseXml="false">SEND_ORIGINAL_EMAIL</VerificationResultRule></Workflow>"""
VERIFY_ATTACHMENTS = VERIFY_MAIL.replace("VERIFY_EMAIL", "VERIFY_ATTACHMENT")
# What `ses-dss init` has no profile for: a CMS that encloses the file.
ENCLOSING_PROFILE = "bench:enclosing"
TRACE = f"Return-Path: <{SENDER}>\r\nDelivered-To: {RECIPIENT}\r\nReceived: by mx.example.test; Mon, 5 Jan 2026 10:00:00 +0000\r\n"


def as_user(command):
    """The programs refuse root; when this runs as root they get an account without privileges."""
    if not IS_ROOT:
        return command
    return ["setpriv", f"--reuid={ACCOUNT.pw_uid}", f"--regid={ACCOUNT.pw_gid}", "--clear-groups", "--", *command]


def give(path):
    if IS_ROOT:
        os.chown(path, ACCOUNT.pw_uid, ACCOUNT.pw_gid)


def message(number, size=20_480):
    head = (
        f"From: Alice <{SENDER}>\r\nTo: Bob <{RECIPIENT}>\r\nSubject: Measurement {number}\r\n"
        f"Message-ID: <bench-{number}-{time.time_ns()}@example.test>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    )
    line = "The quick brown fox jumps over the lazy dog, again and again and again.\r\n"
    return (head + line * max(0, (size - len(head)) // len(line))).encode()


def sign_attachments(profile):
    return f"""<Workflow><OperationRule>SIGN_ATTACHMENT</OperationRule>
        <ProfileSelection><SignAttachment profileId="{profile}"/></ProfileSelection>
        <CertificateSelection><SignAttachment alias="alice_document_signing"/></CertificateSelection></Workflow>"""


def mail_with(octets, media_type, name):
    """A mail with one file, in base64."""
    return (
        message(0, 0)[:-2].replace(b"text/plain; charset=us-ascii", media_type.encode())
        + f"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename={name}\r\n\r\n".encode()
        + base64.encodebytes(octets).replace(b"\n", b"\r\n")
    )


def pdf(size):
    """A page, and a stream that makes the file as large as wanted."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
        b"<< /Length %d >>\nstream\n" % size + noise(size) + b"\nendstream",
    ]
    file, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(file)


def xml(size):
    line = b"  <line number='1'>" + b"The quick brown fox jumps over the lazy dog, again and again. " * 5 + b"</line>\n"
    return b"<?xml version='1.0' encoding='UTF-8'?>\n<invoice>\n" + line * (size // len(line)) + b"</invoice>\n"


def noise(size):
    """Octets that nothing in them repeats within less than a mebibyte."""
    return (os.urandom(1 << 20) * (size // (1 << 20) + 1))[:size]


class Rig:
    def __init__(self, programs):
        base = os.environ.get("SES_BENCH_DIR", "/var/tmp")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ses-bench.", dir=base))
        self.folder.chmod(0o755)
        give(self.folder)
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        for name in ("ses", "ses-drop", "ses-lmtp", "ses-dss", "ses-relay"):
            shutil.copy2(pathlib.Path(programs, name), self.programs / name)
        self.running = []
        self.spools = 0

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, program, *arguments):
        return as_user([str(self.programs / program), *map(str, arguments)])

    def start(self, program, *arguments, log):
        with open(log, "wb") as output:
            # Else nobody but root could measure its memory.
            environment = {**os.environ, "SES_ALLOW_CORE": "1"}
            process = subprocess.Popen(
                self.command(program, *arguments), stdout=output, stderr=output, env=environment)
        self.running.append(process)
        return process

    def signing_server(self):
        """Starts a server; of all of them the keys and profiles are the same."""
        site = self.folder / "dss"
        configuration = site / "dss.xml"
        if not site.exists():
            subprocess.run(self.command("ses-dss", "init", site), check=True, stdout=subprocess.DEVNULL)
            profile = f'<SigningProfile id="{ENCLOSING_PROFILE}" format="cms" level="B" enclosed="true"/>'
            text = configuration.read_text()
            text = text.replace("<VerificationProfile", profile + "<VerificationProfile", 1)
            configuration.write_text(text.replace("<Profile ref", f'<Profile ref="{ENCLOSING_PROFILE}"/><Profile ref', 1))
        log = self.folder / "dss.log"
        process = self.start("ses-dss", "run", "--config", configuration, "--port", 0, log=log)
        end = time.monotonic() + 30
        while time.monotonic() < end and process.poll() is None:
            if found := re.search(r"listening on (http://127\.0\.0\.1:\d+)", log.read_text()):
                return found.group(1), process
            time.sleep(0.05)
        raise SystemExit(f"ses-dss did not start: {log.read_text()}")

    def spool(self, server="http://127.0.0.1:9", sign="", verify="", processing=""):
        """A spool of its own, with the workflows given and more settings of `<Processing>`."""
        self.spools += 1
        return Spool(self, self.folder / f"spool{self.spools}", server, sign, verify, processing)


class Spool:
    def __init__(self, rig, path, server, sign, verify, processing):
        self.rig, self.path, self.count = rig, path, 0
        subprocess.run(rig.command("ses", "init", path), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sign = sign and f"<Outgoing><Sign>{sign}</Sign></Outgoing>"
        verify = verify and f"<Incoming><Verify>{verify}</Verify></Incoming>"
        self.configuration = path.with_suffix(".xml")
        self.configuration.write_text(
            f"""<SES><Settings><DomainName>example.test</DomainName>
            <AdminEmailAddress>admin@example.test</AdminEmailAddress><OriginatorId>samples_test_client</OriginatorId>
            <SigningServiceSettings><SigningServiceAddress><PrimaryAddress>{server}/adss/signing/dss</PrimaryAddress>
            </SigningServiceAddress></SigningServiceSettings>
            <VerificationServiceSettings><VerificationServiceAddress>
            <PrimaryAddress>{server}/adss/verification/dss</PrimaryAddress></VerificationServiceAddress>
            </VerificationServiceSettings></Settings>{sign}{verify}
            <Processing><Spool>{path}</Spool>{processing}</Processing></SES>"""
        )
        self.configuration.chmod(0o640)
        give(self.configuration)
        self.aside = path.with_suffix(".aside")
        self.aside.mkdir()

    def prepare(self, octets):
        """Writes a message beside the spool; `put` then moves it in, so that writing it is not measured."""
        self.count += 1
        file = self.aside / f"1700000000.b{self.count}.bench"
        file.write_bytes(TRACE.encode() + octets)
        give(file)
        return file

    def put(self, files, direction="outgoing"):
        for file in files:
            os.rename(file, self.path / direction / "new" / file.name)

    def delivered(self):
        return len(os.listdir(self.path / "delivered" / "new"))

    def await_delivered(self, count, limit=300):
        end = time.monotonic() + limit
        while self.delivered() < count:
            if time.monotonic() > end:
                raise SystemExit(f"only {self.delivered()} of {count} delivered")
            time.sleep(0.002)

    def watch(self):
        """A `ses watch` on it that has begun its work."""
        log = self.path.with_suffix(f".log{self.count}.{time.monotonic_ns()}")
        daemon = self.rig.start("ses", "watch", "--config", self.configuration, log=log)
        end = time.monotonic() + 30
        while not (self.path / "state" / f"ses-{daemon.pid}.json").exists():
            if time.monotonic() > end or daemon.poll() is not None:
                raise SystemExit("ses watch did not start: " + log.read_text())
            time.sleep(0.01)
        return daemon

    def empty(self):
        for folder in ("delivered", "admin", "blocked", "retry"):
            for file in (self.path / folder / "new").iterdir():
                file.unlink()

    def result(self):
        """The one mail that was delivered, without the envelope block."""
        file = next((self.path / "delivered" / "new").iterdir())
        return file.read_bytes()[int(re.search(r",E=(\d+)", file.name).group(1)) :]

    def process(self, sample=None, beside=()):
        """Runs `ses process`.

        Wall seconds, CPU seconds, and the largest anonymous memory seen in octets: of it, and of each process beside it.
        """
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        process = subprocess.Popen(
            self.rig.command("ses", "process", "--config", self.configuration),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        watched = [process, *beside]
        anonymous = [0 for _ in watched]
        if sample:
            while process.poll() is None:
                anonymous = [max(most, anonymous_memory(one.pid)) for most, one in zip(anonymous, watched)]
                time.sleep(sample)
        if process.wait() != 0:
            raise SystemExit(f"ses process ended with {process.returncode}")
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, anonymous

    def prepare_departing(self, octets, recipient=RECIPIENT):
        """Writes a message beside the spool as `ses` has it in `delivered`, for `put`."""
        block = f"Return-Path: <{SENDER}>\nEnvelope-To: {recipient}\nX-SES-End: 1\n".encode()
        entry = uuid.uuid4().hex
        file = self.aside / f"{int(time.time())}.{entry}.{entry[:16]},E={len(block)},O=out"
        file.write_bytes(block + octets.replace(b"\r\n", b"\n"))
        give(file)
        return file

    def relay_configuration(self, port, connections, routes=""):
        """Writes a relay.xml with a mail server on the loopback as its gateway."""
        configuration = self.path.with_suffix(".relay.xml")
        configuration.write_text(
            f"""<Relay><Spool>{self.path}</Spool><gateway>127.0.0.1</gateway><gatewayPort>{port}</gatewayPort>
            <TLS level="off"/><MaxConnections>{connections}</MaxConnections>
            <deliveryThreads>{connections}</deliveryThreads>{routes}</Relay>"""
        )
        configuration.chmod(0o640)
        give(configuration)
        return configuration

    def is_departing(self):
        """Whether something is on its way, and not only deferred."""
        return any(
            not name.startswith(".") for folder in ("delivered/new", "relay/work") for name in os.listdir(self.path / folder))

    def relay(self, port, connections):
        """Runs `ses-relay once` with a mail server on the loopback as its gateway; wall seconds and CPU seconds."""
        configuration = self.relay_configuration(port, connections)
        wall, cpu = timed(self.rig.command("ses-relay", "once", "--config", configuration))
        for folder in ("delivered/new", "relay/work", "relay/deferred", "failed"):
            if left := [name for name in os.listdir(self.path / folder) if not name.startswith(".")]:
                raise SystemExit(f"ses-relay left {len(left)} in {folder}")
        return wall, cpu


def timed(command):
    """Runs a command to its good end; wall seconds and CPU seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def process_cost(command, file, may_fail=False):
    """Runs a command with a file as its input; wall seconds and CPU seconds of the whole process, its start included."""
    null = os.open(os.devnull, os.O_WRONLY)
    # A terminal or a log file would take part of the time.
    quiet = [(os.POSIX_SPAWN_DUP2, null, 2)]
    given = os.open(file, os.O_RDONLY)
    began = time.monotonic()
    pid = os.posix_spawn(
        command[0], command, os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, given, 0), (os.POSIX_SPAWN_DUP2, null, 1), *quiet])
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - began
    os.close(null)
    os.close(given)
    if status and not may_fail:
        raise SystemExit(f"{command} ended with {status}")
    return wall, usage.ru_utime + usage.ru_stime


def processor_time(pid):
    """CPU seconds that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_memory(pid):
    with contextlib.suppress(OSError):
        found = re.search(r"^Anonymous:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        return int(found.group(1)) * 1024 if found else 0
    return 0


def await_port(port, process):
    """Waits until something listens on a port of the loopback."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise SystemExit(f"{process.args[0]} did not start")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Arrivals:
    """Tells at once when a file is moved into a folder (inotify)."""

    def __init__(self, folder):
        library = ctypes.CDLL(None, use_errno=True)
        self.descriptor = library.inotify_init1(os.O_CLOEXEC)
        if library.inotify_add_watch(self.descriptor, os.fsencode(folder), 0x80) < 0:
            raise OSError(ctypes.get_errno(), f"inotify on {folder}")

    def wait(self, limit=30):
        if not select.select([self.descriptor], [], [], limit)[0]:
            raise SystemExit("nothing arrived")
        os.read(self.descriptor, 65_536)

    def close(self):
        os.close(self.descriptor)


class Postfix:
    """An instance of its own on the loopback; needs root.

    It delivers to a Maildir of its own, or over LMTP to a socket, behind which messages get into another Maildir.
    """

    def __init__(self, rig, socket=None, maildir=None, name=None, settings=""):
        """With settings, which stand last in main.cf and so count, it may do something else with the mail."""
        # Several parts of one run have an instance each.
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=rig.folder, prefix=(name or "postfix") + "-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.maildir = maildir or self.folder / "mail" / "box" / "new"
        transport = f"virtual_transport = lmtp:unix:{socket}\n" if socket else ""
        for part in ("etc", "queue", "data", "mail"):
            (self.folder / part).mkdir()
        give(self.folder / "mail")
        postfix = pwd.getpwnam("postfix")
        os.chown(self.folder / "data", postfix.pw_uid, postfix.pw_gid)
        (self.folder / "etc" / "main.cf").write_text(
            f"""compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = bench.test
mydestination =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:box/
virtual_mailbox_base = {self.folder}/mail
virtual_uid_maps = static:{ACCOUNT.pw_uid}
virtual_gid_maps = static:{ACCOUNT.pw_gid}
virtual_minimum_uid = 1
smtpd_client_connection_count_limit = 0
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
{transport}{settings}"""
        )
        services = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text().splitlines()
        kept = [line for line in services if re.match(r"\w", line) and not line.startswith("smtp      inet")]
        kept.insert(0, f"127.0.0.1:{self.port} inet n - n - - smtpd")
        text = "\n".join(re.sub(r"^(\S+\s+\S+\s+\S+\s+\S+\s+)y(\s)", r"\1n\2", line) for line in kept)
        (self.folder / "etc" / "master.cf").write_text(text + "\n")
        self.call("start")

    def call(self, command):
        return subprocess.run(
            ["postfix", "-c", str(self.folder / "etc"), command],
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def submit(self, count, size):
        """Gives it mail; returns when it has taken all."""
        subprocess.run(
            ["smtp-source", "-s", "8", "-m", str(count), "-l", str(size), "-f", SENDER, "-t", RECIPIENT,
             f"127.0.0.1:{self.port}"], check=True,
        )

    def drain(self, count, size):
        """Fills its queue while nothing may leave, then lets all leave; messages a second of that."""
        self.configure("defer_transports=smtp")
        self.submit(count, size)
        end = time.monotonic() + 300
        while self.queued("deferred") < count and time.monotonic() < end:
            time.sleep(0.05)
        self.configure("defer_transports=")
        began = time.monotonic()
        subprocess.run(["postqueue", "-c", str(self.folder / "etc"), "-f"], check=True)
        while sum(map(self.queued, ("deferred", "incoming", "active"))) and time.monotonic() < end:
            time.sleep(0.005)
        if left := sum(map(self.queued, ("deferred", "incoming", "active"))):
            raise SystemExit(f"Postfix kept {left} messages")
        return count / (time.monotonic() - began)

    def configure(self, setting):
        subprocess.run(["postconf", "-c", str(self.folder / "etc"), setting], check=True)
        self.call("reload")

    def queued(self, queue):
        return sum(len(files) for _, _, files in os.walk(self.folder / "queue" / queue))

    def deliver(self, count, size):
        before = len(os.listdir(self.maildir)) if self.maildir.exists() else 0
        began = time.monotonic()
        self.submit(count, size)
        end = began + 300
        while time.monotonic() < end:
            if self.maildir.exists() and len(os.listdir(self.maildir)) - before >= count:
                return count / (time.monotonic() - began)
            time.sleep(0.002)
        raise SystemExit("Postfix did not deliver everything")

    def close(self):
        self.call("stop")


class Sink:
    """Postfix's smtp-sink: takes mail and drops it."""

    def __init__(self, rig):
        self.port = free_port()
        process = subprocess.Popen(as_user(["smtp-sink", f"127.0.0.1:{self.port}", "64"]))
        rig.running.append(process)
        await_port(self.port, process)

    def source(self, count, size, connections, *options):
        """Has smtp-source send to it; wall seconds and CPU seconds."""
        return timed(
            ["smtp-source", "-s", str(connections), "-m", str(count), "-l", str(size), "-f", SENDER, "-t", RECIPIENT,
             *options, f"127.0.0.1:{self.port}"])


class Recorder:
    """Takes one HTTP request and keeps its body: the load generator sends what `ses` really sends."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "http://127.0.0.1:%d" % self.listener.getsockname()[1]

    def take(self):
        connection, _ = self.listener.accept()
        with connection:
            octets = b""
            while b"\r\n\r\n" not in octets:
                octets += connection.recv(65_536)
            head, _, body = octets.partition(b"\r\n\r\n")
            if found := re.search(rb"(?i)\r\ncontent-length: *(\d+)", head):
                while len(body) < int(found.group(1)):
                    body += connection.recv(65_536)
            elif re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
                while not body.endswith(b"0\r\n\r\n"):
                    body += connection.recv(65_536)
                body = unchunk(body)
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            connection.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return {k.decode().lower(): v.decode() for k, v in fields.items()}, body


def unchunk(body):
    octets = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        octets, body = octets + body[:length], body[length + 2 :]
    return octets
