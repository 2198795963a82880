"""Reads composed mails as an independent reader: Python's email package, and html5lib for their HTML parts.

usage: html_oracle.py FOLDER COUNT REFERENCE
Prints one JSON object a line for the files 0 to COUNT-1 of FOLDER. A banner is the outermost div that holds REFERENCE.
"""
import email
import email.policy
import json
import re
import sys

import html5lib

XHTML = "{http://www.w3.org/1999/xhtml}"
# Elements whose content is not shown, or is another page, or that change what the rest of the page looks like.
SUSPECT = {
    "style", "link", "script", "base", "template", "noscript", "noframes", "noembed", "frameset", "frame", "iframe",
    "object", "embed", "applet", "textarea", "select", "option", "optgroup", "datalist", "details", "dialog", "canvas",
    "audio", "video", "svg", "math", "plaintext", "xmp", "listing", "marquee", "button", "form", "fieldset", "input",
}


def name(element):
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "#comment"


def text(element):
    if not isinstance(element.tag, str):
        return ""
    return "".join([element.text or ""] + [text(child) + (child.tail or "") for child in element])


def read(document, reference):
    root = html5lib.parse(document, namespaceHTMLElements=True)
    body = root.find(XHTML + "body")
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    suspects = sorted({name(element) for element in elements} & SUSPECT)
    suspects += [
        "meta" for element in elements
        if name(element) == "meta" and element.get("http-equiv", "").lower() not in ("", "content-type")]
    found = {"suspects": suspects, "banners": 0, "isFirst": False, "isLast": False, "words": "", "inner": []}
    for frame in (root, body):
        if frame is not None and any(key in frame.attrib for key in ("style", "hidden", "class", "id", "dir", "onload")):
            found["suspects"].append(name(frame) + " with attributes")
    found["total"] = text(root).count(reference)
    if body is None:
        return found
    banners = [child for child in body if name(child) == "div" and reference in text(child)]
    found["banners"] = len(banners)
    if not banners:
        return found
    banner = banners[0]
    index = list(body).index(banner)
    before = [child for child in list(body)[:index] if isinstance(child.tag, str)]
    before_text = (body.text or "") + "".join(text(child) + (child.tail or "") for child in list(body)[:index])
    found["isFirst"] = not before and not before_text.strip()
    after = [child for child in list(body)[index + 1:] if isinstance(child.tag, str)]
    after_text = (banner.tail or "") + "".join(text(child) + (child.tail or "") for child in list(body)[index + 1:])
    found["isLast"] = not after and not after_text.strip()
    found["words"] = re.sub(r"\s+", " ", text(banner)).strip()
    for element in banner.iter():
        style = element.get("style", "")
        unshielded = [
            part for part in ("display:", "visibility:visible", "opacity:1", "position:static", "color:#000000")
            if not re.search(re.escape(part) + r"[a-z]*!important", style)]
        others = sorted(set(element.attrib) - {"style"})
        found["inner"].append([name(element)] + unshielded + others)
    return found


def main():
    folder, count, reference = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    for index in range(count):
        with open(f"{folder}/{index}", "rb") as file:
            message = email.message_from_bytes(file.read(), policy=email.policy.compat32)
        parts, pages, defects, texts = [], [], [], []
        waiting = [message]
        while waiting:
            part = waiting.pop(0)
            defects += [type(defect).__name__ for defect in part.defects]
            parts.append([part.get_content_type(), str(part.get_filename() or "")])
            if part.get_content_type().startswith("message/"):
                continue
            if part.is_multipart():
                waiting = part.get_payload() + waiting
                continue
            content = part.get_payload(decode=True)
            if part.get_content_maintype() != "text":
                continue
            charset = part.get_content_charset() or "us-ascii"
            try:
                decoded = content.decode("utf-8" if charset == "us-ascii" else charset)
            except (UnicodeDecodeError, LookupError) as error:
                defects.append(f"{charset}: {error}")
                decoded = content.decode("utf-8", "replace")
            if part.get_content_type() == "text/html":
                pages.append(read(decoded, reference))
            elif part.get_content_type() == "text/plain":
                texts.append(decoded)
        print(json.dumps({
            "fields": [key for key, _ in message.items()], "parts": parts, "pages": pages, "texts": texts,
            "defects": defects}))


main()
