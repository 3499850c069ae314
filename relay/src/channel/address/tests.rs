//! Every block to its edges, and every spelling that hides an address from a careless reader.

use super::*;

pub(in crate::channel) const REFUSED: &str = "
    0.0.0.0 0.1.2.3 0.255.255.255
    10.0.0.0 10.255.255.255
    100.64.0.0 100.100.100.200 100.127.255.255
    127.0.0.0 127.0.0.1 127.255.255.255
    168.63.129.16
    169.254.0.0 169.254.169.254 169.254.255.255
    172.16.0.0 172.31.255.255
    192.0.0.0 192.0.0.8 192.0.0.192 192.0.0.255
    192.0.2.0 192.0.2.255
    192.31.196.1 192.88.99.1 192.175.48.1
    192.168.0.0 192.168.255.255
    198.18.0.0 198.19.255.255
    198.51.100.0 198.51.100.255
    203.0.113.0 203.0.113.255
    224.0.0.0 224.0.0.1 239.255.255.255
    240.0.0.0 255.255.255.254 255.255.255.255
    :: ::1 ::2 ::7f00:1 ::10.0.0.1 ::8.8.8.8
    ::ffff:0.0.0.0 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
    ::ffff:192.168.1.1 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8
    64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::a9fe:a9fe 64:ff9b:0:0:1::8.8.8.8
    64:ff9b:1::1 64:ff9b:1::8.8.8.8
    100::1 100:0:0:1::1 1fff:ffff::1
    2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:2::1 2001:10::1 2001:20::1
    2001:1ff:ffff::1
    2001:db8::1 2001:db8:ffff:ffff::1
    2002::1 2002:7f00:1::1 2002:a00:1::1 2002:808:808::1
    2620:4f:8000::1 3fff::1 3fff:fff:ffff::1
    4000::1 5f00::1 8000::1
    fc00::1 fd00:ec2::254 fdff:ffff::1
    fe80::1 febf::1 fec0::1 feff::1
    ff00::1 ff02::1 ff0e::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
";

pub(in crate::channel) const PUBLIC: &str = "
    1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0
    100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
    168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0
    172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0
    192.31.195.255 192.31.197.0 192.88.98.255 192.88.100.0
    192.167.255.255 192.169.0.0 192.175.47.255 192.175.49.0
    198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0
    203.0.112.255 203.0.114.0 223.255.255.255
    ::ffff:8.8.8.8 64:ff9b::8.8.8.8
    2000::1 2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1
    2003::1 2600::1 2606:4700:4700::1111 2620:4f:7fff::1 2620:4f:8001::1
    2a00:1450:4001::1 3ffe::1 3fff:1000::1
";

#[test]
fn addresses_are_told_apart_to_the_edges_of_each_block() {
    for text in REFUSED.split_whitespace() {
        assert!(!is_public(text.parse().unwrap()), "{text} must be refused");
    }
    for text in PUBLIC.split_whitespace() {
        assert!(is_public(text.parse().unwrap()), "{text} is public");
    }
}

/// What a URL's host comes to.
#[derive(Debug, PartialEq)]
pub(in crate::channel) enum Seen<'a> {
    /// Refused before any connection.
    Refused,
    /// A public address.
    Public,
    /// A name, for the guarded resolver to decide about.
    Name(&'a str),
    /// No URL.
    Nothing,
}
use Seen::{Name, Nothing, Public, Refused};

pub(in crate::channel) const SPELLINGS: &[(&str, Seen<'static>)] = &[
    ("http://127.0.0.1/", Refused),
    ("http://127.0.0.1:8080/", Refused),
    ("http://127.0.0.1./", Refused),
    ("http://127.1/", Refused),
    ("http://127.0.1/", Refused),
    ("http://0/", Refused),
    ("http://0.0.0.0/", Refused),
    ("http://0x0/", Refused),
    ("http://0177.0.0.1/", Refused),
    ("http://0177.0.0.01/", Refused),
    ("http://017700000001/", Refused),
    ("http://2130706433/", Refused),
    ("http://2130706433./", Refused),
    ("http://0x7f000001/", Refused),
    ("http://0x7F.0.0.1/", Refused),
    ("http://0x7f.1/", Refused),
    ("http://0X7F.0X0.0X0.0X1/", Refused),
    ("http://127.0.0.0x1/", Refused),
    ("http://%31%32%37.0.0.1/", Refused),
    ("http://127%2e0%2e0%2e1/", Refused),
    ("http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", Refused),
    ("http://127\u{3002}0\u{3002}0\u{3002}1/", Refused),
    ("http://\u{2460}\u{2461}\u{2466}.0.0.1/", Refused),
    ("http://10.1/", Refused),
    ("http://167772161/", Refused),
    ("http://012.0.0.1/", Refused),
    ("http://3232235777/", Refused),
    ("http://0xc0a80101/", Refused),
    ("http://0300.0250.1.1/", Refused),
    ("http://2852039166/", Refused),
    ("http://0xa9fea9fe/", Refused),
    ("http://0251.0376.0251.0376/", Refused),
    ("http://169.254.43518/", Refused),
    ("http://4294967295/", Refused),
    ("http://[::]/", Refused),
    ("http://[::1]/", Refused),
    ("http://[0:0:0:0:0:0:0:1]/", Refused),
    ("http://[0000::0001]/", Refused),
    ("http://[::ffff:7f00:1]/", Refused),
    ("http://[::ffff:127.0.0.1]/", Refused),
    ("http://[::FFFF:127.0.0.1]/", Refused),
    ("http://[0:0:0:0:0:ffff:7f00:0001]/", Refused),
    ("http://[::127.0.0.1]/", Refused),
    ("http://[64:ff9b::7f00:1]/", Refused),
    ("http://[fe80::1]/", Refused),
    ("http://[fd00::1]:8080/", Refused),
    ("http://user@127.0.0.1/", Refused),
    ("http://shop.example@127.0.0.1/", Refused),
    ("http://shop.example:443@127.0.0.1/", Refused),
    ("http://shop.example%2f@127.0.0.1/", Refused),
    ("http://shop.example#@127.0.0.1/", Name("shop.example")),
    ("http://shop.example?@127.0.0.1/", Name("shop.example")),
    ("http://shop.example\\@127.0.0.1/", Name("shop.example")),
    ("http://127.0.0.1\\@shop.example/", Refused),
    ("http://127.0.0.1#@shop.example/", Refused),
    ("http://127.0.0.1?@shop.example/", Refused),
    ("http://127.0.0.1\t/", Refused),
    ("http://127.0.\n0.1/", Refused),
    ("\\\\127.0.0.1/", Nothing),
    ("http:127.0.0.1", Refused),
    ("http:/127.0.0.1", Refused),
    ("http:////127.0.0.1", Refused),
    ("http:\\\\127.0.0.1", Refused),
    ("HTTP://127.0.0.1", Refused),
    ("http://8.8.8.8/", Public),
    ("http://134744072/", Public),
    ("http://010.8.8.8/", Public),
    ("http://[2606:4700:4700::1111]/", Public),
    ("http://[::ffff:808:808]/", Public),
    ("http://127.0.0.1.example/", Name("127.0.0.1.example")),
    ("http://0x7f.example/", Name("0x7f.example")),
    ("http://localhost/", Name("localhost")),
    ("http://LOCALHOST./", Name("localhost.")),
    ("http://lo\u{ad}calhost/", Name("localhost")),
    ("http://\u{24db}ocalhost/", Name("localhost")),
    ("http://shop.example./", Name("shop.example.")),
    ("http://b\u{fc}cher.example/", Name("xn--bcher-kva.example")),
    ("http://256.256.256.256/", Nothing),
    ("http://127.0.0.0.1/", Nothing),
    ("http://127.0.0.08/", Nothing),
    ("http://127.0.0.0x7g/", Name("127.0.0.0x7g")),
    ("http://4294967296/", Nothing),
    ("http://1.2.3.4.5/", Nothing),
    ("http://[::1/", Nothing),
    ("http://[::1%25lo]/", Nothing),
    ("http://[fe80::1%eth0]/", Nothing),
    ("http://[127.0.0.1]/", Nothing),
    ("http://127.0.0.1 /", Nothing),
    ("http://shop.example:99999/", Nothing),
    ("http:///", Nothing),
    ("http://@/", Nothing),
    ("http://100.64.0.1:8443/", Refused),
    ("http://100.64.0.1./", Refused),
    ("http://1681915905/", Refused),
    ("http://0144.0100.0.1/", Refused),
    ("http://%31%30%30.64.0.1/", Refused),
    ("http://ann:secret@100.127.255.254:81/", Refused),
    ("http://[::ffff:100.64.0.1]/", Refused),
    ("http://[2002:7f00:1::]:8080/", Refused),
    ("http://ann@[2002:a9fe:a9fe::1]/", Refused),
    ("http://[2002:c0a8:0101::c0a8:101]/", Refused),
    ("http://[2002:808:808::1]/", Refused),
    ("http://[64:ff9b::10.0.0.1]:8443/", Refused),
    ("http://[64:ff9b::a9fe:a9fe]/", Refused),
    ("http://ann:secret@[0064:ff9b::100.64.0.1]/", Refused),
    ("http://[64:ff9b::808:808]/", Public),
    ("http://[64:ff9b:1::7f00:1]/", Refused),
    ("http://[64:ff9b:1::8.8.8.8]:443/", Refused),
    ("http://[64:ff9b:1:fffe::a00:1]/", Refused),
    ("http://224.0.0.1/", Refused),
    ("http://239.255.255.250:1900/", Refused),
    ("http://3758096385./", Refused),
    ("http://[ff02::1]/", Refused),
    ("http://ann@[ff0e::1]:80/", Refused),
    ("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]:443/", Refused),
    ("http://[2001::7f00:1]/", Refused),
    ("http://192.0.2.1/", Refused),
    ("http://198.51.100.7./", Refused),
    ("http://203.0.113%2e9:8080/", Refused),
    ("http://[2001:db8::1]/", Refused),
    ("http://[3fff:fff::1]:8080/", Refused),
    ("http://[::ffff:10.0.0.1]:8080/", Refused),
    ("http://ann:secret@[::ffff:192.168.1.1]/", Refused),
    ("http://[::ffff:a9fe:a9fe]/latest/meta-data/", Refused),
    ("http://[::ffff:0:127.0.0.1]/", Refused),
    ("http://[::10.0.0.1]:81/", Refused),
    ("http://[::8.8.8.8]/", Refused),
    ("http://[fec0::1]/", Refused),
    ("http://[fe80::a9fe:a9fe]:9200/", Refused),
    ("http://[fd00:ec2::254]/", Refused),
    ("http://[100::1]/", Refused),
    ("http://168.63.129.16./", Refused),
    ("http://198.18.0.1:8080/", Refused),
    ("http://10.0.0.1.:8080/", Refused),
    ("http://169.254.169%2E254/", Refused),
    ("http://%30%78%37%66.1/", Refused),
    ("http://127.0.0.1%2F@shop.example/", Name("shop.example")),
    ("http://127.0.0.1../", Name("127.0.0.1..")),
    ("http://%6c%6f%63%61%6c%68%6f%73%74/", Name("localhost")),
    ("http://metadata%2einternal.:8080/", Name("metadata.internal.")),
    ("http://shop.example%40127.0.0.1/", Nothing),
    ("http://127.0.0.1%00/", Nothing),
    ("http://%5b::1%5d/", Nothing),
    ("http://[::1]./", Nothing),
    ("http://[::1.]/", Nothing),
];

#[test]
fn no_spelling_of_a_private_address_passes_for_a_name() {
    for (text, expected) in SPELLINGS {
        let url = Url::parse(text);
        let seen = match &url {
            Err(_) => Nothing,
            Ok(url) => match literal(url) {
                Some(ip) if is_public(ip) => Public,
                Some(_) => Refused,
                None => Name(url.host_str().unwrap()),
            },
        };
        assert_eq!(&seen, expected, "{text:?}");
    }
}
