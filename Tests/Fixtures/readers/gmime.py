"""The parts that GMime shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each."""
import base64, json, sys

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime

GMime.init()
folder, count = sys.argv[1], int(sys.argv[2])


def text(value):
    return None if value is None else str(value)


def leaves(part, found):
    if isinstance(part, GMime.Multipart):
        for index in range(part.get_count()):
            leaves(part.get_part(index), found)
    elif isinstance(part, GMime.MessagePart):
        message = part.get_message()
        if message is not None and message.get_mime_part() is not None:
            leaves(message.get_mime_part(), found)
    elif part is not None:
        memory = GMime.StreamMem.new()
        wrapper = part.get_content()
        if wrapper is not None:
            wrapper.write_to_stream(memory)
        octets = bytes(memory.get_byte_array() or b"")
        media = part.get_content_type()
        found.append({
            "type": media.get_mime_type().lower() if media else "text/plain", "name": text(part.get_filename()),
            "content": base64.b64encode(octets).decode(),
        })


for index in range(count):
    found = []
    parser = GMime.Parser.new_with_stream(GMime.StreamFile.open(f"{folder}/{index}", "r"))
    message = parser.construct_message(None)
    if message is not None:
        leaves(message.get_mime_part(), found)
    print(json.dumps(found))
