"""The parts that Courier's reader of mail (reformime) shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each."""
import base64, binascii, json, quopri, re, subprocess, sys

folder, count = sys.argv[1], int(sys.argv[2])


def decoded(octets, encoding):
    if encoding == "base64":
        clean = re.sub(rb"[^A-Za-z0-9+/]", b"", octets.split(b"=")[0])
        return binascii.a2b_base64(clean[:len(clean) - (len(clean) % 4 == 1)] + b"==")
    return quopri.decodestring(octets) if encoding == "quoted-printable" else octets


for index in range(count):
    path, found = f"{folder}/{index}", []
    listing = subprocess.run(["reformime", "-i"], stdin=open(path, "rb"), capture_output=True).stdout
    with open(path, "rb") as file:
        octets = file.read()
    for block in listing.decode("utf-8", "replace").split("\n\n"):
        facts = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        media = facts.get("content-type", "").lower()
        if not media or media.startswith("multipart/") or media == "message/rfc822":
            continue
        body = octets[int(facts["starting-pos-body"]):int(facts["ending-pos"])]
        found.append({
            "type": media, "name": facts.get("content-disposition-filename", facts.get("content-name")),
            "content": base64.b64encode(decoded(body, facts.get("content-transfer-encoding", ""))).decode(),
        })
    print(json.dumps(found))
