"""The parts that Python's email package shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each.

With MODERN as the third argument by the policy `default`, else by `compat32`.
"""
import base64, email, email.policy, json, sys

folder, count = sys.argv[1], int(sys.argv[2])
policy = email.policy.default if sys.argv[3:] == ["MODERN"] else email.policy.compat32


def plain(text):
    return None if text is None else str(text).encode("utf-8", "replace").decode("utf-8")


def name_of(part):
    try:
        return plain(part.get_filename())
    except Exception:
        return None


def leaves(part, found):
    if part.is_multipart():
        for child in part.get_payload():
            leaves(child, found)
        return
    try:
        content = part.get_payload(decode=True) or b""
    except Exception as error:
        content = repr(error).encode()
    found.append({"type": part.get_content_type(), "name": name_of(part), "content": base64.b64encode(content).decode()})


for index in range(count):
    with open(f"{folder}/{index}", "rb") as file:
        found = []
        try:
            leaves(email.message_from_bytes(file.read(), policy=policy), found)
        except Exception as error:
            print(f"message {index}: {error!r}", file=sys.stderr)
        print(json.dumps(found))
