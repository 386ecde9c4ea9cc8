"""A language model's tools, against an endpoint on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exobridge_providers.base import (
    Action,
    CallContext,
    CollectDigits,
    HangUp,
    Say,
    SendDtmf,
    SetLanguage,
    Transfer,
    Usage,
    UserTurn,
)
from exobridge_providers.dialogue.openai_request import LANGUAGE_NOW
from exobridge_providers.errors import (
    ProviderProtocolError,
)
from exobridge_providers.testing.fake_chat import (
    FakeChat,
    answer,
    call,
    ending,
    roles,
    streamed,
    words,
)
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.providers.dialogue.asking import KEY, actions, body, said, session
from tests.server import until


@pytest.mark.parametrize(
    ("name", "arguments", "action"),
    [
        ("transfer", '{"target": "sales", "summary": "a cake"}', Transfer("sales", "a cake")),
        ("hang_up", '{"reason": "done"}', HangUp("done")),
    ],
)
async def test_the_model_can_end_the_conversation(
    name: str, arguments: str, action: Action, fake: FakeChat
) -> None:
    """After its words, and after what it cost; it is not asked again."""
    fake.script(streamed(*words("Goodbye."), *call(name, arguments), *ending(tokens=(5, 6))))
    async with session(fake, transfer_targets=["sales"]) as talk:
        found = [each async for each in talk.respond(UserTurn("bye"))]
    assert found == [Say("Goodbye.", more=True), Say(""), Usage(5, 6), action]
    assert len(fake.asked) == 1


async def test_keys_are_sent_or_taken_and_the_model_waits(fake: FakeChat) -> None:
    """The next turn shows that it was done."""
    fake.script(
        streamed(*call("send_dtmf", '{"digits": "2"}'), *ending("tool_calls")), answer("Go")
    )
    async with session(fake, actions=["send_dtmf"]) as talk:
        assert await actions(talk, UserTurn("press two for cakes")) == [SendDtmf("2")]
        await said(talk, UserTurn("cakes"))
    assert roles(fake.messages()) == ["system", "user", "assistant", "tool", "user"]
    assert fake.messages()[3]["content"] == '{"ok": true}'


async def test_digits_are_asked_for_before_they_are_taken(fake: FakeChat) -> None:
    """A model that forgets to is asked once more."""
    collect = call("collect_digits", '{"max_digits": 4}')
    fake.script(streamed(*collect, *ending("tool_calls")), answer("Your pin, please."))
    async with session(fake, actions=["collect_digits"]) as talk:
        found = await actions(talk, UserTurn("hello"))
    assert found == [CollectDigits(4), Say("Your pin, please.", more=True), Say("")]


async def test_a_language_is_set_before_it_is_spoken(fake: FakeChat) -> None:
    """In one turn."""
    fake.script(
        streamed(*call("set_language", '{"language": "hi-IN"}'), *ending("tool_calls")),
        answer("ज़रूर।"),
    )
    async with session(fake, actions=["set_language"], languages=["hi-IN"]) as talk:
        found = await actions(talk, UserTurn("Hindi please"))
    assert found == [SetLanguage("hi-IN"), Say("ज़रूर।", more=True), Say("")]


async def test_the_model_is_told_of_a_language_that_cannot_be_spoken(fake: FakeChat) -> None:
    """So that it goes on in one that can."""
    switch = streamed(*call("set_language", '{"language": "hi-IN"}'), *ending("tool_calls"))
    fake.script(switch, answer("English only, sorry."))
    context = CallContext("call-1", can_speak=lambda language: language == "en-IN")
    async with session(fake, context, actions=["set_language"]) as talk:
        found = await actions(talk, UserTurn("Hindi please"))
    assert found == [Say("English only, sorry.", more=True), Say("")]
    result = body(fake)["messages"][-1]
    assert result["role"] == "tool"
    assert "cannot go on in this language" in result["content"]


@pytest.mark.parametrize(("own", "filled"), [({}, "hi-IN"), ({"language": "Urdu"}, "Urdu")])
async def test_the_model_and_its_tools_know_the_language_now(
    own: dict[str, str], filled: str, fake: FakeChat
) -> None:
    """From the answer on in which it was set; a variable of the template keeps its own meaning."""
    switch = streamed(*call("set_language", '{"language": "hi-IN"}'), *ending("tool_calls"))
    fake.script(switch, streamed(*call("tell"), *ending("tool_calls")), answer("ठीक है।"))
    context = CallContext("call-1", language="en-IN", variables=own)
    tell = {"name": "tell", "description": "Tells.", "url": f"{fake.url}/tell"}
    async with session(
        fake,
        context,
        system="Speak {language}.",
        actions=["set_language"],
        tools=[{**tell, "headers": {"x-language": "{language}"}}],
    ) as talk:
        await said(talk, UserTurn("Hindi please"))
        await said(talk, UserTurn("thanks", heard="ठीक है।"))
    prompts = [body(fake, number)["messages"][0]["content"] for number in range(len(fake.asked))]
    now = f"Speak {filled}.\n\n{LANGUAGE_NOW.format('hi-IN')}"
    assert prompts == [f"Speak {own.get('language', 'en-IN')}.", *[now] * 3]
    assert [each.headers["x-language"] for each in fake.of("/tell")] == [filled]


@asynccontextmanager
async def shop(*replies: Reply) -> AsyncGenerator[tuple[FakeHttp, dict[str, Any]]]:
    """The user's endpoint, and a tool that asks it."""
    async with FakeHttp().listening() as server:
        server.replies["/order"] = list(replies)
        tool = {
            "name": "order",
            "description": "Looks an order up.",
            "parameters": {"type": "object", "properties": {"id": {"type": "string"}}},
            "url": f"{server.url}/order",
            "headers": {"x-caller": "{caller}", "authorization": "Bearer ${SHOP_TOKEN}"},
        }
        yield server, tool


async def test_the_models_question_is_answered_by_the_users_tool(
    fake: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With headers that the model does not see, and the words around it in one turn."""
    monkeypatch.setenv("SHOP_TOKEN", KEY)
    fake.script(
        streamed(
            *words("One moment."), *call("order", '{"id": "42"}'), *ending("tool_calls", (1, 1))
        ),
        streamed(*words("It was shipped."), *ending(tokens=(2, 2))),
    )
    context = CallContext("call-1", caller="+919900000001")
    shipped = Reply(parts=[b'{"status": "shipped"}'])
    async with shop(shipped) as (server, tool), session(fake, context, tools=[tool]) as talk:
        found = [each async for each in talk.respond(UserTurn("order 42"))]
    assert found == [
        Say("One moment.", more=True),
        Say(""),
        Usage(1, 1),
        Say(""),
        Say(""),
        Say("It was shipped.", more=True),
        Say(""),
        Usage(2, 2),
    ]
    (request,) = server.received
    assert request.json() == {"id": "42"}
    assert request.headers["x-caller"] == "+919900000001"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert fake.messages()[2:] == [
        {
            "role": "assistant",
            "content": "One moment.",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "order", "arguments": '{"id": "42"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '{"status": "shipped"}'},
    ]
    assert KEY not in fake.asked[-1].body.decode()


async def test_a_tool_waits_until_the_turn_is_certain(
    fake: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guess that is closed has called nothing, and the next turn calls it once."""
    monkeypatch.setenv("SHOP_TOKEN", KEY)
    asks = streamed(*call("order", "{}"), *ending("tool_calls"))
    fake.script(asks, asks, answer("Done."))
    certain = asyncio.Event()

    async def is_certain() -> None:
        await certain.wait()

    async with shop(Reply(parts=[b"{}"])) as (server, tool), session(fake, tools=[tool]) as talk:
        guess = asyncio.create_task(said(talk, UserTurn("order", certain=is_certain)))
        await until(lambda: len(fake.asked) == 1)
        await asyncio.sleep(0.05)
        assert not server.received
        guess.cancel()
        await asyncio.wait([guess])
        again = asyncio.create_task(said(talk, UserTurn("order 42", certain=is_certain)))
        await until(lambda: len(fake.asked) == 2)
        assert not server.received
        certain.set()
        assert await again == "Done."
        assert len(server.received) == 1
    assert roles(fake.messages()) == ["system", "user", "assistant", "tool"]


async def test_a_tool_runs_once_though_its_answer_was_dropped(
    fake: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is told what it did, when the caller has gone on."""
    monkeypatch.setenv("SHOP_TOKEN", KEY)
    fake.script(streamed(*call("order", "{}"), *ending("tool_calls")), answer("It is booked."))
    async with shop(Reply(parts=[0.2, b"booked"])) as (server, tool):
        async with session(fake, tools=[tool]) as talk:
            dropped = asyncio.create_task(said(talk, UserTurn("book it")))
            await until(lambda: len(server.received) == 1)
            dropped.cancel()
            await asyncio.wait([dropped])
            assert await said(talk, UserTurn("book it please")) == "It is booked."
        assert len(server.received) == 1
    assert fake.messages()[-2:] == [
        {"role": "tool", "tool_call_id": "call_1", "content": "booked"},
        {"role": "user", "content": "book it please"},
    ]


async def test_tools_do_not_go_on_without_end(
    fake: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last round the model is told to answer; one that does not is at fault."""
    monkeypatch.setenv("SHOP_TOKEN", KEY)
    fake.script(streamed(*call("order", "{}"), *ending("tool_calls")))
    async with shop(Reply(parts=[b"{}"])) as (server, tool):
        async with session(fake, tools=[tool], max_tool_rounds=2) as talk:
            with pytest.raises(ProviderProtocolError, match="without end"):
                await said(talk, UserTurn("order"))
        assert len(server.received) == 2
    assert ["tool_choice" in body(fake, number) for number in range(3)] == [False, False, True]
