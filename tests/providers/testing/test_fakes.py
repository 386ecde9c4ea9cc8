"""The fakes do what their options say."""

from __future__ import annotations

import asyncio

import pytest

from exobridge_codecs.formats import pcm16
from exobridge_codecs.tones import tone
from exobridge_providers.base import (
    CallContext,
    Final,
    HangUp,
    Partial,
    Provider,
    Say,
    SpeechEnded,
    SpeechStarted,
    SttConfig,
    SttEvent,
    TtsAudio,
    TtsConfig,
    TtsDone,
    TtsEvent,
    UserTurn,
)
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.testing.fakes import (
    FakeDialogue,
    FakeDialogueOptions,
    FakeRealtime,
    FakeRealtimeOptions,
    FakeStt,
    FakeSttOptions,
    FakeTts,
    FakeTtsOptions,
)

EIGHT = pcm16(8000)
FRAME = tone(440, 20, 8000)


async def test_a_scripted_recogniser_gives_its_lines_in_order() -> None:
    """One a finalize that had audio, then the same for ever; late, if it is told to be."""
    provider = FakeStt(FakeSttOptions(script=("one", "two"), otherwise="more", delay_ms=5))
    session = await provider.open(SttConfig(EIGHT, "en"))
    for audible in (True, False, True, True, True):
        if audible:
            session.send(FRAME)
        session.finalize()
    events = aiter(session.events())
    texts = [(await anext(events)) for _ in range(5)]
    assert texts == [Final(text, finalized=True) for text in ("one", "", "two", "more", "more")]
    assert provider.sessions[0].sent_bytes == 4 * 320
    await session.aclose()


async def test_a_continuous_recogniser_hears_turns_by_loudness() -> None:
    """A word each 200 ms, and the end of the turn after the silence."""
    options = FakeSttOptions(
        script=("where is it",), continuous=True, interims=True, end_of_turn=True, silence_ms=100
    )
    session = await FakeStt(options).open(SttConfig(EIGHT, "en"))
    for frame in [bytes(320)] * 5 + [FRAME] * 20 + [bytes(320)] * 5:
        session.send(frame)
    session.finalize()
    events: list[SttEvent] = []
    async for event in session.events():
        events.append(event)
        if isinstance(event, Final) and event.finalized:
            break
    assert events == [
        SpeechStarted(),
        Partial("where"),
        Partial("where is"),
        SpeechEnded(),
        Final("where is it", end_of_turn=True),
        Final("", finalized=True),
    ]
    await session.aclose()


async def _hum(options: FakeTtsOptions, cancel_after: int | None = None) -> list[TtsEvent]:
    session = await FakeTts(options).open(TtsConfig(EIGHT, "en"))
    await session.say("a", "0123456789")
    await session.say("b", "0")
    events: list[TtsEvent] = []
    async for event in session.events():
        events.append(event)
        if len(events) == cancel_after:
            await session.cancel("a")
        if event == TtsDone("b"):
            break
    await session.aclose()
    return events


async def test_a_hum_is_as_long_as_its_text() -> None:
    """Ten characters of 60 ms are six chunks of 100."""
    events = await _hum(FakeTtsOptions())
    lengths = [len(event.audio) for event in events if isinstance(event, TtsAudio)]
    assert lengths == [1600] * 6 + [960]


@pytest.mark.parametrize(("fault", "goes_on"), [("none", False), ("late", True)])
async def test_a_cancelled_hum_stops_unless_it_is_told_not_to(fault: str, goes_on: bool) -> None:
    """A late vendor sends all of it, with its end."""
    options = FakeTtsOptions.model_validate({"pace": 0.02, "fault": fault})
    events = await _hum(options, cancel_after=2)
    assert (TtsDone("a") in events) is goes_on


async def test_a_scripted_dialogue_goes_by_turns() -> None:
    """And echoes when the script is over."""
    script = ((Say("Hello."),), (Say("Bye."), HangUp()))
    provider = FakeDialogue(FakeDialogueOptions(script=script))
    session = await provider.open(CallContext("call-1"))
    turns = [UserTurn(text) for text in ("a", "b", "c")]
    said = [tuple([action async for action in session.respond(turn)]) for turn in turns]
    assert said == [*script, (Say("You said: c"),)]
    await session.aclose()
    assert provider.sessions[0].turns == turns
    assert provider.sessions[0].closed


async def test_a_realtime_fake_answers_when_the_caller_has_spoken() -> None:
    """Once, after the silence; silence alone is not answered."""
    spoken: list[bytes] = []
    options = FakeRealtimeOptions(silence_ms=60, reply_ms=100)
    session = await FakeRealtime(options).open(CallContext("call-1"), 8000, spoken.append)
    for frame in [bytes(320)] * 10 + [FRAME] * 3 + [bytes(320)] * 10:
        session.hear(frame)
    assert [len(audio) for audio in spoken] == [1600]
    await session.aclose()


@pytest.mark.parametrize(
    "provider",
    [
        FakeStt(FakeSttOptions(fault="open")),
        FakeTts(FakeTtsOptions(fault="open")),
        FakeDialogue(FakeDialogueOptions(fault="open")),
        FakeRealtime(FakeRealtimeOptions(fault="open")),
    ],
    ids=lambda provider: type(provider).__name__,
)
async def test_a_fake_can_fail_to_open(provider: Provider) -> None:
    """As a vendor that is down."""
    with pytest.raises(ProviderUnavailableError):
        await _open(provider)


async def _open(provider: Provider) -> object:
    match provider:
        case FakeStt():
            return await provider.open(SttConfig(EIGHT, "en"))
        case FakeTts():
            return await provider.open(TtsConfig(EIGHT, "en"))
        case FakeDialogue():
            return await provider.open(CallContext("call-1"))
        case FakeRealtime():
            return await provider.open(CallContext("call-1"), 8000, list[bytes]().append)
        case _:
            raise TypeError(provider)


async def test_a_dialogue_can_hang_and_break() -> None:
    """Before its first action, and after it."""
    hanging = await FakeDialogue(FakeDialogueOptions(fault="hang")).open(CallContext("a"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await anext(hanging.respond(UserTurn("hello")))
    breaking = await FakeDialogue(FakeDialogueOptions(fault="break")).open(CallContext("a"))
    answer = breaking.respond(UserTurn("hello"))
    assert await anext(answer) == Say("You said: hello")
    with pytest.raises(ProviderUnavailableError):
        await anext(answer)


async def test_a_recogniser_tells_on_demand_what_it_has_heard() -> None:
    """A word each 200 ms, or the script's own partials; nothing where it heard nothing, and none
    once the final is asked for."""
    options = FakeSttOptions(
        script=("where is it", "my number"), partials=((), ("my", "my numb")), on_demand=True
    )
    provider = FakeStt(options)
    assert provider.capabilities.on_demand
    session = await provider.open(SttConfig(EIGHT, "en"))
    events = aiter(session.events())
    session.peek()
    for frame in [FRAME] * 20:
        session.send(frame)
    session.peek()
    assert await anext(events) == Partial("")  # the script's own, which has none
    session.peek()
    session.finalize()
    assert await anext(events) == Final("where is it", finalized=True)
    for expected in ("", "my", "my numb", "my numb"):
        session.send(FRAME)
        session.peek()
        assert await anext(events) == Partial(expected)
        for frame in [FRAME] * 9:
            session.send(frame)
    await session.aclose()


async def test_scripted_partials_come_as_the_caller_speaks() -> None:
    """One each 200 ms; a wrong one may stand there, and the last stays."""
    options = FakeSttOptions(
        script=("stop",), partials=(("sto", "shop"),), interims=True, continuous=True
    )
    session = await FakeStt(options).open(SttConfig(EIGHT, "en"))
    for frame in [FRAME] * 30:
        session.send(frame)
    session.finalize()
    events = aiter(session.events())
    assert [await anext(events) for _ in range(5)] == [
        SpeechStarted(),
        Partial("sto"),
        Partial("shop"),
        Partial("shop"),
        Final("stop", finalized=True),
    ]
    await session.aclose()
