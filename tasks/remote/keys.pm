package BeachheadKeys;

# Runs inside nginx: which client's API key a request carries.  Read once, when nginx reads its configuration, by the
# master process: a reload takes a new file, and a file that can't be read keeps the old configuration in service.
# Each line of ../keys is "name sha256 created"; a client whose key is being changed has two.

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use nginx;

my $file = dirname(__FILE__) . '/../keys';
my %client;

open(my $in, '<:raw', $file) or die "$file: $!\n";
my $text = do { local $/; <$in> };
close($in);
$text = '' unless defined $text;
my $number = 0;
for my $line (split /\n/, $text) {
    $number++;
    $line =~ /\A([a-z0-9][a-z0-9-]{0,62}) ([0-9a-f]{64}) [0-9]{4}-[0-9]{2}-[0-9]{2}\z/
        or die "$file: line $number is not a name, a SHA-256 and a date\n";
    exists $client{$2} && $client{$2} ne $1 and die "$file: line $number: the key of another client\n";
    $client{$2} = $1;
}
my $digest = sha256_hex($text);

# The client's name; empty without a key, with an unknown one, and with two that differ.
sub client {
    my $r = shift;
    my $bearer = $r->header_in('Authorization');
    my $plain  = $r->header_in('X-Api-Key');
    my @given;
    if (defined $bearer && length $bearer) {
        return '' unless $bearer =~ /\ABearer +([\x21-\x7e]+)\z/i;
        push @given, $1;
    }
    push @given, $plain if defined $plain && length $plain;
    return '' unless @given;
    return '' if @given == 2 && $given[0] ne $given[1];
    my $name = $client{ sha256_hex($given[0]) };
    return defined $name ? $name : '';
}

# The SHA-256 of the keys file as it was read.
sub digest { return $digest; }

1;
