"""How often an address may ask, in virtual time."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from exobridge.web.rate import BURST_S, MAX_ADDRESSES, TOLD_S, AddressRate

ONE, OTHER = ip_address("203.0.113.9"), ip_address("203.0.113.10")


@given(st.integers(1, 50), st.lists(st.floats(0, 0.5), min_size=1, max_size=300))
def test_never_more_than_the_rate_and_one_burst(per_second: int, gaps: list[float]) -> None:
    """However the requests are spaced; and one that waits its turn is always let through."""
    rate, now, taken = AddressRate(per_second), 0.0, 0
    for gap in gaps:
        now += gap
        taken += rate.takes(ONE, now)
    assert taken <= per_second * (now + BURST_S) + 1e-6
    assert rate.takes(ONE, now + 1 / per_second)


def test_a_steady_stream_at_the_rate_passes_for_ever() -> None:
    """And a burst of two seconds' worth beside an empty minute."""
    rate = AddressRate(10)
    assert all(rate.takes(ONE, number / 10) for number in range(10_000))
    assert [rate.takes(ONE, 2000.0) for _ in range(21)] == [True] * 20 + [False]


def test_addresses_do_not_wait_for_each_other() -> None:
    """But an IPv6 subscriber has 2⁶⁴ of them, and one bucket."""
    rate = AddressRate(1)
    assert [rate.takes(ONE, 0) for _ in range(3)] == [True, True, False]
    assert rate.takes(OTHER, 0)
    near = [ip_address(f"2001:db8::{number}") for number in range(1, 4)]
    assert [rate.takes(each, 0) for each in near] == [True, True, False]
    assert rate.takes(ip_address("2001:db8:0:1::1"), 0)
    assert [rate.takes(None, 0) for _ in range(3)] == [True, True, False]
    assert rate.takes(ip_address("::cb00:7109"), 0)  # not the IPv4 address of these bits


def test_nought_is_any_number() -> None:
    """And nothing is kept."""
    rate = AddressRate(0)
    assert all(rate.takes(ONE, 0) for _ in range(1000))
    assert len(rate) == 0


def test_the_table_is_bounded() -> None:
    """Who has not asked for longest is forgotten first."""
    rate = AddressRate(1)
    for number in range(MAX_ADDRESSES + 500):
        rate.takes(ip_address(number), 0)
        rate.takes(ONE, 0)
    assert len(rate) == MAX_ADDRESSES
    assert not rate.takes(ONE, 0)


def test_an_address_is_spoken_of_once_a_minute() -> None:
    """With the number of what was refused since."""
    rate = AddressRate(1)
    told: list[int] = []
    for number in range(int(TOLD_S) * 10 + 20):
        now = number / 10
        if not rate.takes(ONE, now):
            told.append(rate.to_tell(ONE, now))
    spoken = [each for each in told if each]
    assert spoken[0] == 1
    assert len(spoken) == 2
    assert spoken[1] == len(told) - told[::-1].index(spoken[1]) - 1
