"""The conversation of one call: what the turn policy decides is done here.

It drives the dialogue and tells the speech what to say. Whatever goes wrong with a provider ends in
a sorry line and a clean end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from exobridge.call.bot_turn import Asked, BotTurn
from exobridge.call.events import EndedBy, Role, Turn, transfer_requested
from exobridge.call.plan import CallPlan
from exobridge.call.speaking import Utterance
from exobridge.call.stage import Stage
from exobridge.call.turns import (
    Action,
    DropSegment,
    Finalize,
    Signal,
    StartSegment,
    TakeTurn,
    TurnOptions,
    TurnPolicy,
)
from exobridge_codecs.tones import UnknownDigitError, dtmf
from exobridge_providers import base
from exobridge_providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)

IDLES_BEFORE_END = 2
"""Silences of ``idle_seconds`` in a row: the first is asked about, the last ends the call."""


class _UnsaidError(Exception):
    """The speech failed, not the dialogue; never leaves this module."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.error = error


class Conversation:
    """One call's conversation, once its line is open."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._plan = stage.plan
        self._services = stage.services
        self._waits = stage.services.waits
        self._tally = stage.tally
        self._log = stage.log
        self._hearing = stage.hearing
        self._speaking = stage.speaking
        self._speaking.listener = self
        self._spawn = stage.spawn
        self._end = stage.end
        self._now = asyncio.get_running_loop().time
        self._policy = TurnPolicy(_turn_options(stage.plan), self._now())
        self._dialogue: base.DialogueSession | None = None
        self._response: asyncio.Task[None] | None = None
        self._bot: BotTurn | None = None
        self._last_bot: BotTurn | None = None
        self._asked = Asked()
        self._finals: deque[tuple[bool, float]] = deque()
        self._unrecorded: list[str] = []
        self._segment_ms = (0.0, 0.0)
        self._numbers = 0
        self._idles = 0
        self._silent = asyncio.Event()
        self._opened = asyncio.Event()
        self._over = False
        self.closing = False

    # -------------------------------------------------------------- what comes in

    def open(self, dialogue: base.DialogueSession) -> None:
        """All that is needed is open: from now on turns are answered."""
        self._dialogue = dialogue
        self._opened.set()

    def voice(self, end_ms: float, probability: float) -> None:
        """A window of the voice detector."""
        if not self.closing:
            self._do(self._policy.voice(end_ms, probability, self._now()))

    def digit(self, digit: str) -> None:
        """The caller pressed a key."""
        if not self.closing:
            self._do(self._policy.digit(digit, self._now()))

    def take(self, event: base.SttEvent) -> None:
        """An event of the speech-to-text session."""
        match event:
            case base.Final() if not self.closing:
                self._take_final(event)
            case base.SttTrouble():
                error = event.error
                self._log.warning("stt trouble", error=str(error), provider=error.provider)
                self._services.meters.provider_failed(self._plan.template, "stt", error)
            case _:
                pass

    def _take_final(self, event: base.Final) -> None:
        now = self._now()
        wanted = True
        if event.finalized:
            if not self._finals:
                self._log.warning("stt final that nobody asked for")
                return
            wanted, _ = self._finals.popleft()
        text = event.text.strip() if wanted else ""
        if text:
            self._unrecorded.append(text)
        self._asked.final_at = now
        if wanted:
            finals = self._policy.final(
                text, now, finalized=event.finalized, end_of_turn=event.end_of_turn
            )
            self._do(finals)

    def due(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        return None if self.closing else self._policy.due()

    def tick(self, now: float) -> None:
        """Time has passed: look at what is overdue."""
        if self.closing:
            return
        self._do(self._policy.tick(now))
        if self._finals and now > self._finals[0][1]:
            self.fail("stt", ProviderUnavailableError("no final text in time"))
        elif late := self._speaking.overdue(now, self._waits.tts_first_audio):
            self.fail("tts", ProviderUnavailableError(f"no audio in time for {late.id}"))

    # -------------------------------------------------------------- what the policy decides

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case StartSegment(from_ms):
                    self._segment_ms = (from_ms, from_ms)
                    self._hearing.start_segment()
                case DropSegment():
                    if self._hearing.drop_segment():
                        self._await_final(wanted=False)
                case Finalize(voice_end_ms):
                    self._finalize(voice_end_ms)
                case TakeTurn():
                    self._take_turn(action)
                case Signal():
                    self._obey(action)

    def _obey(self, signal: Signal) -> None:
        match signal:
            case Signal.PAUSE_BOT:
                self._speaking.pause()
            case Signal.RESUME_BOT:
                self._speaking.resume()
            case Signal.INTERRUPT_BOT:
                self._services.meters.barge_ins += 1
                self._cut_off()
            case Signal.DROP_ANSWER:
                self._cut_off()
            case Signal.GO_ON:
                if self._last_bot is not None and self._last_bot.unheard:
                    self._say_line(self._last_bot.unheard)
            case Signal.IDLE:
                self._idle()

    def _finalize(self, voice_end_ms: float) -> None:
        now = self._now()
        self._segment_ms = (self._segment_ms[0], voice_end_ms)
        behind_s = max(0.0, self._hearing.position_ms - voice_end_ms) / 1000
        self._asked = Asked(speech_end_at=now - behind_s, finalize_at=now)
        if self._hearing.end_segment():
            self._await_final(wanted=True)
        else:
            self._do(self._policy.final("", now, finalized=True))

    def _await_final(self, *, wanted: bool) -> None:
        self._finals.append((wanted, self._now() + self._waits.stt_final))

    def _take_turn(self, turn: TakeTurn) -> None:
        self._idles = 0
        self._record_caller(turn.digits)
        last = self._last_bot
        user = base.UserTurn(
            text=turn.text,
            digits=turn.digits,
            interrupted=turn.interrupted,
            heard=last.heard if last else "",
        )
        if not turn.text:
            self._asked = Asked(final_at=self._now())
        self._respond_with(self._respond(user))

    def _respond_with(self, response: Coroutine[Any, Any, None]) -> None:
        self._stop_response()
        self._response = self._spawn(response)

    def _stop_response(self) -> None:
        response, self._response = self._response, None
        if response is not None and response is not asyncio.current_task():
            response.cancel()

    def _cut(self) -> list[Utterance]:
        """Fall silent, and keep what was heard; the lines that were cut."""
        self._stop_response()
        utterances = self._speaking.cut()
        bot, self._bot = self._bot, None
        if bot is not None:
            bot.interrupted = not bot.complete or bot.heard != bot.text
            self._record_bot(bot)
        self._silent.set()
        return utterances

    def _cut_off(self) -> None:
        """Fall silent, and have the provider stop too."""
        utterances = self._cut()
        if utterances:
            self._spawn(self._cancel(utterances))

    async def _cancel(self, utterances: list[Utterance]) -> None:
        try:
            await self._speaking.cancel(utterances)
        except ProviderError as error:
            self.fail("tts", error)

    def _idle(self) -> None:
        self._idles += 1
        if self._idles >= IDLES_BEFORE_END:
            self.close_with(self._plan.template.texts.goodbye, EndedBy.BOT, "idle")
        else:
            self._say_line(self._plan.text(self._plan.template.texts.idle))

    # -------------------------------------------------------------- the bot's turn

    def greet(self, text: str, pcm: bytes) -> None:
        """Say the line that opens the call, whose audio is there."""
        bot = self._begin_bot()
        bot.utterances.append(self._speaking.say_audio(bot.next_id(), text, pcm))
        bot.complete = True

    def _say_line(self, text: str) -> None:
        """Say a line of ours, as a turn of the bot."""
        self._asked = Asked()
        self._respond_with(self._speak(text))

    async def _speak(self, text: str) -> None:
        await self._opened.wait()
        bot = self._begin_bot()
        try:
            await self._say(bot, text)
        except ProviderError as error:
            self.fail("tts", error)
            return
        self._complete(bot)

    async def _respond(self, user: base.UserTurn) -> None:
        """Have the dialogue answer, and say what it answers."""
        await self._opened.wait()  # a key may be pressed before
        assert self._dialogue is not None
        bot = self._begin_bot()
        actions = self._dialogue.respond(user)
        try:
            ending = await self._perform(bot, actions)
        except _UnsaidError as unsaid:
            self.fail("tts", unsaid.error)
            return
        except ProviderError as error:
            self.fail("dialogue", error)
            return
        except TimeoutError:
            self.fail("dialogue", ProviderUnavailableError("no answer in time"))
            return
        except Exception as error:  # a plugin's bug must not take the call with it
            self._log.exception("provider crashed", stage="dialogue")
            self.fail("dialogue", ProviderError(type(error).__name__))
            return
        finally:
            await self._close_actions(actions)
        if ending is None:
            self._complete(bot)
            return
        self.closing = True
        self._speaking.resume()
        self._complete(bot)
        await self._played_out()
        self._end(EndedBy.BOT, ending)

    async def _close_actions(self, actions: AsyncGenerator[base.Action, None]) -> None:
        try:
            async with asyncio.timeout(self._waits.close):
                await actions.aclose()
        except Exception as error:  # a plugin's bug; its answer is over all the same
            self._log.warning("answer not closed cleanly", error=type(error).__name__)

    async def _perform(
        self, bot: BotTurn, actions: AsyncGenerator[base.Action, None]
    ) -> str | None:
        """Carry out the dialogue's actions; the reason if they end the call."""
        while True:
            try:
                async with asyncio.timeout(self._waits.dialogue):
                    action = await anext(actions)
            except StopAsyncIteration:
                return None
            match action:
                case base.Say(text):
                    if text.strip():
                        await self._say_answer(bot, text.strip())
                case base.SendDtmf(digits):
                    self._send_dtmf(bot, digits)
                case base.Usage():
                    self._tally.input_tokens += action.input_tokens
                    self._tally.output_tokens += action.output_tokens
                case base.Transfer():
                    self._record_transfer(bot, action)
                    return "transfer"
                case base.HangUp(reason):
                    return reason or "hang-up"
                case _:  # pyright: ignore[reportUnnecessaryComparison]  # a plugin's bug
                    raise ProviderProtocolError(f"{type(action).__name__} is no action")

    async def _say_answer(self, bot: BotTurn, text: str) -> None:
        try:
            await self._say(bot, text)
        except ProviderError as error:
            raise _UnsaidError(error) from error

    async def _say(self, bot: BotTurn, text: str) -> None:
        self._silent.clear()
        ready = self._services.prompts.ready(self._plan.template, text, self._speaking.sample_rate)
        if ready is not None:
            bot.utterances.append(self._speaking.say_audio(bot.next_id(), text, ready))
        else:
            utterance = self._speaking.begin(bot.next_id(), text)
            bot.utterances.append(utterance)
            self._tally.tts_characters += len(text)
            await self._speaking.say(utterance)

    def _send_dtmf(self, bot: BotTurn, digits: str) -> None:
        try:
            tones = dtmf(digits, self._speaking.sample_rate)
        except UnknownDigitError as error:
            raise ProviderError(f"SendDtmf: {error}") from error
        self._silent.clear()
        bot.utterances.append(self._speaking.say_audio(bot.next_id(), "", tones))

    def _begin_bot(self) -> BotTurn:
        self._numbers += 1
        self._silent.clear()
        self._bot = BotTurn(self._numbers, self._asked)
        return self._bot

    def _complete(self, bot: BotTurn) -> None:
        bot.complete = True
        self._check_silent()

    def started(self, utterance: Utterance) -> None:
        """The caller begins to hear an utterance."""
        del utterance
        self._policy.bot_started(self._now())

    def played(self, utterance: Utterance) -> None:
        """The caller has heard an utterance."""
        del utterance
        self._check_silent()

    def failed(self, utterance: Utterance, error: ProviderError) -> None:
        """An utterance cannot be said."""
        del utterance
        self.fail("tts", error)

    def _check_silent(self) -> None:
        if self._bot is None or not self._bot.complete or not self._speaking.silent:
            return
        bot, self._bot = self._bot, None
        self._record_bot(bot)
        self._policy.bot_finished(self._now())
        self._silent.set()

    async def _played_out(self) -> None:
        """Wait until everything has been played, within a limit that what is still being made
        extends."""
        while True:
            remaining_s = self._speaking.remaining_s
            try:
                async with asyncio.timeout(remaining_s + self._waits.goodbye):
                    await self._silent.wait()
                    return
            except TimeoutError:
                if self._speaking.remaining_s in (0, remaining_s):
                    self._log.warning("last words not played in time")
                    return

    # -------------------------------------------------------------- the end

    def fail(self, stage: str, error: ProviderError) -> None:
        """A provider failed: say sorry and end the call."""
        if self._over:
            return
        self._log.error(
            "provider failed",
            stage=stage,
            provider=error.provider,
            error=str(error),
            retryable=error.retryable,
        )
        self._services.meters.provider_failed(self._plan.template, stage, error)
        self.close_with(self._plan.template.texts.sorry, EndedBy.SERVER, f"{stage} failed")

    def close_with(self, text: str, by: EndedBy, reason: str) -> None:
        """Say a last line in place of everything else, then end the call. Only the first counts."""
        if self.closing:
            return
        self.closing = True
        self._cut_off()
        self._spawn(self._last_line(self._plan.text(text), by, reason))

    async def _last_line(self, text: str, by: EndedBy, reason: str) -> None:
        prompts = self._services.prompts
        try:
            async with asyncio.timeout(self._waits.greeting):
                pcm = await prompts.render(self._plan.template, text, self._speaking.sample_rate)
        except (ProviderError, TimeoutError) as error:
            self._log.warning("last line cannot be said", error=str(error))
        else:
            self._asked = Asked()
            self.greet(text, pcm)
            await self._played_out()
        self._end(by, reason)

    def finish(self) -> None:
        """The line is gone: keep what was heard of the turn it cut."""
        self.closing = self._over = True
        self._record_caller("")
        self._cut()

    # -------------------------------------------------------------- the record

    def _record_caller(self, digits: str) -> None:
        texts, self._unrecorded = self._unrecorded, []
        text = " ".join([*texts, digits] if digits else texts)
        if not text:
            return
        position = self._hearing.position_ms
        start_ms, end_ms = self._segment_ms if texts else (position, position)
        self._numbers += 1
        self._services.recorder.add_turn_soon(
            Turn(
                call_sid=self._plan.call_sid,
                stream_sid=self._stage.stream_sid,
                number=self._numbers,
                role=Role.CALLER,
                text=text,
                start_ms=round(start_ms),
                end_ms=round(end_ms),
                language=self._plan.template.language,
            )
        )

    def _record_bot(self, bot: BotTurn) -> None:
        self._last_bot = bot
        if bot.utterances and (bot.heard or not bot.interrupted):
            sid, language = self._stage.stream_sid, self._plan.template.language
            turn = bot.record(self._plan.call_sid, sid, self._stage.started_at, language)
            self._services.recorder.add_turn_soon(turn)

    def _record_transfer(self, bot: BotTurn, transfer: base.Transfer) -> None:
        event = transfer_requested(
            self._plan.call_sid,
            self._services.wall_clock(),
            stream_sid=self._stage.stream_sid,
            utterance=f"turn-{bot.number}",
            target=transfer.target,
            summary=transfer.summary,
        )
        self._services.recorder.append_soon(event)


def _turn_options(plan: CallPlan) -> TurnOptions:
    template = plan.template
    return TurnOptions(
        start_probability=template.vad.start_probability,
        end_probability=template.vad.end_probability,
        end_silence_ms=template.turns.end_silence_ms,
        barge_in=template.turns.barge_in,
        barge_in_ms=template.turns.barge_in_ms,
        max_turn_seconds=template.turns.max_turn_seconds,
        idle_seconds=template.limits.idle_seconds,
    )
