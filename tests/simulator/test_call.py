"""The engine, on real sockets, against servers that behave and servers that do not."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from exobridge.simulator import (
    BargeIn,
    CallPlan,
    CallReport,
    Clip,
    Dialect,
    Dtmf,
    EndedBy,
    Exotel,
    HangUp,
    Ids,
    Keys,
    Limits,
    Outcome,
    Patience,
    PlanError,
    PlayWav,
    Rule,
    Say,
    Step,
    Wait,
    events,
)
from exobridge_codecs.formats import Encoding
from exobridge_codecs.pcm import rms_dbfs
from exobridge_codecs.tones import tone
from exobridge_codecs.wav import read_wav
from tests.simulator.servers import (
    Bot,
    BotLine,
    beep,
    bot_server,
    http_answer,
    http_server,
    refusing_server,
)

HELLO = Clip(tone(300, 300, 8000), 8000, "Hello.")
QUICK = Patience(bot_done_ms=150, bot_timeout_ms=600)
LIMITS = Limits(answer_s=1, handshake_s=1, call_s=6, linger_s=0.02)


def plan(url: str, *script: Step, **changes: Any) -> CallPlan:
    """A call that does not wait long."""
    made = CallPlan(url=url, script=script, patience=QUICK, limits=LIMITS)
    return replace(made, **changes)


async def place(wanted: CallPlan) -> CallReport:
    """Place one call."""
    async with Exotel() as exotel:
        return await exotel.call(wanted)


async def call(bot: Bot, *script: Step, **changes: Any) -> CallReport:
    """Place one call on a bot."""
    async with bot_server(bot) as url:
        return await place(plan(url, *script, **changes))


def rules(report: CallReport) -> set[Rule]:
    """Which rules were broken."""
    return {rule for rule, _ in report.violation_counts}


async def polite(line: BotLine) -> None:
    """Greets; then beeps once after each 300 ms of the caller's sound and 100 ms of silence."""
    await line.play(beep(200))
    voiced = silent = 0
    while True:
        frame = await line.next("media")
        loud = rms_dbfs(base64.b64decode(frame["media"]["payload"])) > -45
        voiced, silent = (voiced + loud, 0) if loud else (voiced, silent + 1)
        if voiced >= 10 and silent == 5:
            voiced = 0
            await line.play(beep(200))


async def test_a_polite_bot_makes_a_good_call(tmp_path: Path) -> None:
    """Every line is answered; the answer is timed at the ear; the recording has both sides."""
    told: list[events.Event] = []
    async with bot_server(polite) as url, Exotel() as exotel:
        report = await exotel.call(plan(url, Say(HELLO), PlayWav(HELLO)), told.append)
    assert report.problems == ()
    assert (report.outcome, report.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
    assert [turn.role for turn in report.turns] == ["bot", "caller", "bot", "caller", "bot"]
    assert report.greeting_ms is not None
    assert report.handshake_attempts == 1
    first, second = report.voice_to_voice_ms
    assert first is not None
    assert second is not None
    assert min(first, second) >= 100  # five silent frames pass before it answers
    heard = [event for event in told if isinstance(event, events.BotSpoke)]
    assert [event.number for event in heard] == [0, 1, 2]
    assert all(len(event.pcm) == 3200 for event in heard)

    recorded = report.with_recording(tmp_path / "call.wav")
    wav = read_wav(tmp_path / "call.wav")
    assert recorded.recording == str(tmp_path / "call.wav")
    for turn in report.turns:
        mine, other = (0, 1) if turn.role == "caller" else (1, 0)
        where = slice(int(turn.start_ms) * 16, int(turn.end_ms) * 16)
        assert rms_dbfs(wav.channels[mine][where]) > -20
        assert rms_dbfs(wav.channels[other][where]) < -60


async def test_an_echo_is_an_answer() -> None:
    """Bot audio that overlaps the caller's is heard and counts, but has no voice-to-voice time."""

    async def echo(line: BotLine) -> None:
        await line.play(beep(100))
        while True:
            payload = (await line.next("media"))["media"]["payload"]
            await line.send("media", media={"payload": payload})

    report = await call(echo, Say(HELLO))
    assert report.problems == ()
    assert report.voice_to_voice_ms == (None,)
    assert report.turns[-1].role == "bot"
    assert report.turns[-1].heard_ms == pytest.approx(300, abs=20)


@pytest.mark.parametrize(
    ("encoding", "rate", "frame_ms", "size"),
    [
        (Encoding.MULAW, 8000, 20, 160),
        (Encoding.PCM16, 16000, 100, 3200),
        (Encoding.PCM16, 24000, 33, 1584),
    ],
)
async def test_the_line_is_as_asked(
    encoding: Encoding, rate: int, frame_ms: int, size: int
) -> None:
    """Encoding, rate and frame size reach the bot, in the caller's own spelling."""
    lines: list[BotLine] = []

    async def listen(line: BotLine) -> None:
        lines.append(line)
        await line.until_gone()

    await call(
        listen,
        Wait(120),
        HangUp(wait_for_bot=False),
        encoding=encoding,
        sample_rate=rate,
        frame_ms=frame_ms,
    )
    media = [frame for frame in lines[0].heard if frame["event"] == "media"]
    assert {len(base64.b64decode(frame["media"]["payload"])) for frame in media} == {size}
    assert [frame["media"]["timestamp"] for frame in media] == [
        str(index * frame_ms) for index in range(len(media))
    ]
    assert lines[0].start["start"]["media_format"]["sample_rate"] == str(rate)
    assert lines[0].heard[-1]["event"] == "stop"
    assert lines[0].socket.close_code == 1006


async def test_every_spelling_is_spoken() -> None:
    """A call goes well in each way of writing the same facts."""

    async def one(keys: Keys, ids: Ids) -> None:
        starts: list[dict[str, Any]] = []

        async def greet(line: BotLine) -> None:
            starts.append(line.start)
            await line.play(beep(40))
            await line.until_gone()

        report = await call(greet, dialect=Dialect(keys=keys, text_numbers=False, ids=ids))
        assert report.problems == (), (keys, ids)
        (start,) = starts
        sid = "streamSid" if keys is Keys.CAMEL else "stream_sid"
        found = (sid in start, sid in start["start"])
        assert found == (ids is not Ids.INSIDE, ids is not Ids.TOP), (keys, ids)

    await asyncio.gather(*(one(keys, ids) for keys in Keys for ids in Ids))


async def test_keys_are_pressed_in_order() -> None:
    """Each key is one dtmf event, and the bot's answer to them ends the wait."""
    pressed: list[str] = []

    async def menu(line: BotLine) -> None:
        await line.play(beep(100))
        for _ in range(2):
            pressed.append((await line.next("dtmf"))["dtmf"]["digit"])
        await line.play(beep(100))
        await line.until_gone()

    report = await call(menu, Dtmf("4#"))
    assert report.problems == ()
    assert pressed == ["4", "#"]
    assert [turn.text for turn in report.turns if turn.role == "caller"] == ["4#"]


async def test_barge_in_is_timed_at_the_ear() -> None:
    """The bot's speech ends with its clear; the mark that waited comes back; it answers anew."""
    returned: list[str] = []

    async def talker(line: BotLine) -> None:
        await line.play(beep(3000))
        await line.send("mark", mark={"name": "end"})
        while rms_dbfs(base64.b64decode((await line.next("media"))["media"]["payload"])) < -45:
            pass
        await line.send("clear")
        returned.append((await line.next("mark"))["mark"]["name"])
        await asyncio.sleep(0.45)
        await line.play(beep(200))
        await line.until_gone()

    report = await call(talker, BargeIn(HELLO, after_ms=200))
    assert report.problems == ()
    assert returned == ["end"]
    (cut,) = report.barge_in_ms
    assert 20 <= cut < 400
    greeting, _, answer = report.turns
    assert (greeting.interrupted, answer.interrupted) == (True, False)
    assert greeting.heard_ms < 900
    assert (report.clears, report.marks_received, report.marks_returned) == (1, 1, 1)


async def test_a_greeting_sent_at_once_is_warned_of() -> None:
    """Five seconds in one go play in five seconds, and break a rule of severity warning."""

    async def dump(line: BotLine) -> None:
        await line.play(beep(5000))
        await line.until_gone()

    report = await call(dump, Wait(300), HangUp(wait_for_bot=False))
    assert rules(report) == {Rule.LEAD_TOO_LONG}
    assert report.problems == ()
    assert report.bot_turns[0].heard_ms < 1000


BREAKERS: dict[Rule, str | bytes] = {
    Rule.BINARY_FRAME: b"\x00\x01",
    Rule.NOT_JSON: "no json",
    Rule.MISSING_FIELD: '{"event":"media"}',
    Rule.UNKNOWN_EVENT: '{"event":"hello","stream_sid":"S"}',
    Rule.WRONG_STREAM_SID: '{"event":"clear","stream_sid":"other"}',
    Rule.BAD_BASE64: '{"event":"media","stream_sid":"S","media":{"payload":"%%"}}',
    Rule.CHUNK_TOO_LARGE: json.dumps(
        {"event": "media", "stream_sid": "S", "media": {"payload": "A" * 133_600}}
    ),
    Rule.CHUNK_STEP: '{"event":"media","stream_sid":"S","sequence_number":1,'
    '"media":{"payload":"AAAA","chunk":1,"timestamp":0}}',
}
"""What a bot sends, by the rule that this breaks."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broken() -> dict[Rule, CallReport]:
    """A call with each of those bots, all at once."""

    async def one(message: str | bytes) -> CallReport:
        async def breaker(line: BotLine) -> None:
            if isinstance(message, str):
                await line.socket.send(message.replace('"S"', json.dumps(line.stream_sid)))
            else:
                await line.socket.send(message)
            await line.play(beep(100))
            await line.until_gone()

        return await call(breaker)

    reports = await asyncio.gather(*map(one, BREAKERS.values()))
    return dict(zip(BREAKERS, reports, strict=True))


@pytest.mark.parametrize("rule", BREAKERS)
def test_a_broken_rule_spoils_the_call_and_does_not_end_it(
    broken: dict[Rule, CallReport], rule: Rule
) -> None:
    """The violation is on record with its time, and the bot is heard all the same."""
    report = broken[rule]
    assert rules(report) == {rule}
    assert report.outcome is Outcome.COMPLETED
    assert len(report.bot_turns) == 1
    assert len(report.problems) == 1
    assert str(rule) in report.problems[0]


async def test_a_message_beyond_a_mebibyte_ends_the_stream() -> None:
    """It is not read into memory, and the report says which rule it broke."""

    async def flood(line: BotLine) -> None:
        await line.socket.send("x" * 1_100_000)
        await line.until_gone()

    report = await call(flood)
    assert Rule.FRAME_TOO_LARGE in rules(report)
    assert not report.went_well


async def test_audio_after_stop_is_seen() -> None:
    """A bot that talks on after stop breaks a rule; what it says is not heard."""

    async def deaf(line: BotLine) -> None:
        while True:
            await line.play(beep(20))
            await asyncio.sleep(0.02)

    report = await call(
        deaf, Wait(100), HangUp(wait_for_bot=False), limits=replace(LIMITS, linger_s=0.25)
    )
    assert rules(report) == {Rule.AUDIO_AFTER_STOP}
    assert report.ended_by is EndedBy.CALLER


async def test_audio_before_stop_was_read_is_no_fault() -> None:
    """A server that is slow to read talks on until it has, whatever the clock says."""

    async def slow(line: BotLine) -> None:
        line.socket.transport.pause_reading()
        for _ in range(25):
            await line.play(beep(20))
            await asyncio.sleep(0.02)
        line.socket.transport.resume_reading()
        await line.until_gone()

    report = await call(
        slow, Wait(100), HangUp(wait_for_bot=False), limits=replace(LIMITS, linger_s=0.25)
    )
    assert rules(report) == set()
    assert report.ended_by is EndedBy.CALLER


async def test_a_server_that_dies_is_not_told_to_wait_for_its_last_words() -> None:
    """It closed nothing: the stream was dropped, and that is what is told."""

    async def dies(line: BotLine) -> None:
        await line.play(beep(2000))
        await line.next("media")
        line.socket.transport.abort()

    report = await call(dies)
    assert (report.outcome, report.ended_by) == (Outcome.DROPPED, EndedBy.NETWORK)
    assert rules(report) == set()


async def test_a_server_that_never_reads_is_not_waited_for() -> None:
    """Its audio counts as sent after stop once it has had time to read it."""

    async def deaf(line: BotLine) -> None:
        line.socket.transport.pause_reading()
        while True:
            await line.play(beep(20))
            await asyncio.sleep(0.02)

    report = await call(
        deaf, Wait(100), HangUp(wait_for_bot=False), limits=replace(LIMITS, linger_s=0.25)
    )
    assert rules(report) == {Rule.AUDIO_AFTER_STOP}


@pytest.mark.parametrize(
    ("code", "outcome", "well"),
    [(1000, Outcome.COMPLETED, True), (1011, Outcome.DROPPED, False)],
)
async def test_the_bot_closes(code: int, outcome: Outcome, well: bool) -> None:
    """1000 is how a bot hangs up; another code drops the call."""

    async def leave(line: BotLine) -> None:
        await line.play(beep(100))
        await line.send("mark", mark={"name": "bye"})
        await line.next("mark")
        await line.socket.close(code)

    report = await call(leave)
    assert (report.outcome, report.ended_by, report.close_code) == (outcome, EndedBy.BOT, code)
    assert report.went_well is well


async def test_a_bot_that_hangs_up_early_leaves_lines_unsaid() -> None:
    """The report says so, and that its last words were not played."""

    async def rush(line: BotLine) -> None:
        await line.play(beep(1000))
        await line.socket.close(1000)

    report = await call(rush, Say(HELLO))
    assert rules(report) == {Rule.CLOSED_BEFORE_PLAYED}
    assert any("hung up before 1" in problem for problem in report.problems)


async def test_a_line_that_breaks_is_no_hang_up() -> None:
    """No close frame: the network ended it, with 1006."""

    async def crash(line: BotLine) -> None:
        line.socket.transport.abort()

    report = await call(crash)
    assert (report.outcome, report.ended_by, report.close_code) == (
        Outcome.DROPPED,
        EndedBy.NETWORK,
        1006,
    )


async def test_a_silent_bot_is_not_waited_for_without_end() -> None:
    """The caller speaks anyway, hangs up, and the report tells both."""

    async def mute(line: BotLine) -> None:
        await line.until_gone()

    hurried = replace(QUICK, bot_timeout_ms=250)
    report = await call(mute, Say(HELLO), patience=hurried)
    assert len(report.timeouts) == 2
    assert report.outcome is Outcome.COMPLETED
    assert "the bot was never heard" in report.problems
    assert "line 1 of the caller got no answer" in report.problems


async def test_a_call_has_a_limit() -> None:
    """A bot that never stops talking is hung up on."""

    async def endless(line: BotLine) -> None:
        while True:
            await line.play(beep(100))
            await asyncio.sleep(0.1)

    report = await call(endless, Say(HELLO), limits=replace(LIMITS, call_s=0.5))
    assert report.outcome is Outcome.TIMED_OUT
    assert "the call reached its limit" in report.timeouts


async def test_nothing_of_a_call_is_left() -> None:
    """When the report is there, every task the call started has ended; cancelling it, too."""
    before = asyncio.all_tasks()
    async with bot_server(polite) as url:
        served = asyncio.all_tasks()
        async with Exotel() as exotel:
            running = asyncio.create_task(exotel.call(plan(url, Wait(5000))))
            await asyncio.sleep(0.2)
            mine = asyncio.all_tasks()
            assert len(mine) > len(served)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_many_calls_at_once() -> None:
    """Calls in one process share prepared lines and do not disturb each other."""
    async with bot_server(polite) as url, Exotel() as exotel:
        reports = await asyncio.gather(
            *(exotel.call(plan(url, Say(HELLO), record=False)) for _ in range(20))
        )
    assert [report.problems for report in reports] == [()] * 20
    assert len({report.call_sid for report in reports}) == 20
    assert reports[0].tracks is None


# ------------------------------------------------------------------ before the stream


async def test_the_webhook_is_asked_as_exotel_asks() -> None:
    """The call's parameters are added, the configured ones kept; the stream's URL is obeyed."""
    starts: list[dict[str, Any]] = []

    async def greet(line: BotLine) -> None:
        starts.append(line.start["start"])
        await line.play(beep(100, 16000))
        await line.until_gone()

    async with bot_server(greet) as stream:
        body = json.dumps({"url": f"{stream}/media?sample-rate=16000&token=t&lang"}).encode()
        async with http_server(http_answer("200 OK", body)) as (url, asked):
            report = await place(plan(f"{url}?auth_token=old&a=1", auth_token="new"))
    assert report.problems == ()
    assert report.answer_ms is not None
    assert report.sample_rate == 16000
    target = urlsplit(asked[0].split()[1])
    query = parse_qs(target.query, keep_blank_values=True)
    assert target.path == "/exotel/answer"
    assert query["auth_token"] == ["new"]
    assert query["a"] == ["1"]
    assert query["CallSid"] == [report.call_sid]
    assert query["Direction"] == ["incoming"]
    assert query["EndTime"] == ["1970-01-01 05:30:00"]
    assert starts[0]["custom_parameters"] == {"token": "t", "lang": ""}


async def test_too_many_parameters() -> None:
    """Four parameters are one more than Exotel carries."""
    async with bot_server(polite) as stream:
        report = await place(plan(f"{stream}/?a=1&b=2&c=3", custom_parameters={"d": "4"}))
    assert rules(report) == {Rule.STREAM_PARAMETERS}


@pytest.mark.parametrize(
    ("answer", "outcome", "broken"),
    [
        (http_answer("302 Found", b""), Outcome.REFUSED, set[Rule]()),
        (http_answer("500 Oh", b""), Outcome.NOT_ANSWERED, {Rule.ANSWER_STATUS}),
        (http_answer("200 OK", b"no json"), Outcome.NOT_ANSWERED, {Rule.ANSWER_BODY}),
        (http_answer("200 OK", b"[1]"), Outcome.NOT_ANSWERED, {Rule.ANSWER_BODY}),
        (http_answer("200 OK", b" " * 70_000), Outcome.NOT_ANSWERED, {Rule.ANSWER_BODY}),
        (
            http_answer("200 OK", b'{"url":"http://x"}'),
            Outcome.NOT_ANSWERED,
            {Rule.STREAM_URL},
        ),
        (
            http_answer("200 OK", b'{"url":"ws://127.0.0.1:1"}', "text/html"),
            Outcome.NO_STREAM,
            {Rule.ANSWER_TYPE, Rule.HANDSHAKE},
        ),
        (b"\x00garbage\r\n\r\n", Outcome.NOT_ANSWERED, {Rule.ANSWER_UNREACHABLE}),
    ],
)
async def test_an_answer_that_is_none(answer: bytes, outcome: Outcome, broken: set[Rule]) -> None:
    """Each ends the call with its own outcome; the reason is a rule."""
    async with http_server(answer) as (url, _):
        report = await place(plan(url))
    assert report.outcome is outcome
    assert rules(report) == broken
    assert not report.went_well


async def test_a_slow_answer() -> None:
    """Past the limit there is no call."""
    async with http_server(http_answer("200 OK", b"{}"), delay_s=0.5) as (url, _):
        report = await place(plan(url, limits=replace(LIMITS, answer_s=0.1)))
    assert rules(report) == {Rule.ANSWER_TIMEOUT}
    assert report.answer_ms is None


async def test_a_refused_handshake_is_tried_twice() -> None:
    """Then there is no stream; the token is in no part of the report."""
    async with refusing_server(403) as (url, asked):
        report = await place(plan(f"{url}/?token=secret-token"))
    assert len(asked) == report.handshake_attempts == 2
    assert report.outcome is Outcome.NO_STREAM
    assert "403" in report.violations[0].detail
    assert "secret-token" not in json.dumps(report.to_json())


async def test_a_server_that_never_completes_the_handshake() -> None:
    """Each try is given up at the limit."""
    async with http_server(b"", delay_s=1) as (url, asked):
        limits = replace(LIMITS, handshake_s=0.1)
        report = await place(plan(url.replace("http", "ws"), limits=limits))
    assert report.outcome is Outcome.NO_STREAM
    assert len(asked) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://x"},
        {"url": "ws://[x"},
        {"sample_rate": 44100},
        {"encoding": Encoding.MULAW, "sample_rate": 16000},
        {"encoding": Encoding.ALAW},
        {"frame_ms": 5},
        {"script": (Dtmf("x"),)},
        {"script": (Dtmf(""),)},
    ],
)
def test_a_plan_that_makes_no_sense(changes: dict[str, Any]) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(PlanError):
        replace(CallPlan(url="ws://x"), **changes)
