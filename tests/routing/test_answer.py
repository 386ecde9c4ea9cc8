"""Reading what a look-up answers: anything may come."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.routing.answer import (
    MAX_BYTES,
    MAX_SAY,
    BadAnswerError,
    LookupAnswer,
    read_answer,
    understood,
)
from exobridge.templates.routing import MAX_VALUE, MAX_VARIABLES


def read(value: object) -> LookupAnswer:
    """The answer in a body."""
    return read_answer(json.dumps(value).encode())


def test_every_key_is_read() -> None:
    """``text`` is another name of ``say``; variables come from both places, the outer first."""
    answer = read(
        {
            "branch": " B ",
            "template": "vip",
            "language": "ta-IN",
            "text": "Hello.",
            "variables": {"name": "Asha", "tier": "silver"},
            "tier": "gold",
            "orders": 2,
            "score": 1.5,
            "known": True,
            "none": None,
            "list": ["x"],
            "table": {"x": 1},
        }
    )
    assert (answer.branch, answer.template, answer.language) == ("b", "vip", "ta-IN")
    assert answer.say == "Hello."
    assert answer.values == {
        "name": "Asha",
        "tier": "gold",
        "orders": "2",
        "score": "1.5",
        "known": "true",
    }
    assert read({"say": "This.", "text": "Not this."}).say == "This."


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b'{"branch": ""}', b'{"branch": null}'])
def test_an_empty_answer_says_nothing(body: bytes) -> None:
    """It is an answer all the same."""
    assert read_answer(body) == LookupAnswer()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b'{"a": 1', "is no JSON"),
        (b"[" * 5000, "is no JSON"),
        (b"null", ""),
        (b'"a"', "is no object"),
        (b"[1]", "is no object"),
        (b'{"branch": "c"}', "branch is neither"),
        (b'{"a": "' + b"x" * MAX_BYTES + b'"}', "is too long"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, why: str) -> None:
    """And nothing of what was in it."""
    if not why:
        assert read_answer(body) == LookupAnswer()
        return
    with pytest.raises(BadAnswerError, match=why) as caught:
        read_answer(body)
    assert "html" not in str(caught.value)


def test_an_answer_is_bounded() -> None:
    """Long values and words are cut, of many variables the first are kept, a number of hundreds of
    digits is none."""
    answer = understood(
        {
            "say": "x" * (MAX_SAY + 1),
            "long": "y" * (MAX_VALUE + 1),
            "huge": 10**400,
            **{f"v{at}": at for at in range(MAX_VARIABLES + 10)},
        }
    )
    assert len(answer.say) == MAX_SAY
    assert len(answer.values["long"]) == MAX_VALUE
    assert answer.values["huge"] == ""
    assert len(answer.variables) == MAX_VARIABLES


def test_a_value_is_a_variable_where_its_name_can_be_one() -> None:
    """Rules compare any name; the caller and the like are never replaced."""
    answer = understood({"tier": "gold", "Tier-2": "x", "caller": "+910000000000", "call_sid": "c"})
    assert set(answer.values) == {"tier", "Tier-2", "caller", "call_sid"}
    assert answer.variables == {"tier": "gold"}


def test_what_no_database_takes_is_left_out() -> None:
    """NULs, halves of characters, and keys that are no texts."""
    answer = understood({"say": "a\0b", "tier": "go\ud800ld", 7: "x", None: "y"})
    assert answer.say == "ab"
    assert answer.values == {"tier": "gold"}


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
KEYS = st.sampled_from(["branch", "template", "language", "say", "text", "variables", "tier"])


@given(st.dictionaries(KEYS, JSON) | JSON)
def test_any_value_is_understood_or_refused(value: Any) -> None:
    """Nothing else is raised, and what is understood is made of bounded texts."""
    try:
        answer = understood(value)
    except BadAnswerError:
        return
    assert answer.branch in (None, "a", "b")
    assert all(len(text) <= MAX_VALUE for text in answer.values.values())
    assert len(answer.say) <= MAX_SAY


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Nothing else is raised."""
    with suppress(BadAnswerError):
        read_answer(body)
