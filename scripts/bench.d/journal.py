"""Measures `ses trace` on the journals of 30 days of 100,000 mails each, beside grep on one of these days.

Run by scripts/bench-trace. Prints milliseconds; exits with 1 when a question takes longer than --limit.
"""

import argparse
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time


def hexadecimal(number):
    # Spread over all values, and the same in each run.
    return f"{(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 0x1234567) % (1 << 128):032x}"


def write_day(spool, day_begin, name, mails, first):
    """The lines that signed mail leaves in the journals of both programs."""
    ses, relay = [], []
    numbers = random.Random(first)
    for index in range(mails):
        number = first + index
        entry = hexadecimal(number)
        t = day_begin + index * 86_400_000 // mails
        person = numbers.randrange(5_000)
        partner = numbers.randrange(2_000)
        mid = f"<{number:x}.{entry[:10]}@mail.example.test>"
        ses.append(
            f'{{"t":{t},"e":"{entry}","ev":"committed","wf":"sign everything","ln":11,"to":["delivered"],"mid":"{mid}",'
            f'"qid":"4X{number:07X}","from":"user{person}@example.test","rcpt":["partner{partner}@partner.test"],'
            f'"sz":12400,"ms":13,"at":"adss1.example.test","sms":7,"pf":"007"}}\n'
            f'{{"t":{t + 1},"e":"{entry}","ev":"published"}}\n'
        )
        relay.append(
            f'{{"t":{t + 90},"e":"{entry}","ev":"sent","mid":"{mid}","srv":"250 2.0.0 Ok: queued as {number:08X}",'
            f'"rcpt":["partner{partner}@partner.test"],"ms":80,"at":"mx1.partner.test"}}\n'
        )
    (spool / "journal" / f"ses-{name}.jsonl").write_text("".join(ses))
    (spool / "relay" / "journal" / f"relay-{name}.jsonl").write_text("".join(relay))
    return sum(map(len, ses)) + sum(map(len, relay))


def timed(command, user, expected=0):
    """Returns milliseconds of time, those of processor, and the output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, user=user, group=user, extra_groups=[] if user else None)
    took = (time.monotonic() - begin) * 1000
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
    if done.returncode != expected:
        sys.exit(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return took, processor, done.stdout


def question(what, command, user, grep, expected=0):
    """Asks five times and prints a line; returns the shortest time, which other work on the machine disturbed least."""
    runs = [timed(command, user, expected) for _ in range(5)]
    times = sorted(run[0] for run in runs)
    processor = sorted(run[1] for run in runs)[2]
    print(f"trace    {what:22} {times[2]:7.1f} ms (at least {times[0]:.1f}, at most {times[-1]:.1f}), processor {processor:.1f} ms, "
          f"{times[2] / grep:.1f} times grep", flush=True)
    return times[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--mails", type=int, default=100_000, help="a day")
    parser.add_argument("--limit", type=float, default=200, help="milliseconds")
    options = parser.parse_args()
    # The programs refuse root.
    user = 65534 if os.geteuid() == 0 else None
    top = pathlib.Path(tempfile.mkdtemp(prefix="ses-trace-", dir=os.environ.get("SES_BENCH_DIR", "/var/tmp")))
    try:
        top.chmod(0o755)
        ses = top / "ses"
        shutil.copy(pathlib.Path(options.programs, "ses"), ses)
        if user:
            os.chown(top, user, user)
        spool = top / "spool"
        timed([ses, "init", spool], user)
        today = int(time.time()) // 86_400
        begin = time.monotonic()
        octets = 0
        names = []
        for back in range(options.days, 0, -1):
            day = today - back + 1
            name = time.strftime("%Y%m%d", time.gmtime(day * 86_400))
            names.append(name)
            # Of today only what is past, so that the last day is still growing.
            octets += write_day(spool, day * 86_400_000, name, options.mails, back * options.mails)
        if user:
            for folder in ("journal", "relay/journal"):
                for file in (spool / folder).iterdir():
                    os.chown(file, user, user)
        total = options.days * options.mails
        print(f"made     {total:,} mails in {options.days} days, {octets / total:.0f} octets of journal each: "
              f"{time.monotonic() - begin:.0f} s")
        wanted = [options.mails * back + options.mails // 2 for back in (1, options.days // 2 or 1, options.days)]
        took, _, _ = timed([ses, "trace", hexadecimal(wanted[0]), "--spool", spool], user)
        size = sum(file.stat().st_size for file in (spool / "journal").glob("index-*"))
        print(f"indexed  all of it: {took / 1000:.1f} s, {size / total:.0f} octets of index a mail")
        journal = spool / "journal" / f"ses-{names[options.days - (options.days // 2 or 1)]}.jsonl"
        pattern = hexadecimal(wanted[1])
        grep = min(timed(["grep", pattern, journal], user)[0] for _ in range(5))
        print(f"grep     one day of the journal of ses: {grep:.1f} ms")
        start = sorted(timed([ses, "--version"], user)[:2] for _ in range(5))[2]
        print(f"start    of the program itself: {start[0]:.1f} ms, processor {start[1]:.1f} ms")
        worst = 0
        questions = [("entry", hexadecimal(wanted[0])[:12]), ("entry, the first day", hexadecimal(wanted[2])[:12]),
                     ("queue id", f"4X{wanted[1]:07X}"),
                     ("Message-ID", f"{wanted[1]:x}.{hexadecimal(wanted[1])[:10]}@mail.example.test"),
                     ("recipient", "partner77@partner.test"), ("busy sender", "user42@example.test"),
                     ("nobody", "nobody@nowhere.test")]
        for _ in range(2):
            for what, text in questions:
                expected = 66 if what == "nobody" else 0
                worst = max(worst, question(what, [ses, "trace", text, "--spool", spool], user, grep, expected))
            ten_days = [ses, "trace", "--since", "20d", "--until", "10d", "--spool", spool]
            worst = max(worst, question("ten days", ten_days, user, grep))
            if _ == 0:
                begin = time.monotonic()
                ses_xml = top / "ses.xml"
                ses_xml.write_text(CONFIGURATION.format(spool=spool))
                timed([ses, "process", "--config", ses_xml], user)
                left = sum(file.stat().st_size for folder in ("journal", "relay/journal")
                           for file in (spool / folder).glob("*.jsonl*"))
                print(f"kept     past days compressed: {time.monotonic() - begin:.0f} s, {left / total:.0f} octets a mail")
        print(f"worst    {worst:.1f} ms, the shortest of five, the limit is {options.limit:.0f} ms")
        return 0 if worst <= options.limit else 1
    finally:
        shutil.rmtree(top)


CONFIGURATION = """<SES><Settings><DomainName>example.test</DomainName>
<AdminEmailAddress>admin@example.test</AdminEmailAddress><OriginatorId>x</OriginatorId></Settings>
<Processing><Spool>{spool}</Spool></Processing></SES>
"""

if __name__ == "__main__":
    sys.exit(main())
