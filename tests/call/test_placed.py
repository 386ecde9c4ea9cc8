"""A call that we had placed: what its record says before anybody else tells of it, and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call import events
from exobridge.call.events import JSON, CallEvent, Decision
from exobridge.call.outcome import Outcome
from exobridge.call.placed import NOT_PLACED, PlacedCall
from exobridge.call.plan import CallPlan
from exobridge.call.routed import Routed
from exobridge.call.state import Call, State
from exobridge.templates import Template
from tests.call.told import CALL, after_connect, answered, at, call_of, ended, started, status

TEXT = st.text(max_size=20)
HUMAN, EXOPHONE = "+919811122233", "+918047112233"


RINGS = PlacedCall(
    dial="d1",
    template="reminder",
    caller=HUMAN,
    called=EXOPHONE,
    custom_field="xb:d1:1",
    variables=(("name", "Asha"),),
)


def placed(minute: int = 0, call: PlacedCall = RINGS) -> CallEvent:
    """We had it placed."""
    return events.placed(CALL, at(minute), call)


@given(
    st.builds(
        PlacedCall,
        dial=TEXT,
        attempt=st.integers(1, 10),
        template=TEXT,
        caller=TEXT,
        called=TEXT,
        custom_field=TEXT,
        variables=st.dictionaries(TEXT, TEXT, max_size=5).map(
            lambda variables: tuple(sorted(variables.items()))
        ),
        ring_seconds=st.integers(1, 60),
    )
)
def test_what_is_written_is_read(call: PlacedCall) -> None:
    """Every key."""
    assert PlacedCall.read(call.data()) == call


def test_what_makes_no_sense_is_not_read() -> None:
    """As a later release may write it."""
    told: dict[str, JSON] = {"dial": 1, "attempt": "two", "variables": [], "ring_seconds": None}
    assert PlacedCall.read(told) == NOT_PLACED


def test_a_call_that_rings_is_known() -> None:
    """By whom we call, from where, and with which template."""
    call = call_of(placed())
    assert (call.state, call.outcome) == (State.NEW, None)
    assert (call.direction, call.caller, call.called) == ("outgoing", HUMAN, EXOPHONE)
    assert (call.template, call.custom_field) == ("reminder", "xb:d1:1")
    assert dict(call.placed.variables) == {"name": "Asha"}
    assert call_of(answered()).placed == NOT_PLACED


@pytest.mark.parametrize("first", [True, False])
def test_who_is_called_stands_over_what_a_webhook_tells(first: bool) -> None:
    """Whichever comes first. The template is the answer's: a rule may have sent the call there."""
    told = [placed(), answered(1), started(minute=2)]
    call = call_of(*(told if first else reversed(told)))
    assert (call.direction, call.caller, call.called) == ("outgoing", HUMAN, EXOPHONE)
    assert (call.template, call.custom_field) == ("sales", "f")


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([status("busy")], Outcome.BUSY),
        ([status("no-answer")], Outcome.NO_ANSWER),
        ([status("failed")], Outcome.FAILED),
        ([status("completed")], Outcome.ABANDONED),
        ([events.no_stream(CALL, at(9))], Outcome.UNKNOWN),
        ([events.no_stream(CALL, at(9)), status("completed")], Outcome.ABANDONED),
        ([after_connect(call_status="completed")], Outcome.ABANDONED),
        ([started(), ended()], Outcome.COMPLETED),
        ([answered(decision=Decision.REFUSE)], Outcome.REFUSED),
    ],
)
def test_how_it_ends(told: Sequence[CallEvent], outcome: Outcome) -> None:
    """One that was answered and never came to the bot was abandoned, as it was for us."""
    assert call_of(placed(), *told).outcome is outcome


def test_it_is_placed_once() -> None:
    """Of two that tell it the earlier counts, in whatever order they come."""
    one, other = placed(1), placed(2, replace(RINGS, template="sales"))
    assert one.key == other.key
    assert call_of(one, other).placed == call_of(other, one).placed == call_of(one).placed


def plan_of(call: Call) -> CallPlan:
    """The plan of a call whose template and whose rule know the name otherwise."""
    template = Template.model_validate(
        {"greeting": "Hello {name} of {city}.", "variables": {"name": "there", "city": "Pune"}}
    )
    routed = Routed(rule="r", variables=(("city", "Goa"), ("name", "guest")))
    return CallPlan(CALL, "reminder", template, caller=HUMAN, routed=routed, placed=call.placed)


def test_its_variables_go_over_the_rules_and_the_templates() -> None:
    """In texts and for the dialogue, which is given those, too, that the template does not know;
    what is known of every call stands."""
    plan = plan_of(call_of(placed()))
    assert plan.opening() == ("", "Hello Asha of Goa.")
    assert plan_of(call_of(answered())).opening()[1] == "Hello guest of Goa."
    assert plan.variables()["caller"] == HUMAN
