"""The parts that Dovecot's IMAP shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each.

Runs the program `imap` as for a user who is logged in already, over a Maildir in FOLDER. All parts that BODYSTRUCTURE names
are fetched, each as BODY[n], and its transfer encoding is taken off as BODYSTRUCTURE says.
"""
import base64, binascii, json, os, quopri, re, sys
from dovecot_session import Session

folder, count = os.path.abspath(sys.argv[1]), int(sys.argv[2])


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


session = Session(folder, count)
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
