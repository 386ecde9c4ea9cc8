"""Whole calls: a simulated Exotel on one side, the server with its fakes on the other."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from exobridge.call.events import EndedBy, EventKind, Role
from exobridge.call.state import Outcome
from exobridge.numbers import mask
from exobridge.simulator import (
    BargeIn,
    CallPlan,
    CallReport,
    Dialect,
    Dtmf,
    Exotel,
    Keys,
    Patience,
    Say,
    Wait,
)
from exobridge.simulator import EndedBy as HungUpBy
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.pcm import to_int16
from exobridge_providers.base import UserTurn
from tests.peer import stream
from tests.played import AT_ONCE, Played, Scene, broken_rules, heard_last_ms, heard_ms, play
from tests.server import BOT, ECHO, LINE, QUICK, Server, bot, serving

SECRET = "a-secret-of-the-tests"
LONG = "This is a long answer of the bot, which takes its time to come to its end."

FORMATS = (
    pcm16(8000),
    pcm16(16000),
    pcm16(24000),
    AudioFormat(Encoding.MULAW, 8000),
)
FRAMES_MS = (20, 100, 33)


def pitch(pcm: bytes, sample_rate: int) -> float:
    """The strongest frequency of some audio, in hertz."""
    samples = to_int16(pcm).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * sample_rate / len(samples))


def key(pcm: bytes) -> tuple[int, int]:
    """The strongest low and high frequency of 100 ms of a key's tone at 8 kHz, to 10 Hz."""
    spectrum = np.abs(np.fft.rfft(to_int16(pcm).astype(np.float64)))
    low, high = spectrum[60:100], spectrum[110:170]
    return 600 + 10 * int(np.argmax(low)), 1100 + 10 * int(np.argmax(high))


def heard(report: CallReport, turn: int) -> bytes:
    """What the caller heard of one of the bot's turns, PCM16."""
    assert report.tracks is not None
    per_ms = report.sample_rate * 2 // 1000
    found = report.bot_turns[turn]
    return report.tracks.bot()[int(found.start_ms) * per_ms : int(found.end_ms) * per_ms]


# ------------------------------------------------------------------ every line there is


def number(audio: AudioFormat, *, echo: bool) -> str:
    """The ExoPhone whose template has this rate."""
    return f"0804711223{audio.sample_rate // 8000 + 3 * echo}"


def matrix(server: Server, *, echo: bool) -> list[CallPlan]:
    """A call over every kind of line: formats, frames, spellings, both kinds of URL."""
    # So many calls at once may each wait longer for their turn than a bot pauses.
    patience = replace(QUICK, bot_done_ms=1000)
    return [
        CallPlan(
            url=server.stream_url if static else server.url,
            script=(Say(LINE),),
            called=number(audio, echo=echo),
            encoding=audio.encoding,
            sample_rate=audio.sample_rate if static else None,
            frame_ms=frame_ms,
            dialect=Dialect(keys=keys),
            patience=patience,
        )
        for audio in FORMATS
        for frame_ms in FRAMES_MS
        for keys in Keys
        for static in (False, True)
    ]


async def place(plans: Sequence[CallPlan]) -> list[CallReport]:
    """These calls, ``AT_ONCE`` at a time."""
    places = asyncio.Semaphore(AT_ONCE)
    async with Exotel() as exotel:

        async def one(plan: CallPlan) -> CallReport:
            async with places:
                return await exotel.call(plan)

        return await asyncio.gather(*map(one, plans))


def rates(text: str) -> dict[str, str]:
    """Templates for each rate."""
    return {str(rate): f"{text}\n[stream]\nsample_rate = {rate}\n" for rate in (8000, 16000, 24000)}


def numbers(*, echo: bool) -> str:
    """The ExoPhones of those templates."""
    return ",".join(f"{number(pcm16(rate), echo=echo)}={rate}" for rate in (8000, 16000, 24000))


async def test_a_conversation_is_held_over_every_kind_of_line(tmp_path: Path) -> None:
    """μ-law and PCM16 at three rates, frames of 20, 100 and 33 ms, both spellings of the keys,
    dynamic and static URLs: the greeting and the answer are heard at their pitch, no rule of
    Exotel's is broken, and the record has the right format."""
    async with serving(tmp_path, rates(BOT), EXOTEL_NUMBERS=numbers(echo=False)) as server:
        plans = matrix(server, echo=False)
        for plan, report in zip(plans, await place(plans), strict=True):
            assert report.problems == (), plan
            assert broken_rules(report) == [], plan
            assert report.greeting_ms is not None
            assert heard_ms(report) == pytest.approx(240 + 260, abs=40), plan
            for turn in (0, -1):
                assert abs(pitch(heard(report, turn), report.sample_rate) - 440) < 10
            call = await server.until_over(report.call_sid)
            assert (call.encoding, call.sample_rate) == (plan.encoding, report.sample_rate), plan
            assert call.template == str(report.sample_rate)
            assert call.outcome is Outcome.COMPLETED
            kept = await server.bridge.store.turns(report.call_sid)
            assert [(turn.role, turn.text) for turn in kept] == [
                (Role.BOT, "Hello there."),
                (Role.CALLER, "one"),
                (Role.BOT, "You said: one"),
            ], plan
        assert server.errors() == []


async def test_an_echo_is_heard_over_every_kind_of_line(tmp_path: Path) -> None:
    """The caller's own pitch comes back, as long as it was."""
    async with serving(tmp_path, rates(ECHO), EXOTEL_NUMBERS=numbers(echo=True)) as server:
        plans = matrix(server, echo=True)
        for plan, report in zip(plans, await place(plans), strict=True):
            assert report.problems == (), plan
            assert broken_rules(report) == [], plan
            # A busy machine may leave a gap, which the caller's ear takes for the end of a turn.
            lengths = [turn.heard_ms for turn in report.bot_turns]
            longest = lengths.index(max(lengths))
            assert heard_ms(report) == pytest.approx(300, abs=30), plan
            assert abs(pitch(heard(report, longest), report.sample_rate) - 330) < 20
            call = await server.until_over(report.call_sid)
            assert (call.encoding, call.sample_rate) == (plan.encoding, report.sample_rate), plan
        assert server.errors() == []


# ------------------------------------------------------------------ what happens in a call


def answering(*actions: dict[str, str], ms_per_char: int = 20, **tables: Any) -> str:
    """A template whose dialogue has these actions for the first turn."""
    dialogue = {"options": {"script": [list(actions)]}}
    return bot(dialogue=dialogue, tts={"options": {"ms_per_char": ms_per_char}}, **tables)


STAY = Wait(10_000)
SILENT = CallPlan(url="http://localhost", patience=Patience(bot_timeout_ms=100))
# A lie in `media_format` would be believed: its name is the surest sign there is.
LYING = replace(SILENT, patience=QUICK, dialect=Dialect(media_encoding="audio/x-mulaw"))

SCENES = {
    "bye": Scene(answering({"text": "See you soon."}, {"reason": "all said"})),
    "transfer": Scene(
        answering({"text": "One moment."}, {"target": "sales", "summary": "wants two"})
    ),
    "tones": Scene(answering({"digits": "41"})),
    "idle": Scene(BOT, (STAY,), limits={"idle_seconds": 0.5}),
    "long": Scene(answering({"text": LONG}, ms_per_char=100), limits={"max_call_seconds": 3}),
    "long-echo": Scene(ECHO, (STAY,), SILENT, limits={"max_call_seconds": 1.3}),
    "keys": Scene(BOT, (Dtmf("417#"), Say(LINE))),
    "cut": Scene(
        answering({"text": LONG}, ms_per_char=40, stt={"options": {"script": ["one", "no, two"]}}),
        (Say(LINE), BargeIn(LINE, 1000)),
    ),
    "narrow": Scene(
        bot(stream={"encoding": "mulaw"}), plan=replace(LYING, encoding=Encoding.MULAW)
    ),
    "wide": Scene(bot(stream={"encoding": "pcm16", "sample_rate": 16000}), plan=LYING),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All of them at once, on one server."""
    return await play(tmp_path_factory.mktemp("calls"), SCENES)


def ending(one: Played) -> tuple[object, ...]:
    """How the record says that a call ended."""
    return (one.call.outcome, one.call.ended_by, one.call.end_reason)


def left_by_the_bot(one: Played) -> bool:
    """The caller's side saw the bot close the stream, properly, once all had been played."""
    clean = not one.report.problems and not one.broken_rules
    return clean and (one.report.ended_by, one.report.close_code) == (HungUpBy.BOT, 1000)


def test_a_goodbye_is_played_to_its_end_before_the_bot_hangs_up(
    played: dict[str, Played],
) -> None:
    """Then the socket is closed with 1000, and the record says that the bot ended the call."""
    one = played["bye"]
    assert left_by_the_bot(one)
    assert heard_last_ms(one.report) == pytest.approx(260, abs=20)
    assert ending(one) == (Outcome.COMPLETED, EndedBy.BOT, "all said")
    assert (one.said[-1], one.turns[-1].interrupted) == ("See you soon.", False)


def test_a_transfer_is_remembered_and_the_line_is_left_after_the_last_word(
    played: dict[str, Played],
) -> None:
    """Exotel's flow goes on when the socket closes; by then the request is in the record."""
    one = played["transfer"]
    assert left_by_the_bot(one)
    assert heard_last_ms(one.report) == pytest.approx(220, abs=20)
    assert ending(one) == (Outcome.TRANSFERRED, EndedBy.BOT, "transfer")
    # The format is decided meanwhile, by the caller's audio.
    events = [event for event in one.events if event.kind is not EventKind.STREAM_FORMAT]
    assert [event.kind for event in events] == [
        EventKind.ANSWER,
        EventKind.STREAM_STARTED,
        EventKind.TRANSFER_REQUESTED,
        EventKind.STREAM_ENDED,
    ]
    asked = events[2].data
    assert (asked["target"], asked["summary"]) == ("sales", "wants two")


def test_keys_that_the_bot_presses_are_heard_as_tones(played: dict[str, Played]) -> None:
    """DTMF cannot be sent as an event."""
    one = played["tones"]
    assert one.report.problems == ()
    tones = heard(one.report, 1)
    assert key(tones[:1600]) == (770, 1210)  # 4
    assert key(tones[-1600:]) == (700, 1210)  # 1


def test_a_silent_caller_is_asked_once_and_then_left(played: dict[str, Played]) -> None:
    """A question, a goodbye, and the bot hangs up."""
    one = played["idle"]
    assert left_by_the_bot(one)
    assert ending(one) == (Outcome.COMPLETED, EndedBy.BOT, "idle")
    assert one.said == ["Hello there.", "Still there?", "Goodbye."]


def test_a_call_has_a_maximum_length(played: dict[str, Played]) -> None:
    """At its end the caller is told so, whatever the bot was saying, and the line is closed: with
    a conversation, and with a speech-to-speech session, which is not told to say anything."""
    for name in ("long", "long-echo"):
        report = played[name].report
        assert (report.ended_by, report.close_code) == (HungUpBy.BOT, 1000)
        assert ending(played[name]) == (Outcome.FAILED, EndedBy.SERVER, "maximum length")
    *_, cut, last = played["long"].turns
    assert (last.text, last.interrupted) == ("It was too long.", False)
    assert cut.interrupted
    assert LONG.startswith(cut.text)
    assert played["long"].broken_rules == []


def test_keys_reach_the_dialogue(played: dict[str, Played]) -> None:
    """As digits of a turn of their own; ``#`` ends them."""
    one = played["keys"]
    assert one.report.problems == ()
    assert one.told == [
        UserTurn(digits="417", heard="Hello there."),
        UserTurn(text="one", heard="You said: 417"),
    ]
    assert one.said == ["Hello there.", "417", "You said: 417", "one", "You said: one"]


def test_an_interruption_silences_the_bot_and_shortens_its_turn(
    played: dict[str, Played],
) -> None:
    """The rest of the answer is cleared, the record and the dialogue know what was heard, and what
    was said into it is answered."""
    one = played["cut"]
    assert one.report.problems == ()
    assert one.broken_rules == []
    assert one.report.clears == 1
    _, cut, answer = one.report.bot_turns
    assert cut.interrupted
    assert cut.heard_ms < 2000  # of 2960
    assert answer.start_ms > cut.end_ms
    bot_turn, caller_turn = Role.BOT, Role.CALLER
    assert [turn.role for turn in one.turns] == [
        bot_turn,
        caller_turn,
        bot_turn,
        caller_turn,
        bot_turn,
    ]
    kept = one.turns[2]
    assert kept.interrupted
    assert LONG.startswith(kept.text)
    assert 0 < len(kept.text) < len(LONG) * 0.7
    assert kept.heard_ms is not None
    assert abs(kept.heard_ms - cut.heard_ms) < 150
    assert one.told[1] == UserTurn(text="no, two", interrupted=True, heard=kept.text)


def test_a_templates_encoding_is_used_whatever_the_line_says(played: dict[str, Played]) -> None:
    """Nothing is measured then, and the record says why."""
    for name, wanted in (("narrow", ("mulaw", 8000)), ("wide", ("pcm16", 16000))):
        one = played[name]
        assert one.report.problems == ()
        assert (one.call.encoding, one.call.sample_rate) == wanted
        (event,) = [event for event in one.events if event.kind is EventKind.STREAM_FORMAT]
        assert event.data["why"] == "forced by setting"
        for turn in range(2):
            assert abs(pitch(heard(one.report, turn), one.report.sample_rate) - 440) < 10


async def test_what_a_caller_heard_is_kept_when_the_line_breaks(tmp_path: Path) -> None:
    """Of an answer in the middle of which the socket went, only the beginning."""
    templates = {"default": answering({"text": LONG}, ms_per_char=40)}
    async with serving(tmp_path, templates) as server, stream(server.stream_url) as peer:
        await peer.start()
        await peer.next("mark")
        await peer.speak(LINE.pcm)
        for _ in range(4):
            await peer.next("media")
        peer.socket.transport.abort()
        call = await server.until_over(peer.call_sid)
        assert (call.outcome, call.ended_by) == (Outcome.FAILED, EndedBy.NETWORK)
        last = (await server.bridge.store.turns(peer.call_sid))[-1]
        assert last.interrupted
        assert last.heard_ms is not None
        assert 0 < last.heard_ms < 1000
        assert LONG.startswith(last.text)


# ------------------------------------------------------------------ the log


async def test_the_log_names_each_call_and_hides_what_must_not_be_seen(tmp_path: Path) -> None:
    """One line a webhook, one when a call starts and one when it ends; numbers are masked, and
    neither secret nor token stands in any line, down to DEBUG."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET, LOG_LEVEL="DEBUG") as server:
        asked = CallPlan(url=server.url, script=(Say(LINE),), patience=QUICK, auth_token=SECRET)
        static = replace(asked, url=f"{server.stream_url}/{SECRET}", auth_token="")
        reports = await place([asked, replace(asked, custom_parameters={"lang": "hi"}), static])
        for report in reports:
            assert report.problems == ()
            await server.until_over(report.call_sid)
            of_call = server.log(call_sid=report.call_sid)
            assert [entry["event"] for entry in of_call if entry["event"] != "webhook"] == [
                "call started",
                "stream format",
                "call ended",
            ]
            (started,) = server.log("call started", call_sid=report.call_sid)
            assert started["caller"] == mask("+919811122233")
            assert started["called"] == mask("+918047112233")
        assert len(server.log("webhook")) == 2
        text = server.text.getvalue()
        tokens = [
            base64.urlsafe_b64encode(f'"{report.call_sid}"'.encode()).decode().rstrip("=")
            for report in reports
        ]
        for hidden in (SECRET, "9811122233", "8047112233", "/exotel/stream/", *tokens):
            assert hidden not in text, hidden
