"""The parts that Dovecot's IMAP shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each.

Runs the program `imap` as for a user who is logged in already, over a Maildir in FOLDER. All parts that BODYSTRUCTURE names
are fetched, each as BODY[n], and its transfer encoding is taken off as BODYSTRUCTURE says.
"""
import base64, binascii, json, os, pwd, quopri, re, subprocess, sys

folder, count = os.path.abspath(sys.argv[1]), int(sys.argv[2])
imap = "/usr/lib/dovecot/imap"


class Session:
    def __init__(self):
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
            ["doveconf", "-c", home + "/dovecot.conf", "-m", "imap", "-e", imap], stdin=subprocess.PIPE,
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


def tokens(octets, start=0):
    """Nested lists of an IMAP response, from `start`, which stands behind an opening parenthesis."""
    found, index = [], start
    while index < len(octets):
        octet = octets[index:index + 1]
        if octet == b"(":
            inner, index = tokens(octets, index + 1)
            found.append(inner)
        elif octet == b")":
            return found, index + 1
        elif octet == b'"':
            value, index = b"", index + 1
            while octets[index:index + 1] != b'"':
                if octets[index:index + 1] == b"\\":
                    index += 1
                value += octets[index:index + 1]
                index += 1
            found.append(value)
            index += 1
        elif octet == b"{":
            end = octets.index(b"}\r\n", index)
            size = int(octets[index + 1:end])
            found.append(octets[end + 3:end + 3 + size])
            index = end + 3 + size
        elif octet in b" \r\n":
            index += 1
        else:
            word = re.match(rb"(?:[^\s()\[\"{]|\[[^\]]*\])+", octets[index:]).group(0)
            found.append(word.decode())
            index += len(word)
    return found, index


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def leaves(structure, section, found):
    if isinstance(structure[0], list):
        number = 0
        for child in structure:
            if not isinstance(child, list):
                break
            number += 1
            leaves(child, section + [number], found)
        return
    media = text(structure[0]).lower() + "/" + text(structure[1]).lower()
    if media == "message/rfc822" and len(structure) > 8 and isinstance(structure[8], list):
        inner = structure[8]
        return leaves(inner, section if isinstance(inner[0], list) else section + [1], found)
    parameters = structure[2] if isinstance(structure[2], list) else []
    names = [text(value) for key, value in zip(parameters[::2], parameters[1::2]) if text(key).lower() == "name"]
    for item in structure[7:]:
        if isinstance(item, list) and len(item) == 2 and isinstance(item[1], list):
            more = zip(item[1][::2], item[1][1::2])
            names = [text(value) for key, value in more if text(key).lower() == "filename"] or names
    found.append((".".join(map(str, section or [1])), media, names[0] if names else None, text(structure[5]).lower()))


def decoded(octets, encoding):
    if encoding == "base64":
        clean = re.sub(rb"[^A-Za-z0-9+/]", b"", octets.split(b"=")[0])
        return binascii.a2b_base64(clean[:len(clean) - (len(clean) % 4 == 1)] + b"==")
    return quopri.decodestring(octets) if encoding == "quoted-printable" else octets


session = Session()
session.command("SELECT INBOX")
structures = {}
if count:
    for line in session.command("FETCH 1:* (BODYSTRUCTURE)"):
        head = re.match(rb"\* (\d+) FETCH \(", line)
        if head:
            response, _ = tokens(line, head.end())
            structures[int(head.group(1))] = response[response.index("BODYSTRUCTURE") + 1]
for index in range(count):
    parts, found = [], []
    if index + 1 in structures:
        leaves(structures[index + 1], [], parts)
    for section, media, name, encoding in parts:
        content = b""
        for line in session.command(f"FETCH {index + 1} (BODY.PEEK[{section}])"):
            head = re.match(rb"\* \d+ FETCH \(", line)
            if head:
                response, _ = tokens(line, head.end())
                content = response[-1] if isinstance(response[-1], bytes) else b""
        found.append({
            "type": media, "name": name, "content": base64.b64encode(decoded(content, encoding)).decode(),
        })
    print(json.dumps(found))
session.program.stdin.close()
session.program.wait()
