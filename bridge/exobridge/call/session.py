"""One call, from its open socket to its end. Everything it starts ends with it.

The socket's text frames come in by a plain call, so that the common frame costs no task and no
queue; tasks are for what waits: the plan, the providers' events, an answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import structlog

from exobridge.call import events
from exobridge.call.conversation import Conversation
from exobridge.call.events import EndedBy
from exobridge.call.hearing import Hearing
from exobridge.call.orders import Order, Result, kind_of
from exobridge.call.plan import CallPlan, Line, Services
from exobridge.call.playout import PlayoutOptions
from exobridge.call.resuming import TOO_LONG
from exobridge.call.speaking import Speaking
from exobridge.call.stage import Stage
from exobridge.call.steering import RealtimeSteering
from exobridge.call.talk import open_conversation, open_realtime
from exobridge.call.tally import Tally
from exobridge.call.tape import Tape
from exobridge.exotel.detection import Decision, FormatDetector
from exobridge.exotel.messages import Dtmf, Event, MarkPlayed, Media, Started, Stopped
from exobridge.exotel.stream import ExotelStream
from exobridge.numbers import mask
from exobridge_codecs.formats import FRAME_MS, AudioFormat, pcm16

HELD_BYTES = 500_000
"""Audio kept while providers open: 10 s of PCM16 at 24 kHz; beyond, the oldest is dropped."""

CHECK_S = 0.25
"""How often limits are looked at, in seconds."""

LAST_WORDS_S = 180.0
"""A call that has reached its maximum length is cut off so long after, in seconds, if its last
words have not come to their end: the longest line there is takes less."""

FLOOD_FRAMES = 1000
"""More frames than this from one look at the limits to the next are no phone line's. Audio of 20 ms
frames that was held up for as long as a line may be silent comes as 250 at once."""

NORMAL, GOING_AWAY, POLICY, ERROR = 1000, 1001, 1008, 1011
"""Close codes (RFC 6455, section 7.4.1)."""

RESTART = 1012
"""What the web server closes every socket with when it shuts down (IANA's registry)."""

_log = structlog.stdlib.get_logger("exobridge.call")

PlanCall = Callable[[Started], Awaitable[CallPlan | None]]
"""Decides what to do with a stream that has begun; ``None``: it is not wanted."""


class _CallOverError(Exception):
    """Ends the call's task group; never leaves this module."""


@dataclass(frozen=True, slots=True)
class End:
    """Why a call ended, and the close code we end it with."""

    by: EndedBy
    reason: str
    code: int = NORMAL


class CallSession:
    """One stream.

    Args:
        line: Its socket, accepted.
        plan_call: Asked once ``start`` has come.
        services: What all calls share.
    """

    def __init__(self, line: Line, plan_call: PlanCall, services: Services) -> None:
        self._line = line
        self._plan_call = plan_call
        self._services = services
        self._log: structlog.stdlib.BoundLogger = _log
        loop = asyncio.get_running_loop()
        self._now = loop.time
        self._stream = ExotelStream()
        services.meters.stream_opened(self._stream.counters)
        self._tally = Tally()
        self._hearing = Hearing()
        self._speaking = Speaking(self._stream, line.send, services.wheel, self._now)
        self._conversation: Conversation | None = None
        self._realtime: RealtimeSteering | None = None
        self._started: asyncio.Future[Started] = loop.create_future()
        self._over: asyncio.Future[End] = loop.create_future()
        self._detector: FormatDetector | None = None
        self._decided = asyncio.Event()
        self._format: AudioFormat | None = None
        self._unrecorded_format: events.CallEvent | None = None
        self._plan: CallPlan | None = None
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._heard_from: float | None = None
        self._tape: Tape | None = None
        self._listening = False
        self._left = asyncio.Event()
        self._code = NORMAL
        self._started_at = self._heard_at = loop.time()
        self._ends_at: float | None = None
        self._is_too_long = False
        self._warns_at: float | None = None
        self._frames_seen = 0
        self._check = services.wheel.timer(self._look)

    async def run(self) -> None:
        """Hold the call until it is over; only cancellation gets out of here."""
        self._check.at(self._now() + CHECK_S)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._converse(tasks))
                await asyncio.shield(self._over)
                self._leave()
                raise _CallOverError
        except* _CallOverError:
            pass
        except* Exception as errors:
            self._log.error("call crashed", exc_info=errors)
            self._end(End(EndedBy.SERVER, "error", ERROR))
        finally:
            self._leave()

    def _leave(self) -> None:
        """Fall silent, keep the facts and close the socket. At once: the caller shall not wait in
        silence for providers that take their time to close."""
        if not self._left.is_set():
            self._left.set()
            self._check.at(None)
            self._speaking.mute()
            self._finish()
            if self._tape is not None and self._services.tapes is not None:
                self._services.tapes.close(self._tape, self._now())
            self._services.meters.stream_closed(self._stream.counters)
        self._line.close(self._end_now().code)

    def hang_up(self, reason: str, code: int = GOING_AWAY) -> None:
        """End the call from outside, at once."""
        self._end(End(EndedBy.SERVER, reason, code))

    async def hung_up(self, reason: str) -> None:
        """The same, and wait until all that is kept of it has been handed to the recorder."""
        self.hang_up(reason)
        await self._left.wait()

    def say_goodbye(self, reason: str) -> None:
        """End the call with its goodbye line. One that is in its last words already ends by itself;
        one that has no line yet, or no voice of ours, is hung up."""
        conversation = self._conversation
        if conversation is None:
            self.hang_up(reason)
        elif not conversation.closing:
            self._code = GOING_AWAY
            conversation.close_with(conversation.lines.texts.goodbye, EndedBy.SERVER, reason)

    def obey(self, order: Order) -> Result:
        """Do what an operator wants, or say why not."""
        if self._over.done():
            return Result.CLOSING
        steered = self._conversation or self._realtime
        result = Result.NOT_OPEN if steered is None else steered.obey(order)
        self._log.info("call steered", order=kind_of(order), result=str(result))
        return result

    def _end(self, end: End) -> None:
        if not self._over.done():
            self._ended_wall = self._services.wall_clock()
            self._over.set_result(end)

    def _end_now(self) -> End:
        """How the call ended; a cancelled one ends now."""
        self._end(End(EndedBy.SERVER, "cancelled", GOING_AWAY))
        return self._over.result()

    # -------------------------------------------------------------- what comes in

    async def _listen(self) -> None:
        code = await self._line.listen(self._receive)
        if code == RESTART:
            return self._end(End(EndedBy.SERVER, "shutdown", code))
        self._end(End(EndedBy.NETWORK, f"closed with {code}", code))

    def _receive(self, text: bytes) -> None:
        for event in self._stream.receive(text):
            if type(event) is Media:
                self._media(event)
            else:
                self._event(event)

    def _media(self, media: Media) -> None:
        now = self._heard_at = self._now()
        detector = self._detector
        if detector is not None and not detector.settled:
            decision = detector.observe(media, now * 1000)
            if decision is not None:
                self._decide(decision)
        if self._listening:
            self._hearing.push(media.payload)
        else:
            self._hold(media)

    def _hold(self, media: Media) -> None:
        if self._heard_from is None:
            self._heard_from = self._heard_at - FRAME_MS / 1000  # it came when it had been spoken
            if media.timestamp_ms is not None:  # what was held up on its way is older than it seems
                stamped = self._started_at + media.timestamp_ms / 1000
                self._heard_from = min(self._heard_from, stamped)
        self._held.append(media.payload)
        self._held_bytes += len(media.payload)
        while self._held_bytes > HELD_BYTES:
            self._held_bytes -= len(self._held.popleft())

    def _event(self, event: Event) -> None:
        self._heard_at = self._now()
        match event:
            case Started():
                self._started_at = self._heard_at
                self._detector = FormatDetector(event.media_format, self._started_at * 1000)
                if self._detector.settled:
                    self._decided.set()
                self._started.set_result(event)
            case MarkPlayed(name):
                self._speaking.mark_played(name)
            case Dtmf(digit):
                if self._conversation is not None:
                    self._conversation.digit(digit)
            case Stopped(reason):
                self._end(End(EndedBy.CALLER, reason or "stop"))
            case _:
                pass

    def _decide(self, decision: Decision) -> None:
        """The detector knows, or knows better."""
        self._decided.set()
        if self._format == decision.format:
            self._settle_format(decision)
        elif self._format is not None:
            self._log.warning("stream format corrected", why=decision.reason)
            self._use_format(decision)

    # -------------------------------------------------------------- the call

    async def _converse(self, tasks: asyncio.TaskGroup) -> None:
        try:
            async with asyncio.timeout(self._services.waits.start):
                started = await asyncio.shield(self._started)
        except TimeoutError:
            return self._end(End(EndedBy.SERVER, "no start", POLICY))
        # Most of a call's work is run by timers and callbacks that all calls share, so the logger
        # itself names the call; the context is for what providers log.
        self._log = _log.bind(call_sid=started.call_sid)
        structlog.contextvars.bind_contextvars(call_sid=started.call_sid)
        try:
            async with asyncio.timeout(self._services.waits.plan):
                plan = await self._plan_call(started)
        except TimeoutError:
            self._log.error("call not planned", error="no decision in time")
            return self._end(End(EndedBy.SERVER, "no plan", ERROR))
        if plan is None:
            return self._end(End(EndedBy.SERVER, "not wanted", POLICY))
        self._plan = plan
        self._record_start(started, plan)
        async with AsyncExitStack() as exits:
            await self._open(tasks, started, plan, exits)
            await asyncio.shield(self._over)

    async def _open(
        self, tasks: asyncio.TaskGroup, started: Started, plan: CallPlan, exits: AsyncExitStack
    ) -> None:
        line_format = await self._find_format(plan)
        context = copy_context()

        def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            try:
                return tasks.create_task(work, context=context)
            except RuntimeError:
                # The call is over, and who asks will know in a moment: nothing begins any more.
                work.close()
                nothing = asyncio.get_running_loop().create_task(asyncio.sleep(0))
                nothing.cancel()
                return nothing

        stage = Stage(
            plan=plan,
            services=self._services,
            hearing=self._hearing,
            speaking=self._speaking,
            line_format=line_format,
            stream_sid=started.stream_sid,
            started_at=self._started_at,
            spawn=spawn,
            end=lambda by, reason: self._end(End(by, reason, self._code)),
            log=self._log,
            exits=exits,
            tally=self._tally,
        )
        if plan.template.recording.own and plan.say is None:
            self._record(plan, started.stream_sid, line_format)
        limits = plan.template.limits
        self._ends_at = self._started_at + limits.max_call_seconds
        if 0 < limits.warning_seconds < limits.max_call_seconds:
            self._warns_at = self._ends_at - limits.warning_seconds
        if not plan.converses:
            self._realtime = RealtimeSteering(stage)
            await open_realtime(stage)
        else:
            self._conversation = conversation = Conversation(stage)
            if plan.say is not None:
                conversation.close_with(plan.say, EndedBy.BOT, plan.refusal)
                return
            await open_conversation(stage, conversation)
        self._listening = True
        while self._held:
            self._hearing.push(self._held.popleft())

    def _record(self, plan: CallPlan, stream_sid: str, line_format: AudioFormat) -> None:
        """Have the stream recorded, both sides as they are heard."""
        tapes = self._services.tapes
        if tapes is None:
            return
        heard_from = self._started_at if self._heard_from is None else self._heard_from
        tape = Tape(line_format.sample_rate, self._started_at, heard_from)
        self._tape = self._speaking.tape = tape
        self._hearing.listen(pcm16(line_format.sample_rate), tape.hear)
        tapes.open(tape, plan.call_sid, stream_sid)

    async def _find_format(self, plan: CallPlan) -> AudioFormat:
        """The line's format; waits for the first frames, but not long."""
        detector = self._detector
        assert detector is not None
        if plan.forced_format is not None:
            decision = Decision(plan.forced_format, "forced by setting", final=True)
            self._detector = None
        else:
            wait_s = detector.deadline_ms / 1000 - self._now()
            try:
                async with asyncio.timeout(max(0.0, wait_s)):
                    await self._decided.wait()
            except TimeoutError:
                detector.expire(max(self._now() * 1000, detector.deadline_ms))
            assert detector.decision is not None
            decision = detector.decision
        self._use_format(decision)
        return decision.format

    def _use_format(self, decision: Decision) -> None:
        plan, stream = self._plan, self._stream.started
        assert plan is not None
        assert stream is not None
        self._format = decision.format
        self._hearing.set_format(decision.format)
        table = plan.template.stream
        self._speaking.open_line(decision.format, PlayoutOptions(table.chunk_ms, table.lead_ms))
        encoding, sample_rate = str(decision.format.encoding), decision.format.sample_rate
        why = decision.reason
        self._log.info("stream format", encoding=encoding, sample_rate=sample_rate, why=why)
        self._unrecorded_format = events.stream_format(
            plan.call_sid,
            self._services.wall_clock(),
            stream_sid=stream.stream_sid,
            encoding=encoding,
            sample_rate=sample_rate,
            why=why,
        )
        self._settle_format(decision)

    def _settle_format(self, decision: Decision) -> None:
        # A call's record takes one format a stream: the one that no measurement can overrule.
        if decision.final:
            self._record_format()

    def _record_format(self) -> None:
        event, self._unrecorded_format = self._unrecorded_format, None
        if event is not None:
            self._services.recorder.append_soon(event)

    # -------------------------------------------------------------- limits

    def _look(self, now: float) -> None:
        try:
            self._check_limits(now)
        except Exception:  # without its timer the call would go on with no limit at all
            self._log.exception("call crashed")
            self._end(End(EndedBy.SERVER, "error", ERROR))

    def _check_limits(self, now: float) -> None:
        conversation = self._conversation
        received = self._stream.counters.received
        if received - self._frames_seen > FLOOD_FRAMES:
            return self._end(End(EndedBy.SERVER, "too many frames", POLICY))
        self._frames_seen = received
        if self._plan is not None and now - self._heard_at > self._services.waits.line:
            return self._end(End(EndedBy.NETWORK, "dead line"))
        if self._ends_at is not None and now >= self._ends_at:
            self._too_long(now)
        due = None
        if conversation is not None:
            if self._warns_at is not None and now >= self._warns_at and conversation.warn():
                self._warns_at = None
            conversation.tick(now)
            due = conversation.due()
        self._check.at(now + CHECK_S if due is None else max(now, min(due, now + CHECK_S)))
        return None

    def _too_long(self, now: float) -> None:
        if self._conversation is None or self._is_too_long:
            self._end(End(EndedBy.SERVER, TOO_LONG))
        else:
            self._is_too_long = True
            self._ends_at = now + LAST_WORDS_S
            text = self._conversation.lines.texts.too_long
            self._conversation.close_with(text, EndedBy.SERVER, TOO_LONG)

    # -------------------------------------------------------------- the record

    def _record_start(self, started: Started, plan: CallPlan) -> None:
        event = events.stream_started(
            plan.call_sid,
            self._services.wall_clock(),
            stream_sid=started.stream_sid,
            template=plan.template_name,
            caller=plan.caller,
            called=plan.called,
            direction=plan.direction,
            custom_parameters=started.custom_parameters,
            routed=plan.routed if plan.routed.entry else None,
        )
        self._services.recorder.append_soon(event)
        self._log.info(
            "call started",
            stream_sid=started.stream_sid,
            template=plan.template_name,
            caller=mask(plan.caller),
            called=mask(plan.called),
            direction=plan.direction,
        )
        if plan.resumed is not None:
            self._log.info("call resumed", why=plan.resumed.why)

    def _finish(self) -> None:
        if self._conversation is not None:
            self._conversation.finish()
        stream, plan = self._stream.started, self._plan
        counters = self._stream.counters
        end = self._end_now()
        if plan is None or stream is None:
            self._log.info("stream ended unused", reason=end.reason, bad_frames=counters.bad)
            return
        self._record_format()
        event = events.stream_ended(
            plan.call_sid,
            self._ended_wall,
            stream_sid=stream.stream_sid,
            ended_by=end.by,
            reason=end.reason,
            close_code=end.code,
            usage=self._tally.record(plan.template),
        )
        self._services.recorder.append_soon(event)
        self._log.info(
            "call ended",
            stream_sid=stream.stream_sid,
            ended_by=str(end.by),
            reason=end.reason,
            seconds=round(self._now() - self._started_at, 2),
            frames_in=counters.media_received,
            frames_out=counters.media_sent,
            bad_frames=counters.bad,
            misplaced_frames=counters.misplaced,
        )
