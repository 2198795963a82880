"""Compares the manual with the programs and schemas, in both directions.

manual.py commands MAN-FOLDER PROGRAM-FOLDER: the commands and options of each page of section 8 with what --help lists.
manual.py settings MAN-FOLDER SCHEMA-FOLDER: the elements and attributes of each page of section 5 with those of its schema.

Each difference is one line. What a page must look like is said in CONTRIBUTING.md, "A new option or setting".
"""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

PROGRAMS = ["ses", "ses-relay", "ses-dss", "ses-lmtp", "ses-drop"]
SETTINGS = ["ses", "relay", "dss"]
# They are the same for every command, and stand once under OPTIONS.
EVERYWHERE = {"--help", "--version", "-h"}
XS = "{http://www.w3.org/2001/XMLSchema}"


def spelled(flag):
    """-x for Fl x, --long for Fl -long."""
    return "-" + flag


# --- What the programs say


def help_of(program, *command):
    run = subprocess.run([str(program), *command, "--help"], capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        raise SystemExit(f"{program} {' '.join(command)} --help: status {run.returncode}: {run.stderr}")
    return run.stdout


def section(text, title):
    """The lines under a title of --help, up to the next one."""
    found = re.search(rf"^{title}:\n(.*?)(?:\n\n|\Z)", text, re.M | re.S)
    return found.group(1).splitlines() if found else []


def options_said(text):
    options = set()
    for line in section(text, "OPTIONS"):
        # Explanations are indented further.
        head = re.match(r"  (-\S.*)", line)
        if not head:
            continue
        for word in re.split(r"[ ,/]+", head.group(1).split("  ")[0]):
            if re.fullmatch(r"--?[A-Za-z][\w-]*", word):
                options.add(word)
    return options - EVERYWHERE


def commands_said(text):
    """The names in the list of commands."""
    return [m.group(1) for m in (re.match(r"  ([a-z][\w-]*)(?: \(default\))?(?:\s|$)", line)
            for line in section(text, "SUBCOMMANDS")) if m]


def said(program, command=()):
    """{command: options} of a program and all commands below it; a command with commands has no entry of its own."""
    text = help_of(program, *command)
    below = commands_said(text)
    if not below:
        return {" ".join(command): options_said(text)}
    found = {}
    for name in below:
        # `ses drop` is ses-drop, which has a page.
        if program.name == "ses" and [*command, name] == ["drop"]:
            found["drop"] = set()
            continue
        found |= said(program, (*command, name))
    return found


# --- What the pages say


def part(page, title):
    found = re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", page, re.M | re.S)
    return found.group(1) if found else ""


def flags(text):
    return {spelled(m) for m in re.findall(r"\bFl (-?[A-Za-z][\w-]*)", text)}


def commands_written(page):
    """Each command is an item `.It Xo` with its synopsis, the name in Cm, up to `.Xc`."""
    found = {}
    for synopsis in re.findall(r"^\.It Xo\n(.*?)^\.Xc$", part(page, "COMMANDS"), re.M | re.S):
        name = re.match(r"\.Cm ([a-z][a-z -]*)\n", synopsis)
        if not name:
            raise SystemExit(f"an item of COMMANDS begins with no command: {synopsis!r}")
        found[name.group(1)] = flags(synopsis)
    return found


def options_written(page):
    items = re.findall(r"^\.It (Fl .*)$", part(page, "OPTIONS"), re.M)
    return set().union(*(flags(item) for item in items)) if items else set()


def compare(where, program, manual, what):
    lines = [f"{where}: the manual lacks {what} {name}" for name in sorted(program - manual)]
    return lines + [f"{where}: the manual has {what} {name}, the program has not" for name in sorted(manual - program)]


def compare_commands(man, programs):
    lines = []
    for name in PROGRAMS:
        page = (man / f"{name}.8").read_text()
        commands = said(programs / name)
        if list(commands) == [""]:
            # Another name of an option is said in the text of its item: `Fl f` beside `Fl -from`.
            written = options_written(page) | (flags(part(page, "OPTIONS")) & commands[""])
            lines += compare(name, commands[""], written - EVERYWHERE, "option")
            lines += compare(name + ", SYNOPSIS", set(), flags(part(page, "SYNOPSIS")) - commands[""] - {"--"}, "option")
            continue
        written = commands_written(page)
        lines += compare(name, set(commands), set(written), "command")
        for command in sorted(set(commands) & set(written)):
            lines += compare(f"{name} {command}", commands[command], written[command] - EVERYWHERE, "option")
        every = set().union(*commands.values())
        lines += compare(f"{name}, OPTIONS", every, options_written(page) - EVERYWHERE, "option")
    return lines


# --- Settings


def settings_of(schema):
    """{element: attributes}, over all places where an element of that name may stand."""
    root = ElementTree.parse(schema).getroot()
    types = {t.get("name"): t for t in root if t.tag in (XS + "complexType", XS + "simpleType")}
    groups = {g.get("name"): g for g in root if g.tag in (XS + "attributeGroup", XS + "group")}
    found = {}

    def attributes(node):
        names = set()
        for child in node:
            if child.tag == XS + "element":
                continue
            if child.tag == XS + "attribute":
                names.add(child.get("name"))
            if child.tag == XS + "attributeGroup":
                names |= attributes(groups[child.get("ref")])
            if child.tag == XS + "extension" and child.get("base") in types:
                names |= attributes(types[child.get("base")])
            names |= attributes(child)
        return names

    for element in root.iter(XS + "element"):
        names = attributes(element)
        if element.get("type") in types:
            names |= attributes(types[element.get("type")])
        found.setdefault(element.get("name"), set()).update(names)
    return found


def settings_written(page):
    """Each element is an item `.It Ic NAME`, followed by its attributes as `Cm`."""
    found = {}
    for head in re.findall(r"^\.It Ic (\S+(?:.*\\\n)*.*)$", page, re.M):
        name, *rest = head.replace("\\\n", " ").split()
        found.setdefault(name, set()).update(word for word in rest if word != "Cm")
    return found


def compare_settings(man, schemas):
    lines = []
    for name in SETTINGS:
        schema = settings_of(schemas / f"{name}.xsd")
        written = settings_written((man / f"{name}.xml.5").read_text())
        lines += compare(f"{name}.xml", set(schema), set(written), "element")
        for element in sorted(set(schema) & set(written)):
            lines += compare(f"{name}.xml <{element}>", schema[element], written[element], "attribute")
    return lines


what, man, other = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
for line in {"commands": compare_commands, "settings": compare_settings}[what](man, other):
    print(line)
