"""An operator steers a call under way: lines, transfers and ends, at any instant; virtual time."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from exobridge.call.events import EndedBy, EventKind, Role
from exobridge.call.orders import HandOver, HangUp, Order, Result, SayLine
from exobridge.call.session import CallSession
from exobridge.templates import Template
from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueProvider,
    DialogueSession,
    Say,
    UserTurn,
)
from tests.call import dialogues
from tests.virtual_call import Caller, Ran, Sound, run

FAKES = "exobridge_providers.testing.fakes"
CALLER = Caller((Sound(2000, 700), Sound(8000, 700), Sound(14_000, 700)), hangs_up_ms=45_000)
LINE, OTHER = "This is what the operator says.", "And this too."
SEED, SWEEP = 20_261_122, int(os.environ.get("STEERED_CALLS", "7"))
LONG = "An answer that is quite long, so that much can happen while it is said."


def template(**tables: Any) -> Template:
    """A bot that answers three turns and greets."""
    return Template.model_validate(
        {
            "greeting": "Hello there.",
            "stt": {
                "provider": f"{FAKES}:FakeStt",
                "options": {"script": ["one", "two", "three"], "on_demand": True, "delay_ms": 80},
            },
            "tts": {"provider": f"{FAKES}:FakeTts", "options": {"ms_per_char": 30}},
            "vad": {"provider": f"{FAKES}:FakeVad"},
            "dialogue": {
                "provider": f"{FAKES}:FakeDialogue",
                "options": {"delay_ms": 300, "script": [[{"text": LONG}]]},
            },
            "turns": {"end_silence_ms": 500},
            "limits": {"idle_seconds": 25},
            **tables,
        }
    )


def eager(name: str) -> Template:
    """One whose dialogue is asked before a turn is certain."""
    dialogue = {"provider": "tests.call.dialogues:EagerDialogue"}
    return template(variables={"name": name}, dialogue=dialogue)


def steered(
    made: Template, *orders: tuple[float, Order], caller: Caller = CALLER
) -> tuple[Ran, list[Result]]:
    """A call, and what came of the orders, each given so many seconds after its beginning."""
    results: list[Result] = []

    def beside(session: CallSession) -> None:
        loop = asyncio.get_running_loop()

        def give(order: Order) -> None:
            results.append(session.obey(order))

        for at, order in orders:
            loop.call_later(at, give, order)

    return run(made, caller, beside=beside), results


def bot_turns(ran: Ran) -> list[str]:
    """What the bot said, in order."""
    return [turn.text for turn in sorted(ran.turns, key=_number) if turn.role is Role.BOT]


def _number(turn: Any) -> int:
    return int(turn.number)


def test_a_line_is_said_as_the_bots_own_once_it_is_its_turn() -> None:
    """While the caller speaks it waits for their turn, and for the answer to it."""
    ran, results = steered(template(), (2.3, SayLine(LINE)))
    assert results == [Result.WAITING]
    assert ran.said[:4] == ["Hello there.", "one", LONG, LINE]
    assert not ran.turns[3].interrupted


def test_in_silence_it_is_said_at_once() -> None:
    """Nobody has the floor."""
    ran, results = steered(template(), (1.5, SayLine(LINE)))
    assert results == [Result.SPEAKING]
    assert ran.said[:2] == ["Hello there.", LINE]


def test_a_line_may_cut_the_bots_words() -> None:
    """What was heard of them is kept, and the line comes next."""
    ran, results = steered(template(), (4.2, SayLine(LINE, interrupt=True)))
    assert results == [Result.SPEAKING]
    assert ran.said[:2] == ["Hello there.", "one"]
    assert ran.turns[2].interrupted
    assert LONG.startswith(ran.turns[2].text[:10])
    assert ran.said[3] == LINE


def test_a_line_in_place_of_an_answer_that_is_being_made_leaves_it_for_later() -> None:
    """The caller's question is answered after it."""
    ran, _ = steered(template(), (3.4, SayLine(LINE, interrupt=True)))
    assert ran.said[:2] == ["Hello there.", "one"]
    assert LINE in ran.said[2:4]
    assert any(text.startswith(("An answer", "You said: one")) for text in ran.said[2:])


def test_the_greeting_and_what_must_be_heard_come_first() -> None:
    """A line before the greeting waits for it, and one that cuts does not cut a notice."""
    made = template(recording={"own": False, "consent": "This call is recorded."})
    orders = (0.15, SayLine(LINE, interrupt=True)), (0.4, SayLine(OTHER))
    ran, results = steered(made, *orders, caller=Caller((), hangs_up_ms=6000))
    assert results == [Result.WAITING, Result.WAITING]
    assert ran.turns[0].text.startswith("This call is recorded.")
    assert ran.said[1:3] == [LINE, OTHER]


def test_the_caller_may_interrupt_an_operators_line() -> None:
    """It is the bot's word like any other, and is kept as far as it was heard."""
    long = " ".join([LINE] * 6)
    ran, _ = steered(
        template(
            stt={
                "provider": f"{FAKES}:FakeStt",
                "options": {"script": ["no, not that"], "on_demand": True},
            }
        ),
        (1.5, SayLine(long)),
    )
    line = next(turn for turn in ran.turns if turn.text.startswith("This is what"))
    assert line.interrupted
    assert len(line.text) < len(long)
    assert "no, not that" in ran.said


def test_the_dialogue_is_told_what_the_operator_said() -> None:
    """With the turn that follows, and until it has answered."""
    made = template(dialogue={"provider": f"{__name__}:EchoDialogue"})
    ran, _ = steered(made, (4.8, SayLine(LINE)), (5.0, SayLine(OTHER)))
    assert f"operator: {LINE} {OTHER}" in ran.said
    assert ran.said[-1] != f"operator: {LINE} {OTHER}"


class EchoDialogue(DialogueProvider):
    """It says what it was told of the operator."""

    async def open(self, context: CallContext) -> DialogueSession:
        """As of a dialogue."""
        del context
        return _Echo()


class _Echo:
    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        yield Say(f"operator: {turn.operator}")

    async def aclose(self) -> None:
        pass


def test_no_more_lines_wait_than_anybody_could_have_meant() -> None:
    """The next one is refused."""
    orders = [(2.3 + number / 1000, SayLine(f"Line {number}.")) for number in range(12)]
    ran, results = steered(template(), *orders)
    assert results == [Result.WAITING] * 10 + [Result.TOO_MANY] * 2
    assert [text for text in bot_turns(ran) if text.startswith("Line")] == [
        f"Line {number}." for number in range(10)
    ]


def test_a_transfer_leaves_the_line_with_the_request_on_record() -> None:
    """The operator's words are said before."""
    order = HandOver("+919811122244", "wants a refund", "One moment.")
    ran, results = steered(template(), (2.4, order))
    assert results == [Result.LEAVING]
    assert ran.said[-1] == "One moment."
    event = next(each for each in ran.events if each.kind is EventKind.TRANSFER_REQUESTED)
    assert (event.data["target"], event.data["summary"]) == ("+919811122244", "wants a refund")
    assert (ran.call.ended_by, ran.call.end_reason) == (EndedBy.BOT, "transfer")
    assert ran.code == 1000


def test_without_words_of_the_operators_the_templates_are_said() -> None:
    """An empty text says nothing at all."""
    texts = {"transfer": "I connect you.", "goodbye": "Bye now."}
    orders: dict[str, Order] = {
        "transfer": HandOver(),
        "mute-transfer": HandOver(text=""),
        "hangup": HangUp(),
        "mute-hangup": HangUp(""),
        "hangup-with-braces": HangUp("Call {me} later."),
    }
    made = template(texts=texts)
    said = {kind: steered(made, (1.6, order))[0].said[1:] for kind, order in orders.items()}
    assert said == {
        "transfer": ["I connect you."],
        "mute-transfer": [],
        "hangup": ["Bye now."],
        "mute-hangup": [],
        "hangup-with-braces": ["Call {me} later."],
    }


def test_a_hang_up_is_the_operators() -> None:
    """The record says so, and later orders find the call in its last words."""
    ran, results = steered(
        template(), (4.2, HangUp("Goodbye from us.")), (4.3, SayLine(LINE)), (4.3, HandOver())
    )
    assert results == [Result.LEAVING, Result.CLOSING, Result.CLOSING]
    assert (ran.call.ended_by, ran.call.end_reason) == (EndedBy.BOT, "operator")
    assert ran.said[-1] == "Goodbye from us."


def test_last_words_are_heard_as_they_are_made() -> None:
    """However long they are: nobody waits until the last of them is there."""
    hum = {"ms_per_char": 30, "pace": 0.2}
    made = template(tts={"provider": f"{FAKES}:FakeTts", "options": hum})
    words = "We have looked into it. " * 20
    ran, results = steered(made, (1.6, HangUp(words)))
    assert results == [Result.LEAVING]
    assert ran.said[-1] == words
    assert (ran.call.end_reason, ran.seconds > 1.6 + len(words) * 0.03) == ("operator", True)


def test_a_target_that_nobody_knows_changes_nothing() -> None:
    """The call goes on."""
    targets = {"sales": {"numbers": ["+919811122244"]}}
    made = template(transfer={"target": "sales", "targets": targets, "allow_numbers": "listed"})
    ran, results = steered(made, (1.5, HandOver("support")), (1.6, HandOver("+919811122299")))
    assert results == [Result.UNKNOWN_TARGET] * 2
    assert not ran.count(EventKind.TRANSFER_REQUESTED)
    assert ran.call.ended_by is EndedBy.CALLER


def test_a_speech_to_speech_session_is_led_away_and_ended() -> None:
    """It cannot be made to say something."""
    made = template(dialogue={"provider": f"{FAKES}:FakeRealtime"})
    ran, results = steered(made, (1.5, SayLine(LINE)), (1.6, HandOver()), (1.6, HangUp()))
    assert results == [Result.NO_VOICE, Result.LEAVING, Result.CLOSING]
    assert ran.count(EventKind.TRANSFER_REQUESTED) == 1
    assert steered(made, (1.5, HangUp()))[0].call.end_reason == "operator"


def test_before_a_line_is_open_nothing_can_be_done() -> None:
    """The operator is told so."""
    _, results = steered(template(), (0.0, HangUp()))
    assert results == [Result.NOT_OPEN]


def _sweep(count: int, low: float, high: float) -> Sequence[float]:
    """Instants, one in each part of the call."""
    chosen, step = random.Random(SEED), (high - low) / count
    return [round(low + (part + chosen.random()) * step, 3) for part in range(count)]


@pytest.mark.parametrize("interrupt", [False, True])
@pytest.mark.parametrize("speculative", [False, True])
def test_at_whatever_instant_no_line_is_lost_and_no_call_hangs(
    interrupt: bool, speculative: bool
) -> None:
    """Each is said once, every turn of the caller's answered, and the call goes on to its end."""
    for index, at in enumerate(_sweep(SWEEP, 0.3, 17.0)):
        name = f"sweep-{interrupt}-{index}"
        made = eager(name) if speculative else template()
        gap = 0.05 + (index % 7) * 0.2
        orders = (at, SayLine(LINE, interrupt)), (at + gap, SayLine(OTHER))
        ran, results = steered(made, *orders)
        assert all(result.done for result in results), at
        said = bot_turns(ran)
        assert [said.count(LINE), said.count(OTHER)] == [1, 1], (at, said)
        assert said.index(LINE) < said.index(OTHER)
        caller = [turn.text for turn in ran.turns if turn.role is Role.CALLER]
        assert caller == ["one", "two", "three"], (at, ran.said)
        assert ran.call.ended_by is EndedBy.CALLER, at
        assert not ran.unhandled
        assert not ran.tasks
        if speculative:
            assert dialogues.acted[name][-1] == "three", (at, ran.said)


@pytest.mark.parametrize(
    "order", [HandOver("+919811122244", "", "Wait."), HandOver(), HangUp("Bye."), HangUp()]
)
def test_at_whatever_instant_a_call_is_led_away(order: Order) -> None:
    """It ends as the operator wanted, soon, and asks once."""
    for at in _sweep(SWEEP, 0.15, 17.0):
        ran, results = steered(template(), (at, order))
        assert results == [Result.LEAVING], at
        reason = "operator" if isinstance(order, HangUp) else "transfer"
        assert (ran.call.ended_by, ran.call.end_reason) == (EndedBy.BOT, reason), at
        assert ran.seconds < at + 6, (at, ran.seconds)
        assert ran.count(EventKind.TRANSFER_REQUESTED) == (reason == "transfer"), at
        assert not ran.unhandled
