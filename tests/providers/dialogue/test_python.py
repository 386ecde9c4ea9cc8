"""A function of the user's as a dialogue."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exobridge_providers.base import (
    Action,
    CallContext,
    DialogueSession,
    HangUp,
    Resumption,
    Said,
    Say,
    SetLanguage,
    Transfer,
    UserTurn,
)
from exobridge_providers.dialogue.python import PythonDialogue
from exobridge_providers.dialogue.python_session import Call
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.registry import Kind, create

HERE = "tests.providers.dialogue.test_python"
CONTEXT = CallContext("call-1", "+919900000001", language="hi-IN", greeting="Welcome.")

loop_thread: list[bool] = []
released = threading.Event()


async def generator(call: Call, turn: UserTurn) -> AsyncIterator[str | Action | None]:
    """Text and actions as they come."""
    yield f"You said {turn.text}."
    yield None
    yield Transfer("sales") if call.settings.get("sells") else HangUp()


async def coroutine(call: Call, turn: UserTurn) -> list[str | Action]:
    """All at once."""
    return [f"You said {turn.text}.", HangUp()]


def plain(call: Call, turn: UserTurn) -> str:
    """In a thread."""
    loop_thread.append(threading.current_thread() is threading.main_thread())
    return f"You said {turn.text}."


def steps(call: Call, turn: UserTurn) -> Iterator[str]:
    """In a thread, one after the other."""
    loop_thread.append(threading.current_thread() is threading.main_thread())
    yield "You said"
    yield f"{turn.text}."


def silent(call: Call, turn: UserTurn) -> str:
    """Nothing to say."""
    return " "


def remembers(call: Call, turn: UserTurn) -> str:
    """What was said before, and what the bot wants to remember."""
    call.state["turns"] = call.state.get("turns", 0) + 1
    before = "; ".join(f"{each.role}: {each.text}{each.digits}" for each in call.history)
    return f"{call.state['turns']}. Before: {before}"


async def speaks_hindi(call: Call, turn: UserTurn) -> AsyncIterator[str | Action]:
    """From the second turn on."""
    yield call.language
    yield SetLanguage("hi-IN")
    yield call.language


class Bot:
    """Made for each call."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.count = 0
        self.taken_over = bool(call.history)

    async def answer(self, turn: UserTurn) -> str:
        """One turn."""
        self.count += 1
        again = ", again" if self.taken_over else ""
        return f"{self.call.sid}, {self.call.language}{again}, turn {self.count}: {turn.text}"


class PlainBot(Bot):
    """Cannot be made."""

    def __init__(self, call: Call) -> None:
        raise ValueError(f"secret {call.caller}")


def crashes(call: Call, turn: UserTurn) -> str:
    """A bug."""
    raise ValueError(f"secret {turn.text}")


async def crashes_late(call: Call, turn: UserTurn) -> AsyncIterator[str]:
    """A bug, later."""
    yield "Well."
    raise KeyError(turn.text)


async def wrong(call: Call, turn: UserTurn) -> int:
    """No answer at all."""
    return 7


async def endless(call: Call, turn: UserTurn) -> AsyncIterator[str]:
    """Works on when it is closed, or says that it was."""
    try:
        while True:
            yield "and on"
    finally:
        call.state["closed"] = True
        released.set()


def blocks(call: Call, turn: UserTurn) -> str:
    """Until it is released."""
    released.wait(10)
    return "done"


not_callable = 7


class NoBot:
    """Has no method of the right name."""


@asynccontextmanager
async def session(
    handler: str, context: CallContext = CONTEXT, **options: Any
) -> AsyncGenerator[DialogueSession]:
    """A call."""
    provider = create(Kind.DIALOGUE, "python", {"handler": f"{HERE}:{handler}", **options})
    assert isinstance(provider, PythonDialogue)
    await provider.start()
    try:
        session = await provider.open(context)
        yield session
        await session.aclose()
    finally:
        await provider.aclose()


async def actions(session: DialogueSession, turn: UserTurn) -> list[Action]:
    """The whole answer."""
    return [each async for each in session.respond(turn)]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("generator", [Say("You said hello."), HangUp()]),
        ("coroutine", [Say("You said hello."), HangUp()]),
        ("plain", [Say("You said hello.")]),
        ("steps", [Say("You said"), Say("hello.")]),
        ("silent", []),
        ("Bot", [Say("call-1, hi-IN, turn 1: hello")]),
    ],
)
async def test_a_handler_may_be_written_as_one_likes(handler: str, expected: list[Action]) -> None:
    """What is plain does not hold up the event loop."""
    loop_thread.clear()
    async with session(handler) as talk:
        assert await actions(talk, UserTurn("hello")) == expected
    assert not any(loop_thread)
    assert bool(loop_thread) is (handler in ("plain", "steps"))


async def test_a_handler_has_settings_of_its_own() -> None:
    """From the template."""
    async with session("generator", settings={"sells": True}) as talk:
        assert (await actions(talk, UserTurn("hello")))[-1] == Transfer("sales")


async def test_a_class_is_made_for_each_call() -> None:
    """So it can remember."""
    async with session("Bot") as talk:
        await actions(talk, UserTurn("one"))
        assert await actions(talk, UserTurn("two")) == [Say("call-1, hi-IN, turn 2: two")]


async def test_a_handler_knows_what_was_heard_before() -> None:
    """Of an answer that was cut, only what the caller heard of it."""
    async with session("remembers") as talk:
        (first,) = await actions(talk, UserTurn("hello", digits="7"))
        assert first == Say("1. Before: bot: Welcome.")
        (second,) = await actions(talk, UserTurn("what", interrupted=True, heard="1. Before"))
    assert second == Say("2. Before: bot: Welcome.; caller: hello7; bot: 1. Before:")


TAKEN_OVER = replace(
    CONTEXT,
    history=(Said("bot", "Welcome."), Said("caller", "hi", "7"), Said("bot", "You said hi.")),
)


async def test_a_handler_that_takes_over_knows_what_was_said() -> None:
    """Also a class, when it is made."""
    async with session("remembers", TAKEN_OVER) as talk:
        (first,) = await actions(talk, UserTurn("hello", heard="You said hi."))
        assert first == Say("1. Before: bot: Welcome.; caller: hi7; bot: You said hi.")
    async with session("Bot", TAKEN_OVER) as talk:
        assert await actions(talk, UserTurn("one")) == [Say("call-1, hi-IN, again, turn 1: one")]


def resumes(call: Call, turn: UserTurn) -> str:
    """Why the call has come back, and why nobody can be had."""
    why = f"{call.resumed.why} {call.resumed.target}" if call.resumed else "begun"
    return f"{why}; {turn.transfer_failed}; {call.history[-1].text}"


async def test_a_handler_knows_why_a_call_comes_back_or_cannot_be_handed_over() -> None:
    """What was said in the answer that is gone on with is said before."""
    resumed = replace(TAKEN_OVER, resumed=Resumption("transfer-failed", "sales"))
    async with session("resumes", resumed) as talk:
        said = "transfer-failed sales; None; You said hi."
        assert await actions(talk, UserTurn("hello", heard="You said hi.")) == [Say(said)]
        rest = await actions(talk, UserTurn(transfer_failed="unknown"))
    assert rest == [Say(f"transfer-failed sales; unknown; {said}")]


async def test_a_handler_knows_the_language_now() -> None:
    """As soon as it has set another."""
    english = replace(CONTEXT, language="en-IN")
    async with session("speaks_hindi", english) as talk:
        first = await actions(talk, UserTurn("one"))
        second = await actions(talk, UserTurn("two"))
    assert first == [Say("en-IN"), SetLanguage("hi-IN"), Say("hi-IN")]
    assert second[0] == Say("hi-IN")


async def test_a_handler_knows_that_another_language_was_not_to_be_had() -> None:
    """Its call goes on in the one before."""

    def only_english(language: str) -> bool:
        return language == "en-IN"

    english = replace(CONTEXT, language="en-IN", can_speak=only_english)
    async with session("speaks_hindi", english) as talk:
        found = await actions(talk, UserTurn("one"))
    assert found == [Say("en-IN"), SetLanguage("hi-IN"), Say("en-IN")]


async def test_an_answer_can_be_closed_early() -> None:
    """The handler is told, by the end of its generator."""
    released.clear()
    async with session("endless") as talk:
        answering = talk.respond(UserTurn("hello"))
        assert await anext(answering) == Say("and on")
        await answering.aclose()
        assert released.is_set()


async def test_a_plain_handler_can_be_left_behind() -> None:
    """A thread cannot be stopped; the call does not wait for it."""
    released.clear()
    async with session("blocks") as talk:
        waiting = asyncio.ensure_future(anext(talk.respond(UserTurn("hello"))))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        released.set()


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        ("crashes", r"crashes raised ValueError at test_python.py:\d+$"),
        ("crashes_late", r"crashes_late raised KeyError at test_python.py:\d+$"),
        ("wrong", r"gave int, which is neither text nor an action$"),
        ("PlainBot", r"could not be made for a call: ValueError at test_python.py:\d+$"),
    ],
)
async def test_a_bug_of_a_handler_is_an_error_that_says_where(handler: str, why: str) -> None:
    """And keeps its words to itself."""
    with pytest.raises(ProviderError, match=why) as caught:
        async with session(handler) as talk:
            await actions(talk, UserTurn("4711"))
    assert "secret" not in str(caught.value)
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        ("no_such_module_xyz:answer", "no module 'no_such_module_xyz'.*set path"),
        (f"{HERE}:nobody", "Is 'nobody' in the module"),
        (f"{HERE}:not_callable", "neither a function nor a class"),
        (f"{HERE}:NoBot", "no method answer"),
    ],
)
async def test_a_handler_that_is_not_there_is_told_with_its_cure(handler: str, why: str) -> None:
    """At the start."""
    provider = create(Kind.DIALOGUE, "python", {"handler": handler})
    with pytest.raises(ProviderConfigError, match=why):
        await provider.start()


async def test_a_module_may_stand_in_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its own; one that breaks says where."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_bot_here.py").write_text("def answer(call, turn):\n    return 'Hello.'\n")
    (tmp_path / "my_bot_broken.py").write_text("x = 1\nraise ValueError('secret')\n")
    options = {"handler": "my_bot_here:answer", "path": str(tmp_path)}
    provider = create(Kind.DIALOGUE, "python", options)
    assert isinstance(provider, PythonDialogue)
    await provider.start()
    talk = await provider.open(CONTEXT)
    assert await actions(talk, UserTurn("hello")) == [Say("Hello.")]
    await provider.aclose()
    broken = create(Kind.DIALOGUE, "python", {**options, "handler": "my_bot_broken:answer"})
    with pytest.raises(ProviderConfigError, match=r"ValueError at my_bot_broken.py:2$") as caught:
        await broken.start()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("handler", ["my_bot", "my_bot:", ":answer", "my bot:answer", "a:b.c"])
def test_a_handler_is_named_by_its_module_and_name(handler: str) -> None:
    """Nothing else is taken."""
    with pytest.raises(ProviderConfigError, match="handler: String should match"):
        create(Kind.DIALOGUE, "python", {"handler": handler})
