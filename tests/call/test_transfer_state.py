"""Where a transfer stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from exobridge.call import events as s
from exobridge.call.events import CallEvent, EndedBy
from exobridge.call.transfer_state import TransferState, TransferStatus
from tests.call.told import (
    AGENT,
    CALL,
    HANDED_ON,
    OTHER,
    after_connect,
    answered,
    asked,
    at,
    call_of,
    details,
    dialled,
    ended,
    leg,
    lost,
    report,
    started,
    status,
    transfer,
)

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference" / "state.md"
PENDING, DIALLING = TransferStatus.PENDING, TransferStatus.DIALLING
ANSWERED, FAILED = TransferStatus.ANSWERED, TransferStatus.FAILED
CANCELED, UNKNOWN = TransferStatus.CANCELED, TransferStatus.UNKNOWN


def transfer_in(*events: CallEvent) -> TransferState:
    """The transfer of the call that these make."""
    found = call_of(*events).transfer
    assert found is not None
    return found


def test_without_one_there_is_none() -> None:
    """Whatever else Exotel tells of its dialling."""
    told = [answered(), started(), ended(), dialled("Answered"), status()]
    assert call_of(*told).transfer is None


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        # Not told whom to dial yet.
        ([], PENDING),
        ([after_connect(call_type="call-attempt")], PENDING),
        ([details("in-progress")], PENDING),
        ([status("in-progress")], PENDING),
        # A human is dialled.
        ([asked()], DIALLING),
        ([dialled("Dial")], DIALLING),
        ([dialled("Ringing")], DIALLING),
        ([dialled("Terminal")], DIALLING),
        ([asked(), asked(2, 7, (OTHER,))], DIALLING),
        ([asked(), after_connect(7, dial_status="busy"), asked(2, 8)], DIALLING),
        ([asked(), after_connect(7, dial_status="busy"), asked(2, 7)], DIALLING),
        # A human took the call.
        ([dialled("Answered")], ANSWERED),
        ([dialled("answered")], ANSWERED),
        ([asked(), after_connect(dial_status="completed")], ANSWERED),
        ([after_connect(call_type="completed")], ANSWERED),
        ([after_connect(legs=[leg(0), leg(31)])], ANSWERED),
        ([after_connect(dial_status="completed", call_type="incomplete")], ANSWERED),
        ([dialled("Answered"), after_connect(call_type="client-hangup")], ANSWERED),
        ([dialled("Answered"), after_connect(9, dial_status="no-answer")], ANSWERED),
        ([asked(), details(conversation_seconds=31)], ANSWERED),
        ([asked(), status(legs=[leg(42), leg(31)])], ANSWERED),
        ([details("in-progress", conversation_seconds=31)], ANSWERED),
        ([asked(), status(direction="outgoing", legs=[leg(42), leg(31)])], ANSWERED),
        # Nobody did.
        ([asked(), after_connect(dial_status="busy")], FAILED),
        ([asked(), after_connect(dial_status="no-answer")], FAILED),
        ([asked(), after_connect(dial_status="failed")], FAILED),
        ([asked(), after_connect(dial_status="canceled")], FAILED),
        ([after_connect(call_type="incomplete")], FAILED),
        ([after_connect(call_type="voicemail")], FAILED),
        ([after_connect(legs=[leg(0), leg(0)])], FAILED),
        ([asked(), asked(2, 7, ())], FAILED),
        ([asked(1, 6, ())], FAILED),
        ([asked(), after_connect(dial_status="busy"), details(conversation_seconds=9)], FAILED),
        ([asked(), details(conversation_seconds=0)], FAILED),
        ([asked(), details(direction="outgoing", conversation_seconds=0)], FAILED),
        ([asked(), status(legs=[leg(42), leg(0)])], FAILED),
        ([asked(), started("s2", 9)], FAILED),
        ([started("s2", 9), after_connect(10, call_type="client-hangup")], FAILED),
        # The caller left.
        ([asked(), after_connect(call_type="client-hangup")], CANCELED),
        # Over, and nobody tells.
        ([status()], UNKNOWN),
        ([asked(), details()], UNKNOWN),
        ([asked(), details(direction="outgoing", conversation_seconds=31)], UNKNOWN),
        ([asked(), status(legs=[leg(42)])], UNKNOWN),
        ([asked(), after_connect(legs=[leg(None)]), status("failed")], UNKNOWN),
    ],
)
def test_each_line_of_the_table(events: Sequence[CallEvent], wanted: TransferStatus) -> None:
    """From what is known of the dialling, in whatever order it came."""
    assert transfer_in(*HANDED_ON, *events).status is wanted
    assert transfer_in(*reversed(events), *HANDED_ON).status is wanted


@pytest.mark.parametrize("by", EndedBy)
def test_it_is_pending_unless_the_caller_ended_the_stream(by: EndedBy) -> None:
    """A line that broke may have been left by the caller, or by Exotel's flow that went on."""
    wanted = CANCELED if by is EndedBy.CALLER else PENDING
    assert transfer_in(started(), transfer(), ended(by=by)).status is wanted
    told = transfer_in(started(), transfer(), ended(by=EndedBy.NETWORK), report(by=by))
    assert told.status is wanted


def test_it_is_pending_before_the_end_of_its_stream_is_kept() -> None:
    """Exotel asks whom to dial as soon as the socket is closed, maybe another process."""
    assert transfer_in(started(), transfer()).status is PENDING
    assert transfer_in(started(), transfer(), lost()).status is PENDING
    assert transfer_in(started(), transfer()).is_open
    assert transfer_in(started(), transfer(), asked()).is_open
    assert not transfer_in(*HANDED_ON, status()).is_open


def test_another_stream_that_began_before_it_is_none_that_came_back() -> None:
    """A retried handshake leaves a dead stream beside the one that talks."""
    retried = [started("s0", 0), started(), transfer(), ended(by=EndedBy.BOT)]
    assert transfer_in(*retried, ended("s0", 9, EndedBy.NETWORK)).status is PENDING


def test_what_was_told_before_it_says_nothing_of_it() -> None:
    """Of the second transfer of a call only what came since counts."""
    first = [*HANDED_ON, asked(), after_connect(7, dial_status="busy"), started("s2", 9)]
    second = [transfer("s2", 12), ended("s2", 13, EndedBy.BOT)]
    found = transfer_in(*first, *second)
    assert (found.status, found.stream_sid, found.attempts) == (PENDING, "s2", 0)
    found = transfer_in(*first, *second, asked(3, 14, (OTHER,)))  # late, of the first
    assert found.status is PENDING
    talked = [*HANDED_ON, dialled("Answered"), started("s2", 9)]
    assert transfer_in(*talked, *second).status is PENDING
    found = transfer_in(*first, *second, asked(1, 14, (OTHER,), "s2"))
    assert (found.status, found.attempts, found.number) == (DIALLING, 1, OTHER)


def test_a_passthru_may_tell_of_the_dialling_before() -> None:
    """Its parameters stay with the call: only after somebody was dialled anew are they of that."""
    first = [*HANDED_ON, asked(), after_connect(7, dial_status="busy"), started("s2", 9)]
    second = [transfer("s2", 12), ended("s2", 13, EndedBy.BOT)]
    still = after_connect(14, dial_status="busy", digits="1")
    assert transfer_in(*first, *second, still).status is PENDING
    anew = asked(1, 15, (OTHER,), "s2")
    assert transfer_in(*first, *second, still, anew).status is DIALLING
    missed = after_connect(16, dial_status="no-answer")
    assert transfer_in(*first, *second, still, anew, missed).status is FAILED
    ringing = dialled("Ringing", 15)
    assert transfer_in(*first, *second, still, ringing, missed).status is FAILED
    # It is known of the first transfer only that it was asked for.
    first = [*HANDED_ON, started("s2", 9)]
    assert transfer_in(*first, *second, still).status is PENDING
    taken = after_connect(7, dial_status="completed")
    again = after_connect(14, dial_status="completed", digits="1")
    before = [started(), ended(by=EndedBy.BOT), taken, started("s2", 9)]
    assert transfer_in(*before, *second, again).status is PENDING


def test_nobody_asked_for_says_nothing() -> None:
    """A Connect applet that asks while no transfer is pending is told nobody."""
    none = s.dial_asked(CALL, at(6), transfer="", attempt=1, numbers=[], contract="text")
    assert transfer_in(*HANDED_ON, none).status is PENDING


def test_of_two_in_one_stream_the_later_counts() -> None:
    """The dialogue changed its mind before the stream ended."""
    other = s.transfer_requested(CALL, at(3), stream_sid="s1", utterance="u0", target="billing")
    for events in ([transfer(), other], [other, transfer()]):
        found = transfer_in(started(), *events)
        assert (found.target, found.key) == ("sales", transfer().key)
        assert (found.stream_sid, found.asked_at) == ("s1", at(4))


def test_it_tells_who_was_dialled_and_how_often() -> None:
    """Who took the call, else who was dialled last."""
    found = transfer_in(*HANDED_ON)
    assert (found.attempts, found.number, found.seen_at) == (0, "", None)
    found = transfer_in(*HANDED_ON, asked(), asked(2, 8, (OTHER, AGENT)))
    assert (found.attempts, found.number, found.seen_at) == (2, OTHER, at(8))
    found = transfer_in(*HANDED_ON, asked(), dialled("Answered"), dialled("Dial", 9, OTHER))
    assert (found.attempts, found.number, found.seen_at) == (1, AGENT, at(9))
    found = transfer_in(*HANDED_ON, after_connect(legs=[leg(0, OTHER), leg(9)]))
    assert (found.attempts, found.number) == (1, AGENT)
    found = transfer_in(*HANDED_ON, after_connect(dial_status="busy", dial_whom=OTHER))
    assert (found.attempts, found.number) == (1, OTHER)
    national = after_connect(legs=[leg(9, "09811100022")])
    assert transfer_in(*HANDED_ON, national).number == OTHER
    assert transfer_in(*HANDED_ON, after_connect(legs=[leg(9, "Asha")])).number == "Asha"
    assert transfer_in(*HANDED_ON, asked(1, 6, ()), details()).attempts == 0
    assert transfer_in(*HANDED_ON, details(minute=30)).seen_at is None


def test_the_reference_names_each_status() -> None:
    """The page's table has one line for each, and no other line."""
    _, _, after = REFERENCE.read_text(encoding="utf-8").partition("## Transfers\n")
    rows = re.findall(r"^\| `([^`]+)` \|", after.partition("\n## ")[0], re.MULTILINE)
    assert sorted(rows) == sorted(TransferStatus)
