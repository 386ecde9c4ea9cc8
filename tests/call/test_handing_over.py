"""The bot hands its caller to a human, or cannot; in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exobridge.call.events import CallEvent, EndedBy, EventKind
from exobridge.call.handing_over import refusal
from exobridge.call.transfer_state import TransferStatus
from exobridge.store import StoreUnavailableError
from exobridge.templates import Template
from exobridge.templates.transfer import TransferTable
from tests.server import SHORT
from tests.virtual_call import EPOCH, Caller, Keeping, Ran, Sound, kept_at_once, run

FAKES = "exobridge_providers.testing.fakes"
NIGHT = {"numbers": ["+918047112299"], "hours": {"mon": ["09:00-18:00"]}}
"""Nobody is there on the Thursday on which the calls of this module are held."""
DAY = {"numbers": ["+918047112298"]}
TARGETS = {"targets": {"night": NIGHT, "day": DAY}}
HOLD, CLOSED, GREETING = "Please hold the line.", "Nobody is there.", "Hello."
SAYS = Sound(1500, 300)


def call(
    *answers: list[dict[str, Any]],
    caller: Caller | None = None,
    transfer: dict[str, Any] | None = None,
    keeping: Keeping = kept_at_once,
    **tables: Any,
) -> Ran:
    """The dialogue answers the caller's turns so, one after the other."""
    template: dict[str, Any] = {
        "greeting": GREETING,
        "stt": {"provider": f"{FAKES}:FakeStt", "options": {"script": ["one", "two"]}},
        "tts": {"provider": f"{FAKES}:FakeTts", "options": {"ms_per_char": 50}},
        "vad": {"provider": f"{FAKES}:FakeVad"},
        "dialogue": {"provider": f"{FAKES}:FakeDialogue", "options": {"script": answers}},
        "texts": {"transfer": HOLD, "transfer_closed": CLOSED},
        "transfer": TARGETS if transfer is None else transfer,
        **tables,
    }
    ran = run(
        Template.model_validate(template),
        caller or Caller((SAYS,), hangs_up_ms=20_000),
        replace(SHORT, transfer=4.0),
        keeping=keeping,
    )
    assert ran.unhandled == []
    assert ran.tasks == []
    return ran


def targets(ran: Ran) -> list[Any]:
    """Where the caller was handed to, as the record has it."""
    return [each.data["target"] for each in ran.events if each.kind is EventKind.TRANSFER_REQUESTED]


def handed_over(ran: Ran) -> bool:
    """The line was left to Exotel's flow."""
    return (ran.code, ran.call.end_reason) == (1000, "transfer")


def test_a_dialogue_without_words_has_ours_said() -> None:
    """To its end; then the line is left, and the request is on record before that."""
    ran = call([{"target": "day", "summary": "wants two"}])
    assert handed_over(ran)
    assert ran.said == [GREETING, "one", HOLD]
    assert ran.turns[-1].heard_ms == len(HOLD) * 50
    kinds = [event.kind for event in ran.events]
    assert kinds[-2:] == [EventKind.TRANSFER_REQUESTED, EventKind.STREAM_ENDED]
    assert ran.call.transfer is not None
    assert ran.call.transfer.status is TransferStatus.PENDING
    line_s = len(HOLD) * 0.05
    asked, end = ran.events[-2].at, ran.events[-1].at
    assert (end - asked).total_seconds() >= line_s  # it is kept while the line is played


def test_a_dialogues_own_words_stand_for_ours() -> None:
    """Where it says something, that is enough; where the template has no words, none are said."""
    assert call([{"text": "One moment."}, {"target": "day"}]).said[2:] == ["One moment."]
    ran = call([{"target": "day"}], texts={"transfer": ""})
    assert handed_over(ran)
    assert ran.said == [GREETING, "one"]


def test_asked_for_twice_in_one_answer_it_is_done_once() -> None:
    """A transfer ends the answer."""
    ran = call([{"target": "day"}, {"target": "night"}, {"text": "Not heard."}])
    assert handed_over(ran)
    assert targets(ran) == ["day"]
    assert ran.said[2:] == [HOLD]


def test_nobody_interrupts_the_line() -> None:
    """What the caller says into it is not listened to, while the request is being kept either."""

    async def slowly(event: CallEvent) -> None:
        del event
        await asyncio.sleep(3)

    over = Caller((SAYS, Sound(2600, 1500)), hangs_up_ms=20_000)
    ran = call([{"target": "day"}], caller=over, keeping=slowly)
    assert handed_over(ran)
    assert ran.said == [GREETING, "one", HOLD]
    assert not ran.turns[-1].interrupted


def test_a_caller_who_hangs_up_into_the_line_is_not_transferred() -> None:
    """The request is known, and nobody is to be dialled."""
    ran = call([{"target": "day"}], caller=Caller((SAYS,), hangs_up_ms=2900))
    assert ran.call.ended_by is EndedBy.CALLER
    assert targets(ran) == ["day"]
    assert ran.call.transfer is not None
    assert not ran.call.transfer.is_open
    assert HOLD.startswith(ran.said[-1])
    assert len(ran.said[-1]) < len(HOLD)


def test_a_request_that_cannot_be_kept_is_made_all_the_same() -> None:
    """The flow's applet may have numbers of its own; the log says so."""

    async def refuse(event: CallEvent) -> None:
        del event
        raise StoreUnavailableError("the disk is full")

    ran = call([{"target": "day"}], keeping=refuse)
    assert handed_over(ran)
    (entry,) = ran.entries("transfer not recorded")
    assert (entry["log_level"], entry["error"]) == ("error", "the disk is full")


@pytest.mark.parametrize("how", ["fail", "crash", "hang"])
def test_without_a_voice_for_the_line_the_caller_is_handed_over_all_the_same(how: str) -> None:
    """The human matters more, and the wait for the voice has its limits."""
    broken = {"provider": "tests.broken:BrokenTts", "options": {"at": "session.say", "how": how}}
    ran = call([{"target": "day"}], tts=broken)
    assert handed_over(ran)
    assert targets(ran) == ["day"]
    assert ran.said[:2] == [GREETING, "one"]


# ------------------------------------------------------------------ nobody can be had


def test_a_dialogue_is_told_that_nobody_can_be_had_and_goes_on() -> None:
    """In the same answer, and the call goes on."""
    told = [{"text": "They come at nine."}, {"text": "Shall I take a message?"}]
    ran = call(
        [{"text": "One moment."}, {"target": "night"}],
        told,
        caller=Caller((SAYS, Sound(9000, 300)), hangs_up_ms=14_000),
    )
    assert ran.said == [
        GREETING,
        "one",
        "One moment. They come at nine. Shall I take a message?",
        "two",
        "You said: two",
    ]
    assert targets(ran) == []
    assert ran.call.ended_by is EndedBy.CALLER
    assert [entry["reason"] for entry in ran.entries("transfer refused")] == ["closed"]


def test_a_dialogue_that_says_nothing_then_has_our_line_said() -> None:
    """The call does not fall silent."""
    ran = call([{"target": "night"}], [], caller=Caller((SAYS,), hangs_up_ms=8000))
    assert ran.said == [GREETING, "one", CLOSED]
    assert ran.call.ended_by is EndedBy.CALLER


def test_a_dialogue_may_name_another_target_then() -> None:
    """Once: if nobody can be had there either, we say so."""
    ran = call([{"target": "night"}], [{"text": "My colleague, then."}, {"target": "day"}])
    assert handed_over(ran)
    assert targets(ran) == ["day"]
    assert ran.said[2:] == ["My colleague, then."]
    ran = call(
        [{"target": "night"}],
        [{"text": "My colleague, then."}, {"target": "nobody"}],
        caller=Caller((SAYS,), hangs_up_ms=8000),
    )
    assert ran.said[2:] == [f"My colleague, then. {CLOSED}"]
    assert targets(ran) == []


def test_a_dialogue_may_hang_up_then() -> None:
    """It has the last word."""
    ran = call([{"target": "night"}], [{"text": "Goodbye."}, {"reason": "closed"}])
    assert (ran.call.ended_by, ran.call.end_reason) == (EndedBy.BOT, "closed")
    assert ran.said[2:] == ["Goodbye."]


NOON = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
"""A Monday, 12:30 in India."""


@pytest.mark.parametrize(
    ("table", "target", "now", "why"),
    [
        (TARGETS, "day", EPOCH, None),
        (TARGETS, "night", EPOCH, "closed"),
        (TARGETS, "night", NOON, None),
        (TARGETS, "nobody", EPOCH, "unknown"),
        (TARGETS, "", EPOCH, "unknown"),
        (TARGETS, "+918047112298", EPOCH, None),
        (TARGETS, "+442071838750", EPOCH, "unknown"),
        ({**TARGETS, "target": "day"}, "", EPOCH, None),
        ({**TARGETS, "target": "night"}, "", EPOCH, "closed"),
        ({}, "", EPOCH, None),
        ({}, "anybody", EPOCH, None),
        ({**TARGETS, "lookup": {"url": "https://crm.example.com/whom"}}, "anybody", EPOCH, None),
    ],
)
def test_who_can_be_had_is_the_templates_word(
    table: dict[str, Any], target: str, now: datetime, why: str | None
) -> None:
    """One that names nobody leaves it to Exotel's flow, one with a look-up to whom that asks."""
    assert refusal(TransferTable.model_validate(table), target, now) == why
