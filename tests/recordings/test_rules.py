"""Which URLs are asked, and who gets credentials."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.recordings.errors import RefusedError
from exobridge.recordings.rules import (
    DEFAULT_HOSTS,
    MAX_URL_CHARS,
    HostRule,
    checked_addresses,
    is_public,
    read_ip,
    read_rules,
)

RULES = read_rules(DEFAULT_HOSTS)
LOCAL = read_rules("127.0.0.1:9000, localhost, [::1], 10.1.2.3, files.example.com:8443")
MP3 = "exotelrecordings/acme1/abc.mp3"


@pytest.mark.parametrize(
    ("url", "credentials"),
    [
        (f"https://recordings.exotel.com/{MP3}", True),
        (f"https://RECORDINGS.Exotel.COM:443/{MP3}", True),
        (f"https://api.in.exotel.com/{MP3}", True),
        (f"https://s3-ap-southeast-1.amazonaws.com/{MP3}?X-Amz-Signature=1", False),
        (f"https://s3.ap-south-1.amazonaws.com/{MP3}", False),
    ],
)
def test_exotels_hosts_are_asked(url: str, credentials: bool) -> None:
    """Its own with credentials, storage without."""
    target = RULES.check(url)
    assert (target.port, target.takes_credentials) == (443, credentials)


@pytest.mark.parametrize(
    "host", ["exotel.com", "notexotel.com", "recordings.exotel.com.example.com", "exotel.com.evil"]
)
def test_credentials_are_for_names_below_exotels_domain_alone(host: str) -> None:
    """Whatever else is listed."""
    assert not read_rules(host).check(f"https://{host}/{MP3}").takes_credentials


@pytest.mark.parametrize(
    "url",
    [
        "",
        "recordings.exotel.com/a.mp3",
        f"http://recordings.exotel.com/{MP3}",
        "ftp://recordings.exotel.com/a.mp3",
        "file:///etc/passwd",
        "https:///a.mp3",
        "https://exotel.com/a.mp3",
        "https://notexotel.com/a.mp3",
        "https://recordings.exotel.com.evil.example/a.mp3",
        "https://evil.example/recordings.exotel.com/a.mp3",
        "https://recordings.exotel.com@evil.example/a.mp3",
        "https://user:word@recordings.exotel.com/a.mp3",
        "https://evil.example\\@recordings.exotel.com/a.mp3",
        "https://recordings.exotel.com\\.evil.example/a.mp3",
        "https://recordings.exotel.com:8443/a.mp3",
        "https://recordings.exotel.com:99999/a.mp3",
        "https://recordings.exotel.com:x/a.mp3",
        "https://recordings.exotel.com./a.mp3",
        "https://rec ordings.exotel.com/a.mp3",
        "https://recordings.exotel.com/a.mp3\r\nX-Evil: 1",
        "https://recordings。exotel.com/a.mp3",
        "https://.exotel.com/a.mp3",
        "https://127.0.0.1/a.mp3",
        "https://2130706433/a.mp3",
        "https://0x7f.1/a.mp3",
        "https://[::1]/a.mp3",
        "https://[fe80::1%25eth0]/a.mp3",
        "https://169.254.169.254/latest/meta-data/",
        f"https://recordings.exotel.com/{'a' * MAX_URL_CHARS}",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """Other schemes, hosts, ports, user names, and what tries to look like Exotel's."""
    with pytest.raises(RefusedError):
        RULES.check(url)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://127.0.0.1:9000/a.mp3", 9000),
        ("https://127.0.0.1:9000/a.mp3", 9000),
        ("http://[::ffff:127.0.0.1]:9000/a.mp3", 9000),
        ("http://localhost/a.mp3", 80),
        ("http://[::1]/a.mp3", 80),
        ("https://10.1.2.3/a.mp3", 443),
        ("https://files.example.com:8443/a.mp3", 8443),
    ],
)
def test_what_is_listed_itself_is_asked(url: str, port: int) -> None:
    """An address, and plain http on this machine; never with credentials."""
    target = LOCAL.check(url)
    assert (target.port, target.takes_credentials) == (port, False)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.mp3",
        "http://127.0.0.1:9001/a.mp3",
        "http://127.0.0.2:9000/a.mp3",
        "http://10.1.2.3/a.mp3",
        "http://files.example.com:8443/a.mp3",
        "https://recordings.exotel.com/a.mp3",
    ],
)
def test_what_is_not_listed_is_refused(url: str) -> None:
    """Another port or address; plain http to another machine; Exotel's where it is left out."""
    with pytest.raises(RefusedError):
        LOCAL.check(url)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """Even if only one of its addresses does."""
    target = RULES.check(f"https://recordings.exotel.com/{MP3}")
    with pytest.raises(RefusedError, match="private network"):
        checked_addresses(RULES, target, ["13.234.1.1", address])


def test_a_name_that_leads_outside_is_asked() -> None:
    """At all of its addresses; one without any is refused."""
    target = RULES.check(f"https://recordings.exotel.com/{MP3}")
    found = checked_addresses(RULES, target, ["13.234.1.1", "2406:da1a::1"])
    assert list(map(str, found)) == ["13.234.1.1", "2406:da1a::1"]
    with pytest.raises(RefusedError):
        checked_addresses(RULES, target, [])
    with pytest.raises(RefusedError):
        checked_addresses(RULES, target, ["fe80::1%eth0"])


def test_an_address_that_is_listed_may_be_private() -> None:
    """The operator has written it himself."""
    for url in ("https://10.1.2.3/a.mp3", "http://localhost/a.mp3"):
        target = LOCAL.check(url)
        assert checked_addresses(LOCAL, target, ["10.1.2.3"])
    by_name = LOCAL.check("https://files.example.com:8443/a.mp3")
    with pytest.raises(RefusedError):
        checked_addresses(LOCAL, by_name, ["10.1.2.3"])


@pytest.mark.parametrize(
    "entry",
    [
        *("", "*", "*.", "*.com", "*.127.0.0.1", "a b", "a/b", "https://a.com", "u@a.com"),
        *("a.com:x", "a.com:70000", "a.com?x", "a..com", "-a.com", "[::1", "a.com#x"),
    ],
)
def test_entries_that_are_refused(entry: str) -> None:
    """What is no host; a whole top-level domain."""
    with pytest.raises(ValueError, match="it"):
        HostRule.parse(entry)


def test_names_may_lead_into_a_network_that_is_listed() -> None:
    """There alone; its addresses are no hosts by that."""
    rules = read_rules("*.exotel.com,10.0.0.0/8,fd00::/8")
    target = rules.check(f"https://recordings.exotel.com/{MP3}")
    assert len(checked_addresses(rules, target, ["10.1.2.3", "fd00::5", "13.234.1.1"])) == 3
    with pytest.raises(RefusedError):
        checked_addresses(rules, target, ["10.1.2.3", "192.168.1.1"])
    with pytest.raises(RefusedError):
        rules.check("https://10.1.2.3/a.mp3")


def test_a_wrong_entry_is_named_by_its_position() -> None:
    """Empty ones are passed over and counted."""
    for wrong in ("b c", "10.0.0.1/8", "0.0.0.0/0", "https://a.com"):
        with pytest.raises(ValueError, match="entry 3: it"):
            read_rules(f"a.com,,{wrong}")


def test_rules_are_written_as_they_are_read() -> None:
    """So that the settings can be shown."""
    text = "*.exotel.com,a.example.com:8443,127.0.0.1:9000,[::1]:9000,10.0.0.0/8"
    assert read_rules(str(read_rules(text))) == read_rules(text)
    assert str(read_rules("*.exotel.com, a.com:1")) == "*.exotel.com,a.com:1"


@given(st.text() | st.from_regex(r"https?://[^/]*exotel\.com[^ ]*", fullmatch=True))
def test_no_url_gets_round_the_rules(url: str) -> None:
    """Whatever is sent is refused, or is https to a host that is listed."""
    try:
        target = RULES.check(url)
    except RefusedError:
        return
    assert url.lower().startswith("https://")
    assert target.port == 443
    assert target.host.endswith((".exotel.com", ".amazonaws.com"))


def test_an_address_has_no_zone() -> None:
    """It says by which interface of this machine, which a name from outside cannot know."""
    assert read_ip("2406:da1a::1%eth0") is None
    assert read_ip("2406:da1a::1") is not None


@given(st.ip_addresses())
def test_only_global_addresses_are_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Written and read again, an address is judged as the standard library judges it, or more
    strictly."""
    read = read_ip(str(address))
    assert read is not None
    if is_public(read):
        assert read.is_global
