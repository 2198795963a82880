# The parts that MIME::Parser shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use MIME::Parser;

my ($folder, $count) = @ARGV;
my $json = JSON::PP->new->canonical;

sub leaves {
    my ($part, $found) = @_;
    if ($part->parts) {
        leaves($_, $found) for $part->parts;
        return;
    }
    my $name = $part->head->recommended_filename;
    my $content = $part->bodyhandle ? $part->bodyhandle->as_string : '';
    utf8::encode($content) if utf8::is_utf8($content);
    push @$found, {
        type => lc $part->mime_type, name => defined $name ? "$name" : undef, content => encode_base64($content, ''),
    };
}

for my $index (0 .. $count - 1) {
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    my @found;
    eval { leaves($parser->parse_open("$folder/$index"), \@found); 1 } or warn "message $index: $@";
    print $json->encode(\@found), "\n";
}
