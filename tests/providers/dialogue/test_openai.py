"""A language model as a dialogue, against an endpoint on a real socket."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from exobridge_providers.base import (
    CallContext,
    Resumption,
    Said,
    Say,
    Transfer,
    Usage,
    UserTurn,
)
from exobridge_providers.dialogue.openai_request import LANGUAGE_NOW, RESUMED
from exobridge_providers.dialogue.openai_session import MAX_ANSWER_CHARS
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.fake_chat import (
    MODELS,
    FakeChat,
    answer,
    call,
    ending,
    event,
    roles,
    streamed,
    words,
)
from exobridge_providers.testing.fake_http import Reply
from tests.providers.dialogue.asking import KEY, WORDS, actions, body, dialogue, said, session
from tests.server import until

# ------------------------------------------------------------------ words


async def test_words_are_given_out_as_they_come(fake: FakeChat) -> None:
    """The first while the endpoint still holds back the rest."""
    fake.script(streamed(*words("Hello"), 60.0, *words(" there."), *ending()))
    async with session(fake) as talk:
        answering = talk.respond(UserTurn("hello"))
        assert await anext(answering) == Say("Hello", more=True)
        await answering.aclose()


async def test_an_answer_is_its_pieces_and_an_end(fake: FakeChat) -> None:
    """And what it cost."""
    fake.script(streamed(*words("Hel", "lo."), *ending(tokens=(12, 3))))
    async with session(fake) as talk:
        found = [each async for each in talk.respond(UserTurn("hello"))]
    assert found == [Say("Hel", more=True), Say("lo.", more=True), Say(""), Usage(12, 3)]


async def test_the_model_is_asked_as_the_template_says(
    fake: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its variables are filled in; braces that hold none stay; the key is in the header alone."""
    monkeypatch.setenv("ACME_KEY", KEY)
    monkeypatch.setenv("ACME_TEAM", "team-7")
    context = CallContext(
        "call-1", "+919900000001", language="hi-IN", variables={"company": "Acme"}, greeting="Hi."
    )
    options: dict[str, Any] = {
        "api_key_env": "ACME_KEY",
        "headers": {"x-team": "${ACME_TEAM}"},
        "system": 'You are {company} for {caller}. {nobody} {"json": 1}',
        "temperature": 0.3,
        "max_tokens": 99,
        "extra_body": {"seed": 7},
        "actions": [],
    }
    async with session(fake, context, **options) as talk:
        assert await said(talk, UserTurn("hello")) == "Hello there."
    assert fake.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert fake.asked[0].headers["x-team"] == "team-7"
    assert body(fake) == {
        "model": "fake",
        "messages": [
            {"role": "system", "content": 'You are Acme for +919900000001. {nobody} {"json": 1}'},
            {"role": "user", "content": "(The call begins.)"},
            {"role": "assistant", "content": "Hi."},
            {"role": "user", "content": "hello"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.3,
        "max_tokens": 99,
        "seed": 7,
    }
    assert KEY not in fake.asked[0].body.decode()


async def test_usage_need_not_be_asked_for(fake: FakeChat) -> None:
    """Of an endpoint that does not know the question."""
    async with session(fake, include_usage=False) as talk:
        await said(talk, UserTurn("hello"))
    assert "stream_options" not in body(fake)


async def test_the_model_can_know_the_time(fake: FakeChat) -> None:
    """A caller says "tomorrow"."""
    async with session(fake, system="{date}|{time}") as talk:
        await said(talk, UserTurn("hello"))
    date, time = fake.messages()[0]["content"].split("|")
    assert date.endswith(tuple("0123456789"))
    assert len(time) == 5


async def test_a_connection_is_ready_for_the_first_turn(fake: FakeChat) -> None:
    """It is made when the call begins, and each turn uses it."""
    async with dialogue(fake) as provider:
        before = fake.connections
        talk = await provider.open(CallContext("call-1"))
        tasks = {task.get_name(): task for task in asyncio.all_tasks()}
        await tasks["exobridge-openai-connect"]
        assert fake.heads == 1
        await said(talk, UserTurn("one"))
        await said(talk, UserTurn("two", heard="Hello there."))
        await talk.aclose()
    assert {each.connection for each in fake.asked} == {before + 1}


# ------------------------------------------------------------------ what was heard


async def test_the_model_knows_what_was_heard(fake: FakeChat) -> None:
    """Not what it wrote."""
    fake.script(answer("Your order was shipped ", "today, with all you asked for."))
    async with session(fake) as talk:
        await said(talk, UserTurn("my order?"))
        await said(talk, UserTurn("when?", interrupted=True, heard="Your order was"))
    _, first, cut, second = fake.messages()
    assert (first["content"], cut["content"]) == ("my order?", "Your order was")
    assert second["content"].endswith("\nwhen?")
    assert "interrupted" in second["content"]


async def test_an_answer_closed_early_contributes_what_was_heard(fake: FakeChat) -> None:
    """The connection is closed with it, at once."""
    fake.script(streamed(*words("Your order", " was shipped."), for_ever=b": still here\n\n"))
    async with session(fake) as talk:
        answering = talk.respond(UserTurn("my order?"))
        await anext(answering)
        fake.gone.clear()
        await answering.aclose()
        await asyncio.wait_for(fake.gone.wait(), 2)
        fake.script(answer("Monday."))
        await said(talk, UserTurn("when?", interrupted=True, heard="Your"))
    assert [each["content"] for each in fake.messages()[1:3]] == ["my order?", "Your"]


async def test_user_and_assistant_take_turns(fake: FakeChat) -> None:
    """Some models want it so: what follows on an answer of which nothing was heard is one message
    with the turn before, and a line of the host's one with the answer before."""
    async with session(fake) as talk:
        await said(talk, UserTurn("one"))
        await said(talk, UserTurn("two", interrupted=True))
        await said(talk, UserTurn("three", heard="Are you still there?"))
    assert roles(fake.messages()) == ["system", "user", "assistant", "user"]
    assert fake.messages()[1]["content"].startswith("one\n")
    assert fake.messages()[2]["content"] == "Hello there.\nAre you still there?"


async def test_a_call_is_taken_over_in_the_middle(fake: FakeChat) -> None:
    """The model reads what was said before as its own talk, and which language is spoken now."""
    history = (
        Said("bot", "Welcome."),
        Said("caller", "my order?", "42"),
        Said("bot", "It was shipped."),
    )
    context = CallContext("call-1", language="hi-IN", greeting="Welcome.", history=history)
    async with session(fake, context, system="You are Acme.") as talk:
        await said(talk, UserTurn("when?", heard="It was shipped."))
        await said(talk, UserTurn("thanks", heard="Hello there."))
    system, *talked = fake.messages()
    assert system["content"] == f"You are Acme.\n\n{LANGUAGE_NOW.format('hi-IN')}"
    assert [(each["role"], each["content"]) for each in talked] == [
        ("user", "(The call begins.)"),
        ("assistant", "Welcome."),
        ("user", "my order?\n(I pressed the keys 42)"),
        ("assistant", "It was shipped."),
        ("user", "when?"),
        ("assistant", "Hello there."),
        ("user", "thanks"),
    ]


async def test_a_call_that_comes_back_is_told_why(fake: FakeChat) -> None:
    """At the end of the prompt; what was said before is the model's own talk."""
    context = CallContext(
        "call-1",
        greeting="Nobody is free.",
        history=(Said("bot", "Welcome."), Said("caller", "a human"), Said("bot", "Please hold.")),
        resumed=Resumption("transfer-failed", "sales", 2),
    )
    async with session(fake, context, system="You are Acme.") as talk:
        await said(talk, UserTurn("then you", heard="Nobody is free."))
    system, *talked = fake.messages()
    assert system["content"].startswith("You are Acme.\n\n")
    assert system["content"].endswith(RESUMED["transfer-failed"].format(target="sales"))
    assert [each["content"] for each in talked] == [
        "(The call begins.)",
        "Welcome.",
        "a human",
        "Please hold.\nNobody is free.",
        "then you",
    ]


async def test_a_transfer_that_cannot_be_had_is_the_tools_result(fake: FakeChat) -> None:
    """The model is asked again in the same turn, and says what it makes of it."""
    fake.script(
        streamed(*words("One moment."), *call("transfer", '{"target": "sales"}'), *ending()),
        streamed(*words("They come at nine."), *ending()),
    )
    async with session(fake, transfer_targets=["sales"]) as talk:
        assert (await actions(talk, UserTurn("a human")))[-1] == Transfer("sales")
        assert await said(talk, UserTurn(transfer_failed="closed")) == "They come at nine."
        await said(talk, UserTurn("thanks", heard="One moment. They come at nine."))
    _, *asked = body(fake, 1)["messages"]
    assert [each["role"] for each in asked] == ["user", "assistant", "tool"]
    assert "nobody is there" in asked[-1]["content"]
    _, *talked = fake.messages()
    roles_now = [each["role"] for each in talked]
    assert roles_now == ["user", "assistant", "tool", "assistant", "user"]


async def test_a_guess_that_was_closed_leaves_no_trace(fake: FakeChat) -> None:
    """Neither does a task that waits for it."""
    async with session(fake) as talk:
        answering = talk.respond(UserTurn("I want"))
        await anext(answering)
        await answering.aclose()
        await said(talk, UserTurn("I want to go"))
    assert [each["content"] for each in fake.messages()[1:]] == ["I want to go"]


async def test_a_guess_whose_answer_was_all_there_leaves_no_trace(fake: FakeChat) -> None:
    """The endpoint may be quicker than the caller's silence."""
    certain = asyncio.Event()

    async def is_certain() -> None:
        await certain.wait()

    async with session(fake) as talk:
        guess = asyncio.create_task(said(talk, UserTurn("book of light", certain=is_certain)))
        await until(lambda: len(fake.asked) == 1)
        await asyncio.sleep(0.1)
        guess.cancel()
        await asyncio.wait([guess])
        certain.set()
        assert await said(talk, UserTurn("book a flight", certain=is_certain)) == "Hello there."
    assert [each["content"] for each in fake.messages()[1:]] == ["book a flight"]


# ------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("reply", "kind", "why", "tries"),
    [
        (Reply(401), ProviderAuthError, "status 401", 1),
        (Reply(403), ProviderAuthError, "status 403", 1),
        (Reply(404), ProviderConfigError, "the model's name", 1),
        (Reply(308, headers={"location": "/v2"}), ProviderConfigError, "a redirect", 1),
        (Reply(429), ProviderUnavailableError, "status 429", 2),
        (Reply(429, headers={"retry-after": "30"}), ProviderUnavailableError, "status 429", 1),
        (
            Reply(503, headers={"retry-after": "Fri, 31 Dec 2049 23:59:59 GMT"}),
            ProviderUnavailableError,
            "status 503",
            1,
        ),
        (Reply(500), ProviderUnavailableError, "status 500", 2),
        (Reply(503), ProviderUnavailableError, "status 503", 2),
        (Reply(drop="head"), ProviderUnavailableError, "cannot be reached", 2),
        (Reply(parts=[b"{}"]), ProviderProtocolError, "does not stream", 1),
        (streamed(*words("Hi"), drop="body"), ProviderUnavailableError, "broke off", 1),
        (streamed(*words("Hi")), ProviderUnavailableError, "broke off", 1),
        (streamed(b"data: {garbage\n\n"), ProviderProtocolError, "no chat.completion.chunk", 1),
        (streamed(b"\xff\n\n"), ProviderProtocolError, "not UTF-8", 1),
        (streamed(for_ever=b"x" * 4096), ProviderProtocolError, "longer than", 1),
        (streamed(event({"error": {"message": WORDS}})), ProviderUnavailableError, "reports", 1),
        (streamed(*ending()), ProviderProtocolError, "answered nothing", 1),
    ],
)
async def test_each_fault_is_an_error(
    reply: Reply, kind: type[ProviderError], why: str, tries: int, fake: FakeChat
) -> None:
    """It says whether trying again may help, and nothing of what was said."""
    fake.script(reply)
    async with session(fake) as talk:
        with pytest.raises(kind, match=why) as caught:
            await said(talk, UserTurn(WORDS))
    assert type(caught.value) is kind
    assert caught.value.retryable is (kind in (ProviderUnavailableError, ProviderProtocolError))
    assert WORDS not in str(caught.value)
    assert len(fake.asked) == tries


@pytest.mark.parametrize(
    ("reply", "limit"),
    [
        (Reply(delay_seconds=60), "first_token_seconds"),
        (streamed(60.0), "first_token_seconds"),
        (streamed(for_ever=b": wait\n\n"), "first_token_seconds"),
        (streamed(for_ever=event({"choices": []})), "first_token_seconds"),
        (streamed(*words("Hi"), 60.0), "token_seconds"),
        (streamed(*words("Hi"), for_ever=b": wait\n\n"), "token_seconds"),
    ],
)
async def test_each_wait_has_a_limit(reply: Reply, limit: str, fake: FakeChat) -> None:
    """For the first word, and between words; what is no word does not count."""
    fake.script(reply)
    options: dict[str, Any] = {limit: 0.3}
    async with session(fake, **options) as talk:
        with pytest.raises(ProviderUnavailableError, match=r"within 0\.3 s"):
            await said(talk, UserTurn("hello"))


async def test_a_refusal_names_its_reason(fake: FakeChat) -> None:
    """By its codes; the endpoint's text may repeat the caller's words."""
    refusal = {"error": {"message": WORDS, "code": "unsupported_parameter", "param": "max_tokens"}}
    fake.script(Reply(400, parts=[msgspec.json.encode(refusal)]))
    async with session(fake) as talk:
        with pytest.raises(
            ProviderError, match=r"400 \(unsupported_parameter, max_tokens\)$"
        ) as caught:
            await said(talk, UserTurn(WORDS))
    assert not caught.value.retryable
    assert caught.value.status_code == 400


@pytest.mark.parametrize("fault", [Reply(503), Reply(429), Reply(drop="head")])
async def test_what_may_pass_is_tried_again(fault: Reply, fake: FakeChat) -> None:
    """Once, before a word was said."""
    fake.script(fault, answer("Hello."))
    async with session(fake) as talk:
        assert await said(talk, UserTurn("hello")) == "Hello."


async def test_a_model_that_does_not_stop_is_stopped(fake: FakeChat) -> None:
    """What it said stands."""
    piece = "na " * 100
    fake.script(
        streamed(for_ever=b"".join(each for each in words(piece) if isinstance(each, bytes)))
    )
    async with session(fake) as talk:
        text = await said(talk, UserTurn("sing"))
        await asyncio.wait_for(fake.gone.wait(), 2)
    assert MAX_ANSWER_CHARS < len(text) <= MAX_ANSWER_CHARS + len(piece)


async def test_a_host_that_is_slow_to_speak_is_not_held_against_the_endpoint(
    fake: FakeChat,
) -> None:
    """The limit between words is for the endpoint alone."""
    fake.script(streamed(*words("Hello"), 0.05, *words(" there."), *ending()))
    async with session(fake, token_seconds=1) as talk:
        answering = talk.respond(UserTurn("hello"))
        assert await anext(answering) == Say("Hello", more=True)
        await asyncio.sleep(1.2)
        rest = [each async for each in answering]
    assert rest == [Say(" there.", more=True), Say("")]


# ------------------------------------------------------------------ the start


async def start(fake: FakeChat, **options: Any) -> None:
    """Start the provider, and no more."""
    async with dialogue(fake, **options):
        pass


async def test_a_key_that_is_not_there_is_told_with_its_cure(
    fake: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As is one that no header can hold, which is not repeated."""
    monkeypatch.delenv("ACME_KEY", raising=False)
    with pytest.raises(ProviderConfigError, match=r"ACME_KEY.*is not set.*api_key_env = "):
        await start(fake, api_key_env="ACME_KEY")
    monkeypatch.setenv("ACME_KEY", "clé-secrète")
    with pytest.raises(ProviderConfigError, match="copy it again") as caught:
        await start(fake, api_key_env="ACME_KEY")
    assert "secr" not in str(caught.value)


async def test_a_key_that_is_refused_is_told_with_its_cure(
    fake: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named, the key is not."""
    monkeypatch.setenv("ACME_KEY", KEY)
    fake.replies[MODELS] = [Reply(401)]
    with pytest.raises(ProviderAuthError, match="Look at the key in ACME_KEY") as caught:
        await start(fake, api_key_env="ACME_KEY")
    assert KEY not in str(caught.value)


async def test_an_endpoint_that_is_not_there_is_told_with_its_cure() -> None:
    """Nothing listens on port 1."""
    options = {"model": "x", "base_url": "http://127.0.0.1:1/v1", "api_key_env": ""}
    provider = create(Kind.DIALOGUE, "openai", options)
    told = r"127\.0\.0\.1:1 cannot be reached .* Look at base_url"
    with pytest.raises(ProviderUnavailableError, match=told):
        await provider.start()


@pytest.mark.parametrize("status", [404, 405, 429, 500])
async def test_an_endpoint_need_not_list_its_models(status: int, fake: FakeChat) -> None:
    """Only what would make each answer fail stops the start."""
    fake.replies[MODELS] = [Reply(status)]
    await start(fake)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"base_url": "http://llm.example/v1"}, "base_url: is not https"),
        ({"base_url": "llm.example"}, "base_url: is no URL"),
        ({"extra_body": {"messages": []}}, "extra_body: messages is set by exobridge"),
        ({"timezone": "Mars/Crater"}, "no IANA time zone"),
        ({"actions": ["reboot"]}, "actions.0"),
        (
            {"tools": [{"name": "hang_up", "description": "x", "url": "https://a.example"}]},
            "tools: two tools are named 'hang_up'",
        ),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], why: str) -> None:
    """When the template is read."""
    with pytest.raises(ProviderConfigError, match=why):
        create(Kind.DIALOGUE, "openai", {"model": "x", **options})
