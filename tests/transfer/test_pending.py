"""Whether a transfer is pending: what ends one, and when it has expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call import events
from exobridge.call.events import CallEvent, EndedBy
from exobridge.templates.transfer import TransferTable
from exobridge.transfer.pending import Asked, Nobody, Pending, pending, read_asked
from tests.transfer.facts import (
    ASHA,
    FIRST,
    RAVI,
    at,
    dialled,
    handed_over,
    passed_through,
    talked,
)

TABLE = TransferTable(expires_seconds=120, ring_seconds=30)


def look(known: Sequence[CallEvent], seconds: float) -> Pending | Nobody:
    """What is pending so long after the call began."""
    return pending(known, at(seconds), TABLE)


def test_a_transfer_is_pending_from_when_it_was_asked_for() -> None:
    """With its target and its summary."""
    found = look(talked(target="support", summary="Wants a refund."), 65)
    assert found == Pending(FIRST, "support", "Wants a refund.", at(60))


def test_a_call_without_one_has_none() -> None:
    """Nothing is known of it, or the bot said goodbye."""
    assert look([], 65) is Nobody.NO_TRANSFER
    assert look(talked()[:2], 65) is Nobody.NO_TRANSFER


def test_it_expires() -> None:
    """To the second, when nobody has asked whom to dial."""
    assert isinstance(look(talked(), 180), Pending)
    assert look(talked(), 180.1) is Nobody.EXPIRED


def test_what_has_expired_stays_so() -> None:
    """That it was told so does not begin another wait, whatever the clock says now."""
    told = events.dial_asked(
        "c", at(181), transfer=FIRST, attempt=1, numbers=(), contract="json", reason="expired"
    )
    assert look([*talked(), told], 182) is Nobody.EXPIRED


def test_while_phones_ring_it_does_not_expire() -> None:
    """Once Exotel dials, each number may ring for its time, and the wait begins anew."""
    known = [*talked(), dialled(1, 100, ASHA, RAVI)]
    assert isinstance(look(known, 100 + 120 + 60), Pending)
    assert look(known, 100 + 120 + 60.1) is Nobody.EXPIRED


ENDINGS: list[tuple[CallEvent, Nobody]] = [
    (events.stream_started("c", at(90), stream_sid="t"), Nobody.RESUMED),
    (
        events.status("c", at(90), status="completed", event_type="terminal", data={}),
        Nobody.OVER,
    ),
    (events.status("c", at(90), status="completed", event_type="", data={}), Nobody.OVER),
    (events.details("c", at(90), status="completed", data={}), Nobody.OVER),
    (
        events.dial("c", at(90), event_type="Answered", number=ASHA, status="busy"),
        Nobody.ANSWERED,
    ),
    (passed_through(90, "completed"), Nobody.ANSWERED),
    (passed_through(90, "no-answer", "client-hangup"), Nobody.OVER),
    (passed_through(90, "", "client-hangup"), Nobody.OVER),
]


@pytest.mark.parametrize(("ending", "reason"), ENDINGS)
def test_it_is_over_when_somebody_has_the_caller_or_nobody(
    ending: CallEvent, reason: Nobody
) -> None:
    """The bot, a human, or the caller who hung up while it rang."""
    assert look([*talked(), dialled(1, 65, ASHA), ending], 95) is reason


def test_what_happened_first_ends_it() -> None:
    """Whatever the order in which it became known."""
    over = events.status("c", at(95), status="completed", event_type="", data={})
    back = events.stream_started("c", at(90), stream_sid="t")
    assert look([*talked(), over, back], 100) is Nobody.RESUMED
    assert look([*talked(), back, replace(over, at=at(85))], 100) is Nobody.OVER


GOES_ON: list[CallEvent] = [
    events.status("c", at(90), status="completed", event_type="answered", data={}),
    events.status("c", at(90), status="in-progress", event_type="", data={}),
    events.details("c", at(90), status="in-progress", data={}),
    events.dial("c", at(90), event_type="Dial", number=ASHA, status="busy"),
    events.dial("c", at(90), event_type="Ringing", number=ASHA, status="busy"),
    events.dial("c", at(90), event_type="Terminal", number=ASHA, status="free"),
    events.stream_ended("c", at(90), stream_sid="s", ended_by=EndedBy.NETWORK),
    passed_through(90, "busy"),
    passed_through(90, ""),
    passed_through(90, "no-answer", "incomplete"),
    passed_through(90, "", "call-attempt"),
]


@pytest.mark.parametrize("event", GOES_ON)
def test_it_is_pending_while_the_phone_rings(event: CallEvent) -> None:
    """Whatever subset of events comes, and in whatever order."""
    assert isinstance(look([*talked(), dialled(1, 65, ASHA), event], 95), Pending)


def test_what_was_told_of_an_earlier_transfer_does_not_end_a_later_one() -> None:
    """The first one was answered; the caller came back to the bot, and is handed over again."""
    back = events.stream_started("c", at(300), stream_sid="t")
    again = handed_over(330, stream_sid="t", target=RAVI)
    known = [
        *talked(),
        dialled(1, 65, ASHA),
        events.dial("c", at(70), event_type="Answered", number=ASHA, status="busy"),
        passed_through(290, "completed"),
        back,
        again,
        passed_through(331, "completed"),
    ]
    found = look(known, 332)
    assert found == Pending(again.key, RAVI, "", at(330), another=True)
    assert look(known[:-2], 332) is Nobody.ANSWERED


def test_its_attempts_are_in_order() -> None:
    """However the record came by them; another transfer's are not among them."""
    known = [*talked(), dialled(2, 90, RAVI), dialled(1, 65, ASHA), dialled(1, 64, transfer="")]
    found = look(known, 95)
    assert isinstance(found, Pending)
    assert [(each.attempt, each.numbers) for each in found.asked] == [(1, (ASHA,)), (2, (RAVI,))]
    assert not found.another


def test_an_answer_is_read_as_it_was_given() -> None:
    """All that was told, and when."""
    given = events.dial_asked(
        "c",
        at(90),
        transfer=FIRST,
        attempt=2,
        numbers=(ASHA, RAVI),
        contract="json",
        again=True,
        parallel=2,
    )
    assert read_asked(given) == Asked(2, (ASHA, RAVI), at(90), again=True, parallel=2, reason="")
    assert not read_asked(dialled(1, 90, ASHA)).again


@pytest.mark.parametrize(
    "data", [{}, {"attempt": "2", "numbers": ASHA, "again": "yes", "parallel": "2", "reason": 1}]
)
def test_an_answer_that_tells_nothing_is_the_first_to_nobody(data: dict[str, Any]) -> None:
    """As what an older release wrote may be."""
    event = replace(dialled(1, 90, ASHA), data=data)
    assert read_asked(event) == Asked(1, (), at(90), again=False, parallel=0, reason="")


EVENTS = [*talked(), dialled(1, 65, ASHA), dialled(2, 90, RAVI), *GOES_ON, *(e for e, _ in ENDINGS)]


@given(st.lists(st.sampled_from(EVENTS)), st.integers(55, 250))
def test_any_order_of_facts_has_an_answer(known: list[CallEvent], seconds: int) -> None:
    """Late, missing and repeated ones too, and the order in which they came does not matter."""
    assert look(known, seconds) == look(sorted(known, key=lambda event: event.key), seconds)
