"""Where a number is from."""

from __future__ import annotations

import pytest

from exobridge.regions import AREA_CODES, is_from, is_region, state_of

SPELLED = {
    "AN": ("Andaman Islands", "Nicobar Islands"),
    "DL": ("New Delhi",),
    "JK": ("Jammu And Kashmir",),
    "MH": ("Maharashtra", "Mumbai"),
    "KA": ("Karnataka",),
    "TN": ("Tamil Nadu",),
    "OD": ("Odisha",),
}
"""What some of the codes are called in the tables they are made of."""


@pytest.mark.parametrize(
    ("number", "state"),
    [
        ("+914428123456", "TN"),
        ("+912226123456", "MH"),
        ("+918041234567", "KA"),
        ("+911123456789", "DL"),
        ("+913322345678", "WB"),
        ("+919811122233", ""),
        ("+917200498123", ""),
        ("+4930901820", ""),
        ("+91", ""),
        ("+91abc", ""),
        ("", ""),
        ("hidden", ""),
    ],
)
def test_a_landline_tells_its_state(number: str, state: str) -> None:
    """A mobile, another country and what is no number tell none."""
    assert state_of(number) == state


def test_the_states_are_those_of_the_tables() -> None:
    """Of every Indian area code that the tables know, the state is the one they name."""
    # The tables of the world take a second, which every process that looks for tests would spend.
    import phonenumbers
    from phonenumbers import geocoder
    from phonenumbers.geodata import GEOCODE_DATA

    names = {name: code for code, spelled in SPELLED.items() for name in spelled}
    checked = 0
    for prefix in GEOCODE_DATA:
        number = f"+{prefix}".ljust(13, "2")
        if not prefix.startswith("91") or not (state := state_of(number)):
            continue
        area = str(geocoder.description_for_number(phonenumbers.parse(number), "en"))
        spelled = area.rpartition(", ")[2]
        if spelled in names:
            checked += 1
            assert state == names[spelled], area
        else:
            assert state not in SPELLED, area
    assert checked > 1000


def test_a_region_is_a_state_or_the_beginning_of_numbers() -> None:
    """The beginning holds for any number, the state for landlines."""
    assert all(is_region(code) for code in AREA_CODES)
    assert is_region("+9144")
    assert not any(is_region(text) for text in ("", "+", "+0", "tn", "9144", "Delhi", "+91 44"))
    assert is_from("+914428123456", "TN")
    assert is_from("+914428123456", "+9144")
    assert is_from("+919811122233", "+9198")
    assert not is_from("", "+91")
    assert not is_from("", "TN")
