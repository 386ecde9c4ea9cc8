"""A line that goes wrong, over real sockets: what a server sees of it, and what the report says."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from exobridge.simulator import CallReport, EndedBy, HangUp, Outcome, Say, Wait
from exobridge.simulator.line_faults import LineFaults, Odd, OddFrame, Stall, Try
from exobridge.simulator.timeline import Kind, labels
from tests.simulator.servers import BotLine, beep, bot_server
from tests.simulator.test_call import HELLO, LIMITS, call, place, plan, rules

BYE = HangUp(wait_for_bot=False)


async def listens(line: BotLine) -> None:
    """A bot that says nothing."""
    await line.until_gone()


async def answers(line: BotLine) -> None:
    """A bot that speaks, marks the end of it, and listens."""
    await line.play(beep(200))
    await line.send("mark", mark={"name": "end"})
    await line.until_gone()


class Frames:
    """A bot that keeps what it is sent, and when."""

    def __init__(self) -> None:
        self.texts: list[str | bytes] = []
        self.times: list[float] = []
        self.code = 0

    async def __call__(self, line: BotLine) -> None:
        """Listen."""
        try:
            while True:
                self.texts.append(await line.socket.recv())
                self.times.append(asyncio.get_running_loop().time())
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else 1006

    @property
    def events(self) -> list[dict[str, Any]]:
        """The messages that can be read."""
        return [json.loads(text) for text in self.texts if str(text).endswith("}")]

    def named(self, event: str) -> list[dict[str, Any]]:
        """Those of one kind."""
        return [each for each in self.events if each["event"] == event]


def told(report: CallReport) -> list[str]:
    """The faults that the report tells of."""
    return labels(report.faults, Kind.FAULT)


@pytest.mark.parametrize("fate", [Try.UNREACHED, Try.CUT, Try.UNHEARD])
async def test_a_failed_handshake_is_tried_again(fate: Try) -> None:
    """The second try goes well, and nothing of it is the server's fault."""
    line = LineFaults(tries=(fate,))
    report = await call(answers, Wait(300), line=line)
    assert (report.outcome, report.handshake_attempts) == (Outcome.COMPLETED, 2)
    assert report.bot_turns
    assert rules(report) == set()
    assert len(told(report)) == 1


async def test_without_a_handshake_there_is_no_stream_and_no_violation() -> None:
    """Two tries that do not reach the server say nothing about it."""
    report = await call(answers, line=LineFaults(tries=(Try.UNREACHED, Try.CUT)))
    assert (report.outcome, report.handshake_attempts) == (Outcome.NO_STREAM, 2)
    assert rules(report) == set()


async def test_audio_before_start_and_odd_frames_are_sent() -> None:
    """They stand where they belong, and the caller's audio is whole around them."""
    frames = Frames()

    async def handle(line: BotLine) -> None:
        await frames(line)

    line = LineFaults(odd_frames=(OddFrame(0, Odd.START), OddFrame(40, Odd.NO_JSON)))
    await call(handle, Wait(200), BYE, line=line)
    assert len(frames.named("start")) == 1  # the first was taken before the bot was asked
    assert len(frames.texts) == len(frames.events) + 1
    times = [int(each["media"]["timestamp"]) for each in frames.named("media")]
    assert times == list(range(0, 20 * len(times), 20))


async def test_payloads_of_other_sizes_hold_the_same_audio() -> None:
    """What the caller said arrives byte by byte, in payloads as they were ordered."""
    frames = Frames()
    report = await call(frames, Say(HELLO), Wait(100), line=LineFaults(payload_bytes=(333, 81)))
    payloads = [base64.b64decode(each["media"]["payload"]) for each in frames.named("media")]
    assert {len(each) for each in payloads} == {333, 81}
    assert report.tracks is not None
    heard = b"".join(payloads)
    assert heard == report.tracks.caller()[: len(heard)]


async def test_a_slow_line_delays_everything_and_loses_nothing() -> None:
    """Media and stop come late, in order and all; the mark's round trip is as long as both ways."""
    frames, quick = Frames(), Frames()
    line = LineFaults(delay_ms=200, jitter_ms=20, stalls=(Stall(300, 300),))
    report = await call(frames, Wait(700), BYE, line=line)
    await call(quick, Wait(700), BYE)
    assert len(frames.named("media")) == len(quick.named("media"))
    assert frames.named("stop")
    numbers = [int(each["sequence_number"]) for each in frames.events]
    assert numbers == sorted(numbers)
    gaps = [after - before for before, after in zip(frames.times, frames.times[1:], strict=False)]
    assert max(gaps) > 0.1  # the stall
    assert told(report) == ["frames late", "jitter", "line stalled"]


async def test_what_the_bot_says_can_be_late() -> None:
    """It is heard so much later than it was sent."""
    report = await call(answers, Wait(600), line=LineFaults(return_delay_ms=300))
    assert report.greeting_ms is not None
    assert report.greeting_ms >= 300
    assert report.marks_returned == 1


async def test_lost_marks_do_not_come_back() -> None:
    """The bot waits in vain; the report tells how many were lost."""
    report = await call(answers, Wait(300), line=LineFaults(lost_marks=1))
    assert (report.marks_received, report.marks_returned) == (1, 0)
    assert told(report) == ["marks lost"]


async def test_a_reset_ends_the_stream_without_stop() -> None:
    """The server sees 1006 and no stop; the network ended it, and no rule is broken."""
    frames = Frames()
    report = await call(frames, Wait(3000), line=LineFaults(reset_at_ms=300))
    assert (report.outcome, report.ended_by) == (Outcome.DROPPED, EndedBy.NETWORK)
    assert frames.code == 1006
    assert frames.named("stop") == []
    assert 300 <= report.duration_ms < 2000
    assert rules(report) == set()
    assert told(report) == ["connection reset"]


async def test_a_half_open_line_is_silent_both_ways() -> None:
    """Nothing is sent any more, what the server sends is not read, and in the end it is given
    up."""
    frames = Frames()

    async def chatters(line: BotLine) -> None:
        reading = asyncio.create_task(frames(line))
        try:
            for _ in range(10):
                await line.play(beep(60))
                await asyncio.sleep(0.1)
        finally:
            await reading

    line = LineFaults(half_open_at_ms=300, half_open_for_ms=500)
    report = await call(chatters, Wait(5000), line=line)
    assert report.ended_by is EndedBy.NETWORK
    assert report.chunks_received < 6
    assert len(frames.named("media")) * 20 <= 320
    assert frames.named("stop") == []
    assert told(report) == ["half-open"]


async def test_a_stream_can_end_without_stop() -> None:
    """The caller hangs up, and the connection breaks off with 1006."""
    frames = Frames()
    report = await call(frames, Wait(200), BYE, sends_stop=False)
    assert (report.outcome, report.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
    assert frames.named("stop") == []
    assert frames.code == 1006


async def test_exotel_ends_a_stream_at_its_longest() -> None:
    """Stop is sent, and it is neither the caller nor the call's own limit."""
    frames = Frames()
    limits = type(LIMITS)(answer_s=1, handshake_s=1, call_s=6, linger_s=0.02, stream_s=0.3)
    async with bot_server(frames) as url:
        report = await place(plan(url, Wait(5000), limits=limits))
    assert (report.outcome, report.ended_by) == (Outcome.COMPLETED, EndedBy.LIMIT)
    assert 300 <= report.duration_ms < 1500
    assert [each["stop"]["reason"] for each in frames.named("stop")] == ["stopped"]


async def test_a_line_without_faults_tells_of_none() -> None:
    """A report of an ordinary call has no faults."""
    report = await call(answers, Wait(100))
    assert report.faults == ()
    assert report.to_json()["faults"] == []
