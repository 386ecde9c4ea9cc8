"""Addresses and networks as they are written."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.addresses import MAX_NETWORKS, is_in, read_address, read_networks


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address_is_read_in_every_form(address: object, port: int) -> None:
    """Alone, with a port, in brackets, with a zone."""
    forms = [f"{address}", f" {address} "]
    if isinstance(address, IPv6Address):
        forms += [f"[{address}]", f"[{address}]:{port}", f"{address}%eth0", f"[{address}%1]:{port}"]
        address = address.ipv4_mapped or address
    else:
        forms += [f"{address}:{port}", f"::ffff:{address}"]
    assert {read_address(form) for form in forms} == {address}


@given(st.one_of(st.text(), st.text("0123456789abcdef:.[]%/ ", max_size=120)))
def test_no_text_raises(text: str) -> None:
    """It is an address or nobody's, as a setting it is a list or a `ValueError`."""
    found = read_address(text)
    assert found is None or read_address(str(found)) == found
    with suppress(ValueError):
        assert all(network.prefixlen for network in read_networks(text))


def test_networks_hold_their_addresses() -> None:
    """One alone is a network too; an IPv4 network in IPv6's form is the IPv4 one."""
    networks = read_networks(" 203.0.113.0/24, 198.51.100.7,2001:db8::/32,,::ffff:192.0.2.0/120 ")
    inside = ["203.0.113.255", "198.51.100.7", "2001:db8:ffff::1", "192.0.2.9"]
    assert all(is_in(ip_address(each), networks) for each in inside)
    outside = ["203.0.114.0", "198.51.100.8", "2001:db9::1", "192.0.3.9", "::1"]
    assert not any(is_in(ip_address(each), networks) for each in outside)
    assert not is_in(None, networks)
    assert read_networks(" , ") == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("203.0.113.7,nonsense", "entry 2 is none"),
        ("203.0.113.7/24", "entry 1 has bits beyond its prefix"),
        ("0.0.0.0/0", "entry 1 takes in every address there is"),
        ("::/0", "entry 1 takes in every address there is"),
        ("203.0.113.7:80", "entry 1 is none"),
        (",".join(["10.0.0.1"] * (MAX_NETWORKS + 1)), "more than 256 entries"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(text: str, problem: str) -> None:
    """Not by its value, which may be a secret in the wrong line."""
    with pytest.raises(ValueError, match=problem):
        read_networks(text)
