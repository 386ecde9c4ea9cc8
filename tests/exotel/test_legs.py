"""The legs of a call."""

from __future__ import annotations

import json

import pytest

from exobridge.exotel.given import read_given
from exobridge.exotel.legs import Leg, read_legs

LEG = {
    "Number": "07200498123",
    "Type": "single",
    "OnCallDuration": "12",
    "CauseCode": "NORMAL_CLEARING",
    "Cause": "16",
}
READ = Leg("07200498123", "single", 12, "NORMAL_CLEARING", "16")


def legs(**pairs: str) -> tuple[Leg, ...]:
    """What these parameters tell."""
    return read_legs(read_given(pairs.items()))


@pytest.mark.parametrize(
    "pairs",
    [
        {f"Legs[0][{name}]": value for name, value in LEG.items()},
        {f"legs[0][{name.lower()}]": value for name, value in LEG.items()},
        {f"Legs[7][{name}]": value for name, value in LEG.items()},
        {"Legs": json.dumps([LEG])},
        {"Legs": json.dumps({"0": LEG})},
    ],
)
def test_a_leg_however_it_is_written(pairs: dict[str, str]) -> None:
    """With its number as Exotel wrote it."""
    assert legs(**pairs) == (READ,)


def test_attempts_stay_in_their_order() -> None:
    """By index, whatever order they come in."""
    assert legs(
        **{"Legs[1][Number]": "2", "Legs[3][Type]": "PARALLEL", "Legs[0][Number]": "1"}
    ) == (
        Leg("1"),
        Leg("2"),
        Leg(type="parallel"),
    )


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("OnCallDuration", "0", Leg(seconds=0)),
        ("OnCallDuration", '"7"', Leg(seconds=7)),
        ("Type", "parallel", Leg(type="parallel")),
        ("CauseCode", "USER_BUSY", Leg(cause_code="USER_BUSY")),
        ("Cause", "17", Leg(cause="17")),
    ],
)
def test_any_one_may_come_alone(name: str, value: str, read: Leg) -> None:
    """A duration of 0 is one, too: there was no conversation."""
    assert legs(**{f"Legs[0][{name}]": value}) == (read,)


@pytest.mark.parametrize("value", ["", "null"])
def test_a_leg_that_tells_nothing_is_none(value: str) -> None:
    """Nor is one whose only duration is no number."""
    empty = {f"Legs[0][{name}]": value for name in LEG}
    assert legs(**empty, **{"Legs[1][OnCallDuration]": "soon", "Legs[2][Foo]": "1"}) == ()
