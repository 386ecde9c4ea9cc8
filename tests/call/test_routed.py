"""What a template's rules decided, written into an event and read out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call import events
from exobridge.call.events import Decision
from exobridge.call.routed import NOT_ROUTED, Routed

TEXT = st.text(max_size=20)


@given(
    st.builds(
        Routed,
        entry=TEXT,
        rule=TEXT,
        language=TEXT,
        say=TEXT,
        body=TEXT,
        variables=st.dictionaries(TEXT, TEXT, max_size=5).map(
            lambda variables: tuple(sorted(variables.items()))
        ),
    )
)
def test_what_is_written_is_read(routed: Routed) -> None:
    """Every key."""
    assert Routed.read(routed.data()) == routed


def test_an_event_keeps_the_decision() -> None:
    """The answer's, or the stream's where no answer came before it; without one it tells none."""
    at, routed = datetime(2026, 11, 23, tzinfo=UTC), Routed(rule="vip", language="ta-IN")
    told: dict[str, Any] = {"caller": "", "called": "", "direction": "incoming"}
    for decision in (routed, None):
        for event in (
            events.answer(
                "c", at, decision=Decision.ACCEPT, template="default", routed=decision, **told
            ),
            events.stream_started("c", at, stream_sid="s", routed=decision),
        ):
            assert Routed.read(event.data.get("routed")) == (decision or NOT_ROUTED)


def test_variables_are_in_one_order() -> None:
    """The same ones make the same decision, however they were told."""
    one = Routed.read({"variables": {"b": "2", "a": "1"}})
    assert one == Routed.read({"variables": {"a": "1", "b": "2"}})
    assert one.variables == (("a", "1"), ("b", "2"))


@pytest.mark.parametrize("data", [None, "vip", 7, [], {}, {"rule": None}, {"variables": ["a"]}])
def test_what_tells_nothing_is_no_decision(data: Any) -> None:
    """An older release's event has none."""
    assert Routed.read(data) == NOT_ROUTED


def test_what_is_no_text_is_left_out() -> None:
    """And the rest is read; a variable is always a text."""
    found = Routed.read({"rule": "vip", "say": 7, "variables": {"orders": 2}})
    assert found == Routed(rule="vip", variables=(("orders", "2"),))
