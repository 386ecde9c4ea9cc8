"""Where a request comes from, by the word of declared proxies and of nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from exobridge.addresses import is_in, read_address, read_networks
from exobridge.web.proxies import MAX_HOPS, Proxies

TRUSTED = read_networks("127.0.0.1,10.0.0.0/8,fd00::/8")
PROXIES = Proxies(TRUSTED)
XFF, REAL, FORWARDED = "x-forwarded-for", "x-real-ip", "forwarded"


def client(peer: str | None, *headers: tuple[str, str]) -> str:
    """The client as a text, ``nobody`` if it cannot be told."""
    found = PROXIES.client(
        peer, Headers(raw=[(name.encode(), value.encode("latin-1")) for name, value in headers])
    )
    return "nobody" if found is None else str(found)


@pytest.mark.parametrize("header", [XFF, REAL, FORWARDED])
def test_what_a_stranger_writes_counts_for_nothing(header: str) -> None:
    """The peer is no proxy, so it is the client."""
    assert client("203.0.113.9", (header, "127.0.0.1")) == "203.0.113.9"
    assert client("203.0.113.9", (header, "garbage")) == "203.0.113.9"
    assert Proxies().client("127.0.0.1", Headers({header: "8.8.8.8"})) == read_address("127.0.0.1")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9 ,10.0.0.7, 127.0.0.1", "203.0.113.9"),
        ("10.0.0.5", "10.0.0.5"),
        ("10.0.0.5, 10.0.0.7", "10.0.0.5"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, fd00::1", "203.0.113.9"),
        ("203.0.113.9, garbage", "nobody"),
        ("203.0.113.9, garbage, 10.0.0.7", "nobody"),
        ("garbage, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9,", "nobody"),
        ("", "nobody"),
        ("unknown", "nobody"),
        ("203.0.113.9:port", "nobody"),
        ("203.0.113.256", "nobody"),
        ("[203.0.113.9", "nobody"),
        ("203.0.113.9 203.0.113.10", "nobody"),
        ("\xff", "nobody"),
    ],
)
def test_the_right_most_address_that_is_no_proxys(told: str, found: str) -> None:
    """What stands left of it was written by whoever asked."""
    assert client("10.1.2.3", (XFF, told)) == found
    if "," not in told:
        assert client("127.0.0.1", (REAL, told)) == found


def test_several_lines_are_one_list() -> None:
    """The last line is the nearest proxy's."""
    assert client("127.0.0.1", (XFF, "1.1.1.1"), (XFF, "203.0.113.9")) == "203.0.113.9"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=203.0.113.9;proto=https;by=10.0.0.7", "203.0.113.9"),
        ("proto=https; for=203.0.113.9", "203.0.113.9"),
        ('for="[2001:db8::7]:4711"', "2001:db8::7"),
        ('for=1.1.1.1, for="203.0.113.9:80", for=10.0.0.7', "203.0.113.9"),
        ("for=unknown", "nobody"),
        ("for=_hidden", "nobody"),
        ("proto=https", "nobody"),
        ("for=1.1.1.1;for=203.0.113.9", "nobody"),
        ('for="1.1.1.1, for=203.0.113.9', "203.0.113.9"),
        ('for="203.0.113.9;x"', "nobody"),
        ("for=203.0.113.9;", "nobody"),
        ("", "nobody"),
    ],
)
def test_forwarded_is_read_as_its_standard_says(told: str, found: str) -> None:
    """One element a proxy; what cannot be read is nobody, but only in the place that counts."""
    assert client("127.0.0.1", (FORWARDED, told)) == found


def test_headers_of_two_kinds_must_agree() -> None:
    """A proxy passes on what it does not write, so the other one may be the client's own."""
    client_, other, proxy = "203.0.113.9", "198.51.100.1", "10.0.0.7"
    assert client("127.0.0.1", (XFF, client_), (REAL, client_)) == client_
    assert client("127.0.0.1", (XFF, client_), (REAL, other)) == "nobody"
    assert client("127.0.0.1", (XFF, client_), (FORWARDED, f"for={other}")) == "nobody"
    assert client("127.0.0.1", (XFF, client_), (FORWARDED, "garbage")) == "nobody"
    # The second of two proxies knows the first one only.
    assert client("127.0.0.1", (XFF, f"{client_}, {proxy}"), (REAL, proxy)) == client_
    assert client("127.0.0.1", (XFF, "127.0.0.1"), (REAL, proxy)) == "nobody"


@pytest.mark.parametrize("peer", [None, "", "testclient", "127.0.0.1"])
def test_who_does_not_say_is_nobody(peer: str | None) -> None:
    """A proxy that adds no header, a Unix socket, a name."""
    assert client(peer) == "nobody"


def test_a_long_list_is_not_read_to_its_end() -> None:
    """The work is bounded, and an address further left is nobody's."""
    proxies = ",".join(["10.0.0.7"] * (MAX_HOPS - 1))
    assert client("127.0.0.1", (XFF, f"203.0.113.9,{proxies}")) == "203.0.113.9"
    assert client("127.0.0.1", (XFF, f"203.0.113.9,10.0.0.7,{proxies}")) == "nobody"
    assert client("127.0.0.1", (XFF, "," * 100_000 + "203.0.113.9")) == "203.0.113.9"


ADDRESSES = st.one_of(st.ip_addresses().map(str), st.just("10.0.0.7"), st.just("127.0.0.1"))
WRITTEN = st.one_of(
    ADDRESSES,
    ADDRESSES.map(lambda a: f"[{a}]:80" if ":" in a else f"{a}:80"),
    st.text(st.characters(max_codepoint=255), max_size=40),
)


@given(st.lists(WRITTEN, max_size=6), ADDRESSES)
def test_whatever_stands_before_the_last_stranger_changes_nothing(
    before: list[str], stranger: str
) -> None:
    """That is what makes the header fit for a decision."""
    last = read_address(stranger)
    if is_in(last, TRUSTED):
        return
    told = ",".join([*before, stranger, "10.0.0.7"])
    assert client("127.0.0.1", (XFF, told)) == client("127.0.0.1", (XFF, stranger)) == str(last)


@given(
    st.text(max_size=60),
    st.lists(
        st.tuples(
            st.sampled_from([XFF, REAL, FORWARDED, "x-forwarded-host", "x-forwarded-proto"]),
            st.one_of(
                st.lists(WRITTEN, max_size=50).map(",".join),
                st.text('for=";,[]:%.proto/ 0123456789abcdef', max_size=80),
                st.text(st.characters(max_codepoint=255)),
            ),
        ),
        max_size=6,
    ),
)
def test_no_header_raises(peer: str, told: list[tuple[str, str]]) -> None:
    """Whatever comes, there is an answer, and a stranger's headers are not in it."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in told]
    headers = Headers(raw=raw)
    for each in (peer, "127.0.0.1", "203.0.113.9", "fe80::1%eth0"):
        found = PROXIES.client(each, headers)
        scheme, host = PROXIES.origin(each, headers)
        assert scheme in ("", "http", "https")
        assert not set(host) & set(' /@?#,;"')
        if not PROXIES.declares(each):
            assert found == read_address(each)
            assert (scheme, host) == ("", "")
