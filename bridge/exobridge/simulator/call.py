"""Exotel, for one call or for many: asks the webhook, opens the stream, plays it, measures it.

::

    async with Exotel() as exotel:
        report = await exotel.call(CallPlan(url="http://127.0.0.1:8080", script=(Say(clip),)))

Calls are independent; as many as the machine bears can run at once in one event loop.
"""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx
from websockets.asyncio.client import ClientConnection

from exobridge.simulator import events, measure
from exobridge.simulator.answer import (
    Answer,
    ask,
    examine,
    passthru_parameters,
    with_query,
)
from exobridge.simulator.caller import Caller
from exobridge.simulator.client import http_client
from exobridge.simulator.earpiece import Earpiece
from exobridge.simulator.handshake import open_stream
from exobridge.simulator.line_faults import entries
from exobridge.simulator.plan import CallPlan
from exobridge.simulator.report import CallReport, EndedBy, Outcome, Tracks
from exobridge.simulator.rules import Breach, Violation, ViolationLog
from exobridge.simulator.stream import MediaStream, StreamEnd
from exobridge.simulator.tap import tapped
from exobridge.simulator.verdict import problems
from exobridge.simulator.wire import FrameWriter, Identity, stream_format
from exobridge.wire.recorder import WireRecorder
from exobridge_codecs.formats import AudioFormat

_SID_ALPHABET = string.ascii_lowercase + string.digits


def new_sid() -> str:
    """An id as Exotel's are: 32 characters, opaque."""
    return "".join(secrets.choice(_SID_ALPHABET) for _ in range(32))


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Exotel:
    """An Exotel account that calls a server. Use it with ``async with``.

    Args:
        account_sid: The account's name.
        clock: Seconds, monotonic.
        wall_clock: The time of day, aware.
        wire: Keeps what passes on the wire of its calls.
    """

    def __init__(
        self,
        *,
        account_sid: str = "simulated1",
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = _utc_now,
        wire: WireRecorder | None = None,
    ) -> None:
        self._account_sid = account_sid
        self._clock = clock
        self._wall_clock = wall_clock
        self._wire = wire
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._client = http_client(self._wire)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def call(
        self,
        plan: CallPlan,
        tell: events.Listener = events.ignore,
        *,
        transcribe: events.Transcribe | None = None,
        leave: asyncio.Event | None = None,
    ) -> CallReport:
        """Place one call and play it to its end. Whatever the server does is in the report.

        Args:
            plan: The call.
            tell: Told what happens, as it happens.
            transcribe: Understands what is heard of the bot, while it is heard; without it a
                ``Hear`` with words is over when the bot's turn is.
            leave: Once it is set, the caller hangs up.

        Raises:
            RuntimeError: Outside ``async with``.
        """
        if self._client is None:
            raise RuntimeError("Exotel is used with `async with`")
        identity = Identity(
            call_sid=plan.call_sid or new_sid(),
            stream_sid=new_sid(),
            account_sid=self._account_sid,
            leg_sid=new_sid(),
            caller=plan.caller,
            called=plan.called,
        )
        companion = events.Companion(tell, transcribe, leave or asyncio.Event())
        one = _Call(
            plan, identity, self._client, self._clock, self._wall_clock, companion, self._wire
        )
        return await one.run()


class _Call:
    def __init__(
        self,
        plan: CallPlan,
        identity: Identity,
        client: httpx.AsyncClient,
        clock: Callable[[], float],
        wall_clock: Callable[[], datetime],
        companion: events.Companion,
        wire: WireRecorder | None,
    ) -> None:
        self._plan = plan
        self._wire = wire
        self._identity = identity
        self._client = client
        self._clock = clock
        self._wall_clock = wall_clock
        self._companion = companion
        self._tell = companion.tell
        self._log = ViolationLog()
        self._deadline = clock() + plan.limits.call_s
        self._report = CallReport(
            call_sid=identity.call_sid,
            stream_sid=identity.stream_sid,
            encoding=str(plan.encoding),
            sample_rate=plan.sample_rate or 8000,
            frame_ms=plan.frame_ms,
            outcome=Outcome.NOT_ANSWERED,
        )

    async def run(self) -> CallReport:
        stream_url = await self._stream_url()
        if stream_url is None:
            return self._concluded()
        if self._plan.custom_parameters:
            stream_url = with_query(stream_url, self._plan.custom_parameters)
        self._report = replace(self._report, stream_url=stream_url)
        target = examine(stream_url)
        self._broken(target.breaches)
        audio = stream_format(
            self._plan.encoding, self._plan.sample_rate or target.sample_rate or 8000
        )
        # Before the stream, and off the loop: a new clip is resampled and encoded here.
        caller = await asyncio.to_thread(
            Caller, self._plan.script, audio, self._plan.frame_ms, self._plan.patience
        )
        opened = await open_stream(
            stream_url,
            timeout_s=min(self._plan.limits.handshake_s, self._left()),
            clock=self._clock,
            faults=self._plan.line,
        )
        self._broken(opened.breaches)
        self._report = replace(
            self._report,
            faults=entries(self._plan.line, opened.attempts),
            sample_rate=audio.sample_rate,
            handshake_ms=opened.ms,
            handshake_attempts=opened.attempts,
        )
        if opened.socket is None:
            self._report = replace(self._report, outcome=Outcome.NO_STREAM)
            return self._concluded()
        socket = opened.socket
        if self._wire is not None:
            tap = self._wire.stream()
            tap.named(self._identity.call_sid, "")
            socket = tapped(socket, tap)
        return await self._stream(socket, target.custom_parameters, audio, caller)

    async def _stream_url(self) -> str | None:
        plan = self._plan
        if plan.is_static:
            return plan.url
        first = passthru_parameters(self._identity, self._wall_clock(), outgoing=plan.outgoing)
        parameters = dict(first if plan.parameters is None else plan.parameters)
        if plan.auth_token:
            parameters["auth_token"] = plan.auth_token
        answer: Answer = await ask(
            self._client,
            with_query(plan.answer_url, parameters),
            timeout_s=min(plan.limits.answer_s, self._left()),
            clock=self._clock,
        )
        self._broken(answer.breaches)
        self._report = replace(
            self._report,
            answer_ms=answer.ms,
            answer_status=answer.status,
            outcome=Outcome.REFUSED if answer.refused else Outcome.NOT_ANSWERED,
        )
        if answer.ms is not None and (answer.refused or answer.stream_url):
            self._tell(events.Answered(answer.ms, answer.refused))
        return answer.stream_url

    async def _stream(
        self,
        socket: ClientConnection,
        custom_parameters: Mapping[str, str],
        audio: AudioFormat,
        caller: Caller,
    ) -> CallReport:
        plan = self._plan
        self._tell(
            events.StreamOpened(
                self._report.handshake_ms or 0.0, str(audio.encoding), audio.sample_rate
            )
        )
        earpiece = Earpiece(audio, marks_after_clear=plan.marks_after_clear, record=plan.record)
        writer = FrameWriter(audio, self._identity, plan.dialect)
        stream = MediaStream(
            socket,
            plan,
            stream_sid=self._identity.stream_sid,
            writer=writer,
            caller=caller,
            earpiece=earpiece,
            log=self._log,
            clock=self._clock,
            companion=self._companion,
        )
        end = await stream.run(custom_parameters, timeout_s=self._left())
        self._report = replace(
            self._report,
            outcome=_outcome(end),
            ended_by=end.ended_by,
            close_code=end.close_code,
            duration_ms=end.duration_ms,
            frames_sent=writer.chunks,
            frames_received=stream.tally.frames_received,
            chunks_received=stream.tally.chunks_received,
            bytes_received=stream.tally.bytes_received,
            marks_received=stream.tally.marks_received,
            marks_returned=stream.tally.marks_returned,
            marks=tuple(stream.tally.marks),
            send_lateness_ms=stream.tally.send_lateness_ms,
            faults=entries(
                plan.line, self._report.handshake_attempts, end.duration_ms, stream.tally.marks_lost
            ),
        )
        self._measure(caller, earpiece)
        if plan.record:
            tracks = Tracks(audio, tuple(caller.lines), tuple(earpiece.heard), end.duration_ms)
            self._report = replace(self._report, tracks=tracks)
        found = measure.answers(caller.lines, earpiece.utterances)
        unanswered = [
            index
            for index, (line, answer) in enumerate(zip(caller.lines, found, strict=True))
            if line.answered and answer is None
        ]
        return self._concluded(unanswered, caller.unspoken)

    def _measure(self, caller: Caller, earpiece: Earpiece) -> None:
        lines, utterances = caller.lines, earpiece.utterances
        limit = ["the call reached its limit"] * (self._report.outcome is Outcome.TIMED_OUT)
        self._report = replace(
            self._report,
            greeting_ms=utterances[0].start_ms if utterances else None,
            turns=measure.turns(lines, utterances, earpiece.gaps, earpiece.clears),
            voice_to_voice_ms=measure.voice_to_voice(lines, utterances),
            barge_in_ms=measure.barge_in(lines, utterances),
            bot_gaps=tuple(earpiece.gaps),
            clears=len(earpiece.clears),
            clears_at_ms=tuple(clear.at_ms for clear in earpiece.clears),
            steps_ms=tuple(caller.steps_ms),
            timeouts=(*caller.timeouts, *limit),
        )

    def _concluded(self, unanswered: Sequence[int] = (), unspoken: int = 0) -> CallReport:
        report = replace(
            self._report,
            violations=self._log.kept,
            violation_counts=tuple(self._log.counts.items()),
        )
        return replace(report, problems=problems(report, unanswered, unspoken))

    def _left(self) -> float:
        return max(0.01, self._deadline - self._clock())

    def _broken(self, breaches: tuple[Breach, ...]) -> None:
        for breach in breaches:
            violation: Violation | None = self._log.add(breach, 0.0)
            if violation is not None:
                self._tell(events.RuleBroken(violation))


def _outcome(end: StreamEnd) -> Outcome:
    if end.timed_out:
        return Outcome.TIMED_OUT
    if end.ended_by in (EndedBy.CALLER, EndedBy.LIMIT):
        return Outcome.COMPLETED
    if end.ended_by is EndedBy.BOT and end.close_code == 1000:
        return Outcome.COMPLETED
    return Outcome.DROPPED
