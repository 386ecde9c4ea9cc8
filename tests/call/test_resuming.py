"""Why a call comes back, and what it knows then; all of it from its events and turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exobridge.call import events
from exobridge.call.events import CallEvent, EndedBy, Role, Turn
from exobridge.call.machine_watch import is_watched
from exobridge.call.plan import NOBODY_FREE, CallPlan, going_on
from exobridge.call.resuming import HISTORY_LINES, resumption, said_before
from exobridge.call.state import Call, replay
from exobridge.templates import Template
from exobridge_providers.base import Resumption, Said
from tests.virtual_call import Caller, Sound, run

START = datetime(2026, 1, 1, tzinfo=UTC)
CALLER, BOT, SERVER, NETWORK = EndedBy.CALLER, EndedBy.BOT, EndedBy.SERVER, EndedBy.NETWORK
PEOPLE = {"sales": {"numbers": ["+918047112299"]}}


def at(seconds: float) -> datetime:
    """So long after the first stream began."""
    return START + timedelta(seconds=seconds)


def began(sid: str, seconds: float) -> CallEvent:
    """A stream began."""
    return events.stream_started("c", at(seconds), stream_sid=sid)


def ended(sid: str, seconds: float, by: EndedBy, reason: str = "") -> CallEvent:
    """A stream ended."""
    return events.stream_ended("c", at(seconds), stream_sid=sid, ended_by=by, reason=reason)


def handed_over(sid: str, seconds: float) -> CallEvent:
    """The bot handed the caller to sales."""
    return events.transfer_requested(
        "c", at(seconds), stream_sid=sid, utterance="turn-3", target="sales"
    )


def dialled(sid: str, seconds: float, attempt: int, *numbers: str) -> CallEvent:
    """A Connect applet asked whom to dial."""
    key = handed_over(sid, 0).key
    return events.dial_asked(
        "c", at(seconds), transfer=key, attempt=attempt, numbers=numbers, contract="json"
    )


def answered(seconds: float) -> CallEvent:
    """A human took the call."""
    return events.dial(
        "c", at(seconds), event_type="Answered", number="+918047112299", status="busy"
    )


def known(*told: CallEvent) -> Call | None:
    """What the record makes of it."""
    return replay(told)


FIRST = began("s1", 0)
ASKED = (FIRST, handed_over("s1", 5), ended("s1", 8, BOT, "transfer"))
FAILED = Resumption("transfer-failed", "sales", 0)

BEFORE: dict[str, tuple[list[CallEvent], Resumption | None]] = {
    "nothing is known": ([], None),
    "it is the first stream": ([began("s2", 0)], None),
    "the bot hung up": ([FIRST, ended("s1", 8, BOT, "bye")], None),
    "it was too long": ([FIRST, ended("s1", 8, SERVER, "maximum length")], None),
    "the line broke": ([FIRST, ended("s1", 8, NETWORK, "closed with 1006")], Resumption("dropped")),
    "the first stream is open still": ([FIRST], Resumption("dropped")),
    "its worker died": (
        [FIRST, events.stream_lost("c", at(9), stream_sid="s1")],
        Resumption("dropped"),
    ),
    "the server failed": ([FIRST, ended("s1", 8, SERVER, "tts failed")], Resumption("dropped")),
    "Exotel stopped the stream, and the caller is there": (
        [FIRST, ended("s1", 8, CALLER, "stopped")],
        Resumption("dropped"),
    ),
    "nobody was dialled": ([*ASKED], FAILED),
    "nobody took the call": (
        [*ASKED, dialled("s1", 9, 1, "+918047112299"), dialled("s1", 40, 2)],
        Resumption("transfer-failed", "sales", 1),
    ),
    "a human took the call": (
        [*ASKED, dialled("s1", 9, 1, "+918047112299"), answered(15)],
        Resumption("after-transfer", "sales", 1),
    ),
    "the line broke before it was left, and nobody was dialled": (
        [FIRST, handed_over("s1", 5), ended("s1", 6, NETWORK, "closed with 1006")],
        Resumption("dropped"),
    ),
    "the stream after a transfer broke": (
        [*ASKED, answered(15), began("s1b", 60), ended("s1b", 70, NETWORK)],
        Resumption("dropped"),
    ),
}


@pytest.mark.parametrize("case", BEFORE)
@pytest.mark.parametrize("has_begun", [False, True])
def test_a_call_knows_why_it_comes_back(case: str, has_begun: bool) -> None:
    """By the stream before, whether or not the record has this one yet."""
    told, why = BEFORE[case]
    own = [began("s2", 100)] if has_begun else []
    assert resumption(known(*told, *own), "s2") == why


def turn(number: int, role: Role, text: str, sid: str = "s1", language: str = "") -> Turn:
    """What one side said."""
    return Turn("c", sid, number, role, text, 0, 1000, language=language)


def test_what_was_said_is_told_as_it_was_heard() -> None:
    """The latest lines of all streams; a turn of which nothing was heard is none."""
    turns = [
        turn(1, Role.BOT, "Hello."),
        turn(2, Role.CALLER, "a human please"),
        turn(3, Role.BOT, ""),
        turn(1, Role.BOT, "Nobody is free.", "s2"),
    ]
    assert said_before(turns) == (
        Said("bot", "Hello."),
        Said("caller", "a human please"),
        Said("bot", "Nobody is free."),
    )
    many = [turn(number, Role.CALLER, str(number)) for number in range(1000)]
    assert said_before(many)[-1] == Said("caller", "999")
    assert len(said_before(many)) == HISTORY_LINES


def planned(told: list[CallEvent], turns: list[Turn], **tables: Any) -> CallPlan:
    """The plan of the second stream."""
    plan = CallPlan("c", "shop", Template.model_validate(tables))
    call = known(*told)
    assert call is not None
    return going_on(plan, call, turns, "s2")


def test_the_first_line_says_why_the_call_goes_on() -> None:
    """In place of the greeting, which the caller has heard."""
    texts = {"transfer_failed": "Nobody.", "resumed": "Cut off.", "welcome_back": "Back, {called}."}
    lines = {
        "nobody took the call": "Nobody.",
        "the line broke": "Cut off.",
        "a human took the call": "Back, .",
        "the bot hung up": "Hello.",
    }
    for case, line in lines.items():
        plan = planned(BEFORE[case][0], [], greeting="Hello.", texts=texts)
        assert plan.opening() == ("", line)


def test_a_call_goes_on_in_the_language_that_was_spoken() -> None:
    """Its own lines, too."""
    turns = [
        turn(1, Role.BOT, "Hello.", language="en-IN"),
        turn(2, Role.CALLER, "हिंदी", language="hi-IN"),
    ]
    plan = planned(BEFORE["the line broke"][0], turns)
    assert plan.first_language == "hi-IN"
    assert plan.opening()[1] == Template.model_validate({"language": "hi-IN"}).texts.resumed


def test_a_template_may_end_a_call_whose_transfer_failed() -> None:
    """With its last words. A call that was cut off goes on all the same."""
    tables = {"transfer": {"when_failed": "say", "targets": PEOPLE}}
    plan = planned(BEFORE["nobody took the call"][0], [], **tables)
    assert (plan.say, plan.refusal) == (Template().texts.nobody_free, NOBODY_FREE)
    for case in ("the line broke", "a human took the call"):
        assert planned(BEFORE[case][0], [], **tables).say is None


FAKES = "exobridge_providers.testing.fakes"


def test_a_call_that_goes_on_hears_and_speaks_the_language_it_had() -> None:
    """From its first line on, by a voice of that language; the dialogue is told, too."""
    template = Template.model_validate(
        {
            "stt": {"provider": f"{FAKES}:FakeStt", "options": {"script": ["हाँ"]}},
            "tts": {"provider": f"{FAKES}:FakeTts", "options": {"ms_per_char": 20}},
            "vad": {"provider": f"{FAKES}:FakeVad"},
            "dialogue": {"provider": f"{FAKES}:FakeDialogue"},
            "limits": {"idle_seconds": 5},
        }
    )

    async def back(plan: CallPlan) -> CallPlan:
        return replace(plan, resumed=Resumption("dropped"), language="hi-IN")

    hindi = template.texts_in("hi-IN")
    ran = run(template, Caller((Sound(4000, 400),), hangs_up_ms=12_000), planned=back)
    assert ran.said == [hindi.resumed, "हाँ", "You said: हाँ", hindi.idle]
    assert {turn.language for turn in ran.turns} == {"hi-IN"}
    assert [entry["why"] for entry in ran.entries("call resumed")] == ["dropped"]


def test_who_comes_back_is_no_answering_machine() -> None:
    """It is not looked for again in a call that was placed."""
    template = Template.model_validate({"voicemail": {"action": "hang_up"}})
    plan = CallPlan("c", "shop", template, direction="outgoing")
    assert is_watched(plan)
    assert not is_watched(replace(plan, resumed=Resumption("dropped")))
