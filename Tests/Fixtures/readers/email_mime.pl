# The parts that Email::MIME shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each.
use strict;
use warnings;
use Email::MIME;
use JSON::PP;
use MIME::Base64;

my ($folder, $count) = @ARGV;
my $json = JSON::PP->new->canonical;

sub leaves {
    my ($part, $found) = @_;
    my @parts = $part->subparts;
    if (@parts) {
        leaves($_, $found) for @parts;
        return;
    }
    my $content = eval { $part->body };
    $content = '' unless defined $content;
    utf8::encode($content) if utf8::is_utf8($content);
    my $type = $part->content_type || 'text/plain';
    $type =~ s/;.*//s;
    push @$found, { type => lc $type, name => $part->filename, content => encode_base64($content, '') };
}

for my $index (0 .. $count - 1) {
    open my $file, '<:raw', "$folder/$index" or die "$folder/$index: $!";
    my $octets = do { local $/; <$file> };
    my @found;
    eval { leaves(Email::MIME->new($octets), \@found); 1 } or warn "message $index: $@";
    print $json->encode(\@found), "\n";
}
