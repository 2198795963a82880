"""Dovecot's program `imap`, as for a user who is logged in already, over a Maildir of the files 0 to COUNT-1 in a folder."""
import os, pwd, re, subprocess

IMAP = "/usr/lib/dovecot/imap"


class Session:
    def __init__(self, folder, count):
        home = folder + "/dovecot"
        for name in ("tmp", "new", "cur"):
            os.makedirs(f"{home}/mail/{name}", exist_ok=True)
        for index in range(count):
            with open(f"{folder}/{index}", "rb") as file, open(f"{home}/mail/cur/{index:08}.m:2,S", "wb") as copy:
                copy.write(file.read())
        user = pwd.getpwuid(os.getuid()).pw_name
        with open(home + "/dovecot.conf", "w") as file:
            file.write(
                f"base_dir = {home}/run\nstate_dir = {home}/state\nssl = no\nlog_path = {home}/log\n"
                f"mail_location = maildir:{home}/mail\nfirst_valid_uid = 0\nfirst_valid_gid = 0\n"
                f"mail_uid = {os.getuid()}\nmail_gid = {os.getgid()}\ndefault_internal_user = {user}\ndefault_login_user = {user}\n"
                "namespace inbox {\n  inbox = yes\n  separator = /\n}\n")
        environment = {"PATH": os.environ["PATH"], "HOME": home, "USER": user}
        self.program = subprocess.Popen(
            ["doveconf", "-c", home + "/dovecot.conf", "-m", "imap", "-e", IMAP], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=environment)
        self.tag = 0
        if not self.program.stdout.readline().startswith(b"* PREAUTH"):
            raise SystemExit("imap does not start; see " + home + "/log")

    def command(self, text):
        """The untagged responses, each a list of its tokens: bytes for literals and strings, lists, and words."""
        self.tag += 1
        tag = f"a{self.tag}"
        self.program.stdin.write(f"{tag} {text}\r\n".encode())
        self.program.stdin.flush()
        responses = []
        while True:
            line = self.line()
            if line.startswith(tag.encode() + b" "):
                if not line.startswith(tag.encode() + b" OK"):
                    raise SystemExit(f"{text}: {line!r}")
                return responses
            responses.append(line)

    def line(self):
        octets = b""
        while True:
            piece = self.program.stdout.readline()
            if not piece:
                raise SystemExit("imap has ended")
            octets += piece
            literal = re.search(rb"\{(\d+)\}\r\n$", piece)
            if not literal:
                return octets
            octets += self.program.stdout.read(int(literal.group(1)))
