"""A webhook's names and values, however they were sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.given import (
    MAX_ENTRIES,
    MAX_NAME,
    MAX_PARAMETERS,
    MAX_VALUE,
    Given,
    read_given,
)


def read(**pairs: str) -> Given:
    """These parameters."""
    return read_given(pairs.items())


def test_names_do_not_depend_on_their_spelling() -> None:
    """Nor on the spelling in which they are asked for; what is kept has the one that was sent."""
    for name in ("CallFrom", "Callfrom", "callfrom", "CALL_FROM", " call_from "):
        found = read(**{name: "1"})
        assert found.text("CallFrom") == found.text("call_from") == "1"
        assert found.kept == {name.strip(): "1"}


def test_the_first_that_says_something_counts() -> None:
    """Of a repeated name, and of several names."""
    found = read_given([("a", "null"), ("A", "1"), ("a", "2"), ("b", "")])
    assert found.text("a") == "1"
    assert found.text("b", "c", "a") == "1"
    assert found.text("b") == ""
    assert found.kept == {"A": "1"}


def test_values_are_clean_and_bounded() -> None:
    """No NULs, which a database does not take, and no blanks around."""
    assert read(a=" 1\0 ").text("a") == "1"
    assert read(a="\0").kept == {}
    assert read(**{"a\ud800": "1\ud800"}).kept == {"a?": "1?"}
    assert read(a="v" * 5000).text("a") == "v" * MAX_VALUE
    assert read(**{"n" * 5000: "1"}).kept == {"n" * MAX_NAME: "1"}
    many = read(**{f"n{number}": "1" for number in range(MAX_PARAMETERS + 1)})
    assert len(many.kept) == MAX_PARAMETERS


@pytest.mark.parametrize("name", ["auth_token", "authtoken", "Auth_Token"])
def test_the_secret_is_not_read(name: str) -> None:
    """It proves the request and is nobody's business after that."""
    found = read(**{name: "hush", "a": "1"})
    assert found.kept == {"a": "1"}
    assert found.text("auth_token") == ""


def test_urls_are_kept_without_credentials() -> None:
    """Whatever parameter they stand in; whoever needs the whole one reads it."""
    url = "https://user:hush@r.example/a.mp3?sig=hush"
    found = read(RecordingUrl=url, CustomField=f'{{"u": "{url}"}}')
    assert found.kept == {
        "RecordingUrl": "https://r.example/a.mp3",
        "CustomField": '{"u": "https://r.example/a.mp3"}',
    }
    assert found.text("RecordingUrl") == url


MEMBERS = {"StreamSID": "s", "Status": "completed", "StreamUrl": "wss://u:hush@h/x?t=hush"}


@pytest.mark.parametrize(
    "pairs",
    [
        {f"Stream[{name}]": value for name, value in MEMBERS.items()},
        {f"stream[{name.lower()}]": value for name, value in MEMBERS.items()},
        {f"Stream[0][{name}]": value for name, value in MEMBERS.items()},
        {"Stream": json.dumps(MEMBERS)},
        {"stream": " " + json.dumps([MEMBERS])},
        {"Stream": json.dumps(MEMBERS).replace("/", r"\/")},
    ],
)
def test_members_however_they_are_nested(pairs: dict[str, str]) -> None:
    """One for each member, or one parameter holding JSON; and never with credentials."""
    found = read(**pairs)
    plain = {name.lower(): value for name, value in MEMBERS.items()}
    assert found.members("stream") == plain
    assert "hush" not in str(found.kept)
    assert len(found.kept) == 3


@pytest.mark.parametrize(
    "text", ["{", "[", "{}", "[]", '{"a"}', "[" * 5000, '{"a":' * 900, '{"a": 1e9999}', "s1", '"s"']
)
def test_json_that_is_none_has_no_members(text: str) -> None:
    """The rest of the request counts all the same."""
    found = read(Stream=text, CallSid="c1")
    assert found.members("stream") == {}
    assert found.text("CallSid") == "c1"


def test_json_of_any_value() -> None:
    """Numbers and words as they are written; ``null`` says nothing."""
    found = read(Stream='{"a": 1, "b": 2.5, "c": true, "d": null, "e": "null", "f": {"g": "h"}}')
    assert found.members("stream") == {"a": "1", "b": "2.5", "c": "true", "g": "h"}


def test_only_what_is_known_to_hold_json_is_opened() -> None:
    """A ``CustomField`` may hold JSON of its own."""
    found = read(CustomField='{"StreamSID": "s"}', Streams='{"a": 1}')
    assert found.text("CustomField") == '{"StreamSID": "s"}'
    assert found.members("stream") == {}


def test_entries_come_by_index() -> None:
    """In any order and with holes; what is no index is passed over."""
    pairs = [
        ("Legs[10][Number]", "ten"),
        ("Legs[2][Number]", "two"),
        ("legs[2][type]", "single"),
        ("Legs[2][Number]", "again"),
        ("Legs[x][Number]", "x"),
        ("Legs[-1][Number]", "minus"),
        ("Legs[][Number]", "none"),
        ("Legs[९][Number]", "nine"),
        ("Legs[99999999][Number]", "far"),
        ("Legs[3]", "bare"),
        ("Legs", "word"),
        ("Legs[4", "open"),
    ]
    assert read_given(pairs).entries("legs") == [
        {"number": "two", "type": "single"},
        {"number": "ten"},
    ]


@pytest.mark.parametrize(
    "legs",
    [
        [{"Number": "1"}, {"Number": "2"}],
        {"1": {"Number": "2"}, "0": {"Number": "1"}},
        [{"Leg": {"Number": "1"}}, {"Leg": {"Number": "2"}}],
    ],
)
def test_entries_as_json(legs: object) -> None:
    """A list, an object by index, or each in an object of its own."""
    found = read(Legs=json.dumps(legs)).entries("legs")
    assert found == [{"number": "1"}, {"number": "2"}]


def test_entries_are_bounded() -> None:
    """A call has a few legs, and a stranger's request no more than so many."""
    found = read(**{f"Legs[{index}][Number]": "1" for index in range(MAX_ENTRIES + 50)})
    assert len(found.entries("legs")) == MAX_ENTRIES
    deep = read(Legs=json.dumps([{"Number": "1"}] * 5000))
    assert len(deep.kept) == MAX_PARAMETERS


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)
_NAMES = st.sampled_from(["Stream", "Legs", "Stream[StreamSID]", "Legs[0][Number]", "legs[[0]"])
_VALUES = _JSON.map(json.dumps) | st.text(max_size=20)


_ANY = st.text(st.characters(), max_size=10)  # lone surrogates, too


@given(st.lists(st.tuples(_NAMES | _ANY, _VALUES | _ANY), max_size=10))
def test_anything_can_be_read(pairs: list[tuple[str, str]]) -> None:
    """Nothing is raised, and all that is kept is bounded and can be written to any database."""
    found = read_given(pairs)
    found.members("stream")
    found.entries("legs")
    for name, value in found.kept.items():
        assert value
        assert "\0" not in name + value
        assert len(name) <= MAX_NAME
        (name + value).encode()
