"""The header fields that other readers find in mails: the files 0 to COUNT-1 in FOLDER.

Prints a line of JSON for each mail: reader, then [name, value] of each Authentication-Results and X-SES field it finds.
Python's email in two policies, Perl's Mail::Header and MIME::Parser, and Dovecot's IMAP, where they are installed.
"""
import email, email.policy, json, os, pwd, re, subprocess, sys

folder, count = os.path.abspath(sys.argv[1]), int(sys.argv[2])
WANTED = re.compile(r"(?i)\s*(authentication-results|x-ses\b.*?)\s*$")


def python(policy):
    def read(path):
        with open(path, "rb") as file:
            message = email.message_from_binary_file(file, policy=policy)
        return [[name, str(value)] for name, value in message.items() if WANTED.match(name)]

    return read


PERL = r"""
use strict; use warnings; use Mail::Header; use MIME::Parser; use JSON::PP;
open my $file, '<', $ARGV[0] or die; my $head = Mail::Header->new($file, Modify => 0);
my $parser = MIME::Parser->new; $parser->output_to_core(1); $parser->tmp_to_core(1);
my $entity = eval { $parser->parse_open($ARGV[0]) };
my @found;
for my $one (grep { defined } $head, $entity && $entity->head) {
    for my $tag ($one->tags) { push @found, map { [$tag, "$_"] } $one->get($tag) if $tag =~ /^\s*(authentication-results|x-ses)/i }
}
print JSON::PP->new->latin1->encode(\@found);
"""


def perl(path):
    return json.loads(subprocess.run(["perl", "-e", PERL, path], check=True, capture_output=True).stdout)


class Dovecot:
    """The program `imap`, as for a user who is logged in already."""

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
                f"mail_location = maildir:{home}/mail\nfirst_valid_uid = 0\nfirst_valid_gid = 0\nmail_uid = {os.getuid()}\n"
                f"mail_gid = {os.getgid()}\ndefault_internal_user = {user}\ndefault_login_user = {user}\n"
                "namespace inbox {\n  inbox = yes\n  separator = /\n}\n")
        self.program = subprocess.Popen(
            ["doveconf", "-c", home + "/dovecot.conf", "-m", "imap", "-e", "/usr/lib/dovecot/imap"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"], "HOME": home, "USER": user})
        if not self.program.stdout.readline().startswith(b"* PREAUTH"):
            raise SystemExit("imap does not start; see " + home + "/log")
        self.command("select INBOX")

    def command(self, text):
        self.program.stdin.write(f"a {text}\r\n".encode())
        self.program.stdin.flush()
        answer = b""
        while True:
            line = self.program.stdout.readline()
            if not line:
                raise SystemExit("imap has ended")
            if line.startswith(b"a "):
                if not line.startswith(b"a OK"):
                    raise SystemExit(f"{text}: {line!r}")
                return answer
            answer += line
            literal = re.search(rb"\{(\d+)\}\r\n$", line)
            if literal:
                answer += self.program.stdout.read(int(literal.group(1)))

    def read(self, index):
        found = self.command(
            f"fetch {index + 1} (BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS X-SES-OUTCOME X-SES-VERDICT)])")
        header = found.split(b"}\r\n", 1)[1].rsplit(b")", 1)[0].decode("latin-1")
        lines = re.sub(r"\r?\n[ \t]+", " ", header).split("\n")
        return [line.strip().split(":", 1) for line in lines if ":" in line]


dovecot = Dovecot() if os.path.exists("/usr/lib/dovecot/imap") else None
for index in range(count):
    path = f"{folder}/{index}"
    readings = {"email": python(email.policy.compat32)(path), "email-default": python(email.policy.default)(path)}
    readings["perl"] = perl(path)
    if dovecot:
        readings["dovecot"] = dovecot.read(index)
    print(json.dumps(readings))
