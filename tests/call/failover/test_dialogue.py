"""A dialogue that changes hands in the middle of a call, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest

from exobridge.call.failover.dialogue import DialogueRelay
from exobridge.call.failover.lineup import Lineup
from exobridge.call.resuming import HISTORY_LINES
from exobridge.templates.provider_table import Choice
from exobridge_providers import base
from exobridge_providers.base import Action, CallContext, CollectDigits, Said, Say, UserTurn
from exobridge_providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeDialogue, FakeDialogueSession
from tests.call.failover.house import House, first, house, second
from tests.virtual_time import virtual_time

DIALOGUE = Kind.DIALOGUE
ONE = UserTurn("one", heard="Hello.")
TWO = UserTurn("two", heard="You said: one")


@dataclass
class Call:
    """A caller before a relay."""

    house: House
    choices: tuple[Choice, ...]
    context: CallContext

    def __post_init__(self) -> None:
        means = self.house.means
        lineup = Lineup(DIALOGUE, base.DialogueProvider, self.choices, means, "en-IN")
        self.relay = DialogueRelay(lineup, means, lambda: self.context)

    async def answer(self, turn: UserTurn) -> list[Action]:
        """All that a turn is answered."""
        return [action async for action in self.relay.respond(turn)]

    async def sessions(self, index: int = 0) -> list[FakeDialogueSession]:
        """Those of one of the providers."""
        return (await self.house.provider(DIALOGUE, self.choices[index], FakeDialogue)).sessions


@asynccontextmanager
async def call(*choices: Choice, **context: Any) -> AsyncGenerator[Call]:
    """A call whose dialogue is open."""
    async with house() as around:
        found = Call(around, choices, CallContext("call", greeting="Hello.", **context))
        await found.relay.open()
        yield found
        await found.relay.aclose()


@virtual_time
async def test_a_turn_that_is_not_answered_goes_to_the_next() -> None:
    """Which is told what was said before, by both sides."""
    async with call(first(DIALOGUE, fault="fail", fault_at=2), second(DIALOGUE)) as c:
        assert await c.answer(ONE) == [Say("You said: one")]
        assert await c.answer(TWO) == [Say("You said: two")]
        (session,) = await c.sessions(1)
        assert session.turns == [TWO]
        assert session.context.history == (
            Said("bot", "Hello."),
            Said("caller", "one"),
            Said("bot", "You said: one"),
        )
        assert (await c.sessions(0))[0].context.history == ()
        await asyncio.sleep(0)
        assert (await c.sessions(0))[0].closed


@virtual_time
async def test_what_was_said_stands_and_the_next_turn_is_the_nexts() -> None:
    """An answer that breaks off is not begun anew."""
    script = [[{"text": "Well."}, {"text": "Never said."}]]
    async with call(first(DIALOGUE, fault="break", script=script), second(DIALOGUE)) as c:
        assert await c.answer(ONE) == [Say("Well.")]
        heard = UserTurn("go on", heard="Well.")
        assert await c.answer(heard) == [Say("You said: go on")]
        (session,) = await c.sessions(1)
        assert session.context.history[-1] == Said("bot", "Well.")


@virtual_time
async def test_a_dialogue_that_hangs_has_its_share_of_the_wait() -> None:
    """Half of it, where there are two."""
    async with call(first(DIALOGUE, fault="hang"), second(DIALOGUE)) as c:
        begun = asyncio.get_running_loop().time()
        assert await c.answer(ONE) == [Say("You said: one")]
        assert asyncio.get_running_loop().time() - begun == c.house.means.waits.dialogue / 2


@virtual_time
async def test_an_answer_that_stops_in_the_middle_is_ended_before_the_calls_own_limit() -> None:
    """The call goes on; with nobody else, that limit is all there is."""
    endless = first(DIALOGUE, script=[[{"text": "a"}, {"text": "b"}]], delay_ms=13_600)
    async with call(Choice("tests.call.failover.test_dialogue:StallingDialogue", {}), endless) as c:
        begun = asyncio.get_running_loop().time()
        assert await c.answer(ONE) == [Say("Well.")]
        assert asyncio.get_running_loop().time() - begun == c.house.means.waits.dialogue * 0.9
    async with call(endless) as c:
        assert await c.answer(ONE) == [Say("a"), Say("b")]


class StallingDialogue(FakeDialogue):
    """It says one thing, and then nothing."""

    async def open(self, context: CallContext) -> base.DialogueSession:
        return StallingSession(self._options, context)


class StallingSession(FakeDialogueSession):
    """See there."""

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        yield Say("Well.")
        await asyncio.Event().wait()


@virtual_time
async def test_the_only_dialogue_is_opened_anew_once() -> None:
    """It is told what was said before; when it fails again, that is raised."""
    async with call(first(DIALOGUE, fault="fail", fault_at=2)) as c:
        assert await c.answer(ONE) == [Say("You said: one")]
        assert await c.answer(TWO) == [Say("You said: two")]
        assert len((await c.sessions())[1].context.history) == 3
        with pytest.raises(ProviderUnavailableError, match="no answer"):
            await c.answer(UserTurn("three", heard="You said: two"))


WRONG: dict[str, Any] = {"garbage": "garbage", "digits": CollectDigits(max_digits=0)}


class OddDialogue(FakeDialogue):
    """It has a bug that the word it is told names."""

    async def open(self, context: CallContext) -> base.DialogueSession:
        return OddSession(self._options, context)


class OddSession(FakeDialogueSession):
    """See there."""

    def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        if turn.text == "raise":
            raise ZeroDivisionError("secret words")
        if turn.text == "none":
            return cast("AsyncGenerator[Action, None]", None)
        return self._odd(turn)

    async def _odd(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        try:
            yield WRONG.get(turn.text, Say("Well."))
        finally:
            if turn.text == "cling":
                await asyncio.Event().wait()


ODD = Choice("tests.call.failover.test_dialogue:OddDialogue", {})


@pytest.mark.parametrize("text", ["raise", "none", "garbage", "digits"])
def test_a_dialogue_with_a_bug_is_replaced(text: str) -> None:
    """Whatever it returns; alone, the bug is told as a provider's failure, with its name and
    without its words. Other calls go on asking it."""

    @virtual_time
    async def both() -> None:
        async with call(ODD, second(DIALOGUE)) as c:
            assert await c.answer(UserTurn(text)) == [Say(f"You said: {text}")]
        async with call(ODD) as c:
            with pytest.raises(ProviderError) as caught:
                await c.answer(UserTurn(text))
            assert isinstance(caught.value, ProviderProtocolError) == (text == "garbage")
            assert "secret" not in str(caught.value)
            assert caught.value.provider == ODD.name
            assert c.house.logged("circuit opened") == []

    both()


@virtual_time
async def test_an_answer_that_will_not_end_is_given_up() -> None:
    """Within the limit of a close; the call is not held up by more."""
    async with call(ODD) as c:
        answer = c.relay.respond(UserTurn("cling"))
        assert await anext(answer) == Say("Well.")
        begun = asyncio.get_running_loop().time()
        await answer.aclose()
        assert asyncio.get_running_loop().time() - begun == c.house.means.waits.close
        assert len(c.house.logged("answer not closed cleanly")) == 1


@virtual_time
async def test_a_turn_that_the_caller_goes_on_with_is_remembered_once() -> None:
    """Its first part was answered early, and nobody heard that."""
    async with call(first(DIALOGUE, fault="fail", fault_at=4), second(DIALOGUE)) as c:
        await c.answer(ONE)
        await c.answer(UserTurn("I want", heard="You said: one"))
        await c.answer(UserTurn("I want two", heard="You said: one"))
        await c.answer(UserTurn("", digits="7", heard="You said: I want two"))
        (session,) = await c.sessions(1)
        assert [each.text for each in session.context.history] == [
            "Hello.",
            "one",
            "You said: one",
            "I want two",
            "You said: I want two",
        ]


@virtual_time
async def test_what_an_operator_said_is_remembered_once() -> None:
    """Also where the turn that tells it is taken back."""
    async with call(first(DIALOGUE, fault="fail", fault_at=3), second(DIALOGUE)) as c:
        await c.answer(UserTurn("I want", heard="Hello.", operator="One moment."))
        await c.answer(UserTurn("I want two", heard="Hello.", operator="One moment."))
        await c.answer(UserTurn("go on", heard="You said: I want two"))
        (session,) = await c.sessions(1)
        assert [each.text for each in session.context.history] == [
            "Hello.",
            "One moment.",
            "I want two",
            "You said: I want two",
        ]


@virtual_time
async def test_what_answers_cost_is_counted_by_provider() -> None:
    """And is no action of the call's."""
    dear = first(DIALOGUE, usage={"input_tokens": 7, "output_tokens": 3}, fault="break")
    async with call(dear, second(DIALOGUE, usage={"input_tokens": 5})) as c:
        assert await c.answer(ONE) == [Say("You said: one")]
        assert await c.answer(TWO) == [Say("You said: two")]
        tally = c.house.means.tally
        assert tally.input_tokens == {c.choices[0].name: 7, c.choices[1].name: 5}
        assert tally.output_tokens == {c.choices[0].name: 3, c.choices[1].name: 0}


@virtual_time
async def test_whether_turns_may_come_early_is_the_dialogues_at_work() -> None:
    """One that takes over may think otherwise."""
    eager = Choice("tests.call.failover.test_dialogue:EagerDialogue", {"fault": "fail"})
    async with call(eager, second(DIALOGUE)) as c:
        assert c.relay.speculative
        await c.answer(ONE)
        assert not c.relay.speculative


class EagerDialogue(FakeDialogue):
    """It takes turns that are not certain."""

    speculative = True


@virtual_time
async def test_the_latest_lines_are_told() -> None:
    """Of a long call not all of them."""
    async with call(first(DIALOGUE, fault="fail", fault_at=150), second(DIALOGUE)) as c:
        for number in range(150):
            await c.answer(UserTurn(f"{number}", heard=f"Answer {number}."))
        (session,) = await c.sessions(1)
        assert len(session.context.history) == HISTORY_LINES
        assert session.context.history[-1] == Said("bot", "Answer 149.")


@virtual_time
async def test_a_dialogue_knows_what_was_said_in_an_earlier_stream() -> None:
    """The first one, and who takes over from it."""
    before = (Said("bot", "Hello."), Said("caller", "a human"))
    why = base.Resumption("transfer-failed")
    failing = first(DIALOGUE, fault="fail")
    async with call(failing, second(DIALOGUE), history=before, resumed=why) as c:
        await c.answer(UserTurn("one", heard="Nobody is free."))
        for number in range(2):
            (session,) = await c.sessions(number)
            assert session.context.resumed == why
            later = (Said("bot", "Nobody is free."),) * number
            assert session.context.history == (*before, *later)


@virtual_time
async def test_a_dialogue_that_fails_at_a_failed_transfer_is_replaced() -> None:
    """The next one is told so, too, and what the caller had said."""
    async with call(first(DIALOGUE, fault="fail", fault_at=2), second(DIALOGUE)) as c:
        await c.answer(ONE)
        await c.answer(UserTurn(transfer_failed="closed"))
        (session,) = await c.sessions(1)
        assert session.turns == [UserTurn(transfer_failed="closed")]
        assert session.context.history[-1] == Said("caller", "one")


class SlowDialogue(FakeDialogue):
    """It takes a second to open."""

    async def open(self, context: CallContext) -> base.DialogueSession:
        await asyncio.sleep(1)
        return await super().open(context)


@virtual_time
async def test_a_session_that_opens_when_the_call_is_over_is_closed() -> None:
    """Nobody would, else."""
    slow = Choice("tests.call.failover.test_dialogue:SlowDialogue", {})
    async with call(first(DIALOGUE, fault="fail"), slow) as c:
        answer = asyncio.create_task(c.answer(ONE))
        await asyncio.sleep(0.5)
        await c.relay.aclose()
        with pytest.raises(ProviderUnavailableError, match="over"):
            await answer
        await asyncio.sleep(0)
        (session,) = await c.sessions(1)
        assert session.closed
