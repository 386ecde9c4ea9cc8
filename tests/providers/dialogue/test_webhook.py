"""A user's application as a dialogue, on a real socket."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

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
    UserTurn,
)
from exobridge_providers.dialogue.webhook import WebhookDialogue
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.fake_http import FakeHttp, Received, Reply

PATH = "/turn"
SECRET = "a-secret-of-the-test"
WORDS = "my secret is 4711"
TOLD = Reply(parts=[b'{"actions": []}'])
CONTEXT = CallContext(
    "call-1",
    "+919900000001",
    "+918000000002",
    variables={"company": "Acme"},
    greeting="Welcome.",
)
NDJSON = "application/x-ndjson"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """What signs."""
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)


@pytest.fixture
async def app() -> AsyncGenerator[FakeHttp]:
    """The user's application."""
    async with FakeHttp().listening() as app:
        app.replies[PATH] = [TOLD]
        yield app


@asynccontextmanager
async def dialogue(app: FakeHttp, **options: Any) -> AsyncGenerator[WebhookDialogue]:
    """The provider, started."""
    provider = create(Kind.DIALOGUE, "webhook", {"url": f"{app.url}{PATH}", **options})
    assert isinstance(provider, WebhookDialogue)
    await provider.start()
    try:
        yield provider
    finally:
        await provider.aclose()


@asynccontextmanager
async def session(
    app: FakeHttp, *replies: Reply, context: CallContext = CONTEXT, **options: Any
) -> AsyncGenerator[DialogueSession]:
    """A call, whose turns get these answers."""
    async with dialogue(app, **options) as provider:
        session = await provider.open(context)
        app.replies[PATH] = [*replies, TOLD]
        app.received.clear()
        try:
            yield session
        finally:
            await session.aclose()


async def actions(session: DialogueSession, turn: UserTurn) -> list[Action]:
    """The whole answer."""
    return [each async for each in session.respond(turn)]


def message(request: Received) -> dict[str, Any]:
    """What was told."""
    return cast("dict[str, Any]", request.json())


async def test_the_whole_call_is_told(app: FakeHttp) -> None:
    """By one form, with the turn's number; each message has an id of its own."""
    says = Reply(parts=[b'{"actions": [{"say": "Hello."}]}'])
    async with dialogue(app) as provider:
        talk = await provider.open(CONTEXT)
        app.replies[PATH] = [says, says, TOLD]
        turn = UserTurn("no wait", "42", "en-IN", interrupted=True, heard="Wel")
        assert await actions(talk, turn) == [Say("Hello.")]
        assert await actions(talk, UserTurn("bye", heard="Hello.")) == [Say("Hello.")]
        await talk.aclose()
        await talk.aclose()
    told = [message(each) for each in app.received]
    assert [each["event"] for each in told] == ["check", "start", "turn", "turn", "end"]
    assert {each["version"] for each in told} == {1}
    call: dict[str, Any] = {
        "sid": "call-1",
        "caller": "+919900000001",
        "called": "+918000000002",
        "direction": "incoming",
        "language": "en-IN",
        "variables": {"company": "Acme"},
        "greeting": "Welcome.",
        "history": [],
        "resumed": None,
    }
    assert [each.get("call") for each in told] == [None, *[call] * 4]
    assert told[2]["turn"] == {
        "number": 1,
        "text": "no wait",
        "digits": "42",
        "language": "en-IN",
        "interrupted": True,
        "heard": "Wel",
        "operator": "",
        "transfer_failed": None,
    }
    assert told[3]["turn"]["number"] == 2
    assert len({each.headers["webhook-id"] for each in app.received}) == 5
    assert {each.connection for each in app.received} == {1}


async def test_an_application_that_takes_over_is_told_what_was_said(app: FakeHttp) -> None:
    """In the call, with each event, so that one which keeps nothing knows it too."""
    said = (Said("bot", "Welcome."), Said("caller", "hi", "7"))
    async with dialogue(app) as provider:
        talk = await provider.open(replace(CONTEXT, history=said))
        await actions(talk, UserTurn("hello"))
        await talk.aclose()
    _, *told = [message(each) for each in app.received]
    assert [each["event"] for each in told] == ["start", "turn", "end"]
    assert [each["call"]["history"] for each in told] == [
        [
            {"role": "bot", "text": "Welcome.", "digits": ""},
            {"role": "caller", "text": "hi", "digits": "7"},
        ]
    ] * 3


async def test_an_application_is_told_why_a_call_comes_back_or_cannot_be_handed_over(
    app: FakeHttp,
) -> None:
    """The one with the call, the other with the turn."""
    resumed = Resumption("transfer-failed", "sales", 2)
    async with dialogue(app) as provider:
        talk = await provider.open(replace(CONTEXT, resumed=resumed))
        await actions(talk, UserTurn("a human"))
        await actions(talk, UserTurn(transfer_failed="closed"))
        await talk.aclose()
    _, start, asked, failed, _ = [message(each) for each in app.received]
    why = {"why": "transfer-failed", "target": "sales", "attempts": 2}
    assert [each["call"]["resumed"] for each in (start, asked, failed)] == [why] * 3
    assert (asked["turn"]["transfer_failed"], failed["turn"]["transfer_failed"]) == (None, "closed")
    assert (failed["turn"]["number"], failed["turn"]["text"]) == (2, "")


async def test_an_application_is_told_the_language_now(app: FakeHttp) -> None:
    """After it has set another."""
    switch = Reply(parts=[b'{"actions": [{"set_language": "hi-IN"}]}'])
    async with session(app, switch, TOLD) as talk:
        assert await actions(talk, UserTurn("Hindi please")) == [SetLanguage("hi-IN")]
        await actions(talk, UserTurn("thanks"))
    assert [message(each)["call"]["language"] for each in app.received] == [
        "en-IN",
        "hi-IN",
        "hi-IN",
    ]


async def test_a_language_that_the_call_cannot_speak_is_not_told(app: FakeHttp) -> None:
    """It goes on in the one before."""
    switch = Reply(parts=[b'{"actions": [{"set_language": "ta-IN"}]}'])
    context = CallContext("call-1", can_speak=lambda language: language != "ta-IN")
    async with session(app, switch, TOLD, context=context) as talk:
        await actions(talk, UserTurn("Tamil please"))
        await actions(talk, UserTurn("thanks"))
    assert {message(each)["call"]["language"] for each in app.received} == {"en-IN"}


async def test_what_is_told_is_signed(app: FakeHttp) -> None:
    """Id, time and body, under the secret, which itself is never sent."""
    async with session(app) as talk:
        await actions(talk, UserTurn("hello"))
    request = app.received[0]
    given = request.headers
    assert abs(time.time() - int(given["webhook-timestamp"])) < 60
    content = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(SECRET.encode(), content, hashlib.sha256).digest()
    assert given["webhook-signature"] == f"v1,{b64encode(digest).decode()}"
    assert SECRET not in f"{given}{request.body!r}"


async def test_an_application_on_this_machine_needs_no_secret(
    app: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a first try; elsewhere the start fails without one and names the cure."""
    monkeypatch.delenv("WEBHOOK_SECRET")
    async with session(app) as talk:
        await actions(talk, UserTurn("hello"))
    assert "webhook-signature" not in app.received[0].headers
    provider = create(Kind.DIALOGUE, "webhook", {"url": "https://bot.example/turn"})
    with pytest.raises(ProviderConfigError, match=r"WEBHOOK_SECRET.*Put a secret of your own"):
        await provider.start()


@pytest.mark.parametrize("secret", ["whsec_%%", "sécret"])
async def test_a_secret_that_cannot_be_is_told_and_not_shown(
    secret: str, app: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named."""
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    with pytest.raises(ProviderConfigError, match="WEBHOOK_SECRET") as caught:
        async with dialogue(app):
            pass
    assert secret not in str(caught.value)


async def test_only_the_events_that_are_wanted_are_told(app: FakeHttp) -> None:
    """The turns alone, if none is."""
    async with dialogue(app, events=[]) as provider:
        talk = await provider.open(CONTEXT)
        await actions(talk, UserTurn("hello"))
        await talk.aclose()
    assert [message(each)["event"] for each in app.received] == ["turn"]


async def test_speaking_starts_with_the_first_action(app: FakeHttp) -> None:
    """The application may still work on the rest; closing the answer closes the connection."""
    async with session(
        app, Reply(content_type=NDJSON, parts=[b'{"say": "Well."}\n', 60.0])
    ) as talk:
        answering = talk.respond(UserTurn("hello"))
        assert await anext(answering) == Say("Well.")
        app.gone.clear()
        await answering.aclose()
        await asyncio.wait_for(app.gone.wait(), 2)


async def test_nothing_is_read_after_the_end_of_the_call(app: FakeHttp) -> None:
    """Whatever the application goes on to say."""
    lines = b'{"hang_up": true}\n{"say": "One more thing"}\n'
    async with session(app, Reply(content_type=NDJSON, parts=[lines, 60.0])) as talk:
        assert await actions(talk, UserTurn("bye")) == [HangUp()]


@pytest.mark.parametrize(
    ("reply", "kind", "why", "tries"),
    [
        (Reply(401), ProviderAuthError, "status 401: it refuses .*the signature", 1),
        (Reply(400), ProviderError, "status 400", 1),
        (Reply(404), ProviderConfigError, "status 404", 1),
        (Reply(307, headers={"location": "/"}), ProviderConfigError, "a redirect", 1),
        (Reply(429), ProviderUnavailableError, "status 429", 1),
        (Reply(500), ProviderUnavailableError, "status 500", 1),
        (Reply(503), ProviderUnavailableError, "status 503", 2),
        (Reply(drop="head"), ProviderUnavailableError, "cannot be reached", 2),
        (Reply(parts=[b"{"], drop="body"), ProviderUnavailableError, "broke off", 1),
        (Reply(parts=[b"Hello."]), ProviderProtocolError, "no JSON", 1),
        (Reply(for_ever=b" " * 1000), ProviderProtocolError, "longer than 2000 bytes", 1),
    ],
)
async def test_each_fault_is_an_error(
    reply: Reply, kind: type[ProviderError], why: str, tries: int, app: FakeHttp
) -> None:
    """It tells nothing of what was said. A second try has the first one's id."""
    async with session(app, *[reply] * tries, max_bytes=2000) as talk:
        with pytest.raises(kind, match=why) as caught:
            await actions(talk, UserTurn(WORDS))
        assert len(app.received) == tries
        assert len({each.headers["webhook-id"] for each in app.received}) == 1
    assert type(caught.value) is kind
    assert caught.value.retryable is (kind in (ProviderUnavailableError, ProviderProtocolError))
    assert WORDS not in str(caught.value)


SAID = b'{"say": "Well."}\n'


@pytest.mark.parametrize(
    ("reply", "limit"),
    [
        (Reply(delay_seconds=60), "first_seconds"),
        (Reply(parts=[b"{", 60.0]), "first_seconds"),
        (Reply(content_type=NDJSON, parts=[60.0]), "first_seconds"),
        (Reply(content_type=NDJSON, parts=[SAID, 60.0]), "next_seconds"),
        (Reply(content_type=NDJSON, parts=[SAID], for_ever=b"\n"), "next_seconds"),
    ],
)
async def test_each_wait_has_a_limit(reply: Reply, limit: str, app: FakeHttp) -> None:
    """For the first action, and between actions; what is no action does not count."""
    options: dict[str, Any] = {limit: 0.3}
    async with session(app, reply, events=[], **options) as talk:
        with pytest.raises(ProviderUnavailableError, match=r"within 0\.3 s"):
            await actions(talk, UserTurn("hello"))


async def test_a_proxy_whose_application_starts_anew_is_asked_again(app: FakeHttp) -> None:
    """Once."""
    says = Reply(parts=[b'{"actions": [{"say": "Hello."}]}'])
    async with session(app, Reply(502), says) as talk:
        assert await actions(talk, UserTurn("hello")) == [Say("Hello.")]


async def test_an_application_that_refuses_the_call_gets_none(app: FakeHttp) -> None:
    """Before the caller has said a word."""
    async with dialogue(app) as provider:
        app.replies[PATH] = [Reply(500)]
        with pytest.raises(ProviderUnavailableError):
            await provider.open(CONTEXT)


@pytest.mark.parametrize("reply", [Reply(500), Reply(drop="head"), Reply(delay_seconds=60)])
async def test_the_end_of_a_call_is_told_as_well_as_can_be(reply: Reply, app: FakeHttp) -> None:
    """What comes of it does not keep the call open."""
    async with dialogue(app) as provider:
        talk = await provider.open(CONTEXT)
        app.replies[PATH] = [reply]
        async with asyncio.timeout(4):
            await talk.aclose()


@pytest.mark.parametrize(
    ("reply", "kind", "cure"),
    [
        (Reply(401), ProviderAuthError, "the same secret as WEBHOOK_SECRET"),
        (Reply(503), ProviderUnavailableError, "Start the application"),
    ],
)
async def test_the_start_asks_the_application(
    reply: Reply, kind: type[ProviderError], cure: str, app: FakeHttp
) -> None:
    """So that a wrong secret or URL shows before the first call."""
    app.replies[PATH] = [reply]
    with pytest.raises(kind, match=cure):
        async with dialogue(app):
            pass


async def test_an_application_that_is_not_there_is_told_with_its_cure() -> None:
    """Nothing listens on port 1."""
    provider = create(Kind.DIALOGUE, "webhook", {"url": "http://127.0.0.1:1/turn"})
    with pytest.raises(ProviderUnavailableError, match="Start the application"):
        await provider.start()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"url": "http://bot.example/turn"}, "url: is not https"),
        ({"url": "https://a:b@bot.example/turn"}, "url: holds credentials"),
        ({"url": "/turn"}, "url: is no URL"),
        ({"url": "https://bot.example/turn", "events": ["ring"]}, "events.0"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], why: str) -> None:
    """When the template is read."""
    with pytest.raises(ProviderConfigError, match=why):
        create(Kind.DIALOGUE, "webhook", options)
