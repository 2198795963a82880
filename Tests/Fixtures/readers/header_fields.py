"""The header fields that other readers find in mails: the files 0 to COUNT-1 in FOLDER.

Prints a line of JSON for each mail: reader, then [name, value] of each Authentication-Results and X-SES field it finds.
Python's email in two policies, Perl's Mail::Header and MIME::Parser, and Dovecot's IMAP, where they are installed.
"""
import email, email.policy, json, os, re, subprocess, sys
from dovecot_session import IMAP, Session

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


class Dovecot(Session):
    def __init__(self):
        super().__init__(folder, count)
        self.command("SELECT INBOX")

    def read(self, index):
        found = b"".join(self.command(
            f"FETCH {index + 1} (BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS X-SES-OUTCOME X-SES-VERDICT)])"))
        header = found.split(b"}\r\n", 1)[1].rsplit(b")", 1)[0].decode("latin-1")
        lines = re.sub(r"\r?\n[ \t]+", " ", header).split("\n")
        return [line.strip().split(":", 1) for line in lines if ":" in line]


dovecot = Dovecot() if os.path.exists(IMAP) else None
for index in range(count):
    path = f"{folder}/{index}"
    readings = {"email": python(email.policy.compat32)(path), "email-default": python(email.policy.default)(path)}
    readings["perl"] = perl(path)
    if dovecot:
        readings["dovecot"] = dovecot.read(index)
    print(json.dumps(readings))
