"""One call's conversation: what happens is told to the turn policy, and what it decides is done.

The rooms behind it: what the caller says (``listening``), the dialogue's answers (``answering``),
what of them is heard (``floor``), and how the call ends (``ending``). Whatever goes wrong with a
provider ends in a sorry line and a clean end.
"""

from __future__ import annotations

import asyncio

from exobridge.call.answering import Answering, Dialogue
from exobridge.call.bot_turn import Asked
from exobridge.call.ending import Ending
from exobridge.call.events import EndedBy
from exobridge.call.floor import Floor
from exobridge.call.listening import Listening
from exobridge.call.orders import REASON, HandOver, HangUp, Order, Result, SayLine
from exobridge.call.own_lines import SpokenLines
from exobridge.call.record import TurnRecord
from exobridge.call.speaking import Utterance
from exobridge.call.stage import Stage
from exobridge.call.steering import OperatorLines, transfer_problem
from exobridge.call.turn_settings import turn_options, turn_vocabulary
from exobridge.call.turns import (
    Action,
    DropSegment,
    Finalize,
    Peek,
    Signal,
    StartSegment,
    TakeTurn,
    TurnPolicy,
)
from exobridge_providers import base
from exobridge_providers.errors import ProviderError, ProviderUnavailableError


class Conversation:
    """One call's conversation, once its line is open.

    Attributes:
        lines: What the bridge itself says.
    """

    def __init__(self, stage: Stage) -> None:
        self.lines = SpokenLines(stage)
        self._stage = stage
        self._template = stage.plan.template
        self._speaking = stage.speaking
        self._meters = stage.services.meters
        self._now = asyncio.get_running_loop().time
        words = turn_vocabulary(self._template, stage.language)
        self._policy = TurnPolicy(turn_options(self._template), self._now(), words)
        record = TurnRecord(stage)
        self._listening = Listening(stage, record, self._now())
        self._floor = Floor(stage, record, self)
        self._ending = Ending(stage, self._floor, self.lines, self._hush)
        self._answering = Answering(
            stage, self._floor, record, self._ending, self.lines, self._policy.collect
        )
        self._operator = OperatorLines(
            stage, self._policy, self._floor, self._answering, self._hush
        )
        self._greeted = not any(stage.plan.opening())
        self._idles = 0
        stage.on_language.append(self._switch_language)

    @property
    def closing(self) -> bool:
        """The last words have begun."""
        return self._ending.closing

    # -------------------------------------------------------------- what comes in

    def open(self, dialogue: Dialogue) -> None:
        """All that is needed is open: from now on turns are answered."""
        self._answering.open(dialogue)
        self._look_at_dialogue()
        if dialogue.greeting_keys is not None:
            self._policy.collect(dialogue.greeting_keys)

    def _look_at_dialogue(self) -> None:
        eager = self._template.turns.eager
        self._policy.speculative = eager and self._answering.speculative

    def _switch_language(self, language: str) -> None:
        self._policy.vocabulary = turn_vocabulary(self._template, language)

    def voice(self, end_ms: float, probability: float) -> None:
        """A window of the voice detector."""
        self._stage.hearing.judged_ms = end_ms
        if not self.closing:
            self._do(self._policy.voice(end_ms, probability, self._now()))

    def digit(self, digit: str) -> None:
        """The caller pressed a key."""
        if not self.closing:
            self._do(self._policy.digit(digit, self._now()))

    def take(self, event: base.SttEvent) -> None:
        """An event of the speech-to-text session."""
        if isinstance(event, base.SttTrouble):
            error = event.error
            self._stage.log.warning("stt trouble", error=str(error), provider=error.provider)
            self._meters.provider_failed(self._template, "stt", error)
        elif not self.closing:
            self._do(self._heard(event, self._now()))

    def _heard(self, event: base.SttEvent, now: float) -> list[Action]:
        match event:
            case base.Partial(text):
                return self._policy.partial(text.strip(), now)
            case base.EagerEnd(text):
                return self._policy.eager_end(text.strip(), now)
            case base.Resumed():
                return self._policy.resumed()
            case base.Final():
                final = self._listening.take(event, now)
                if final is None:
                    return []
                if event.end_of_turn and (end_ms := self._policy.unasked_end_ms) is not None:
                    self._listening.ended(end_ms, now)
                return self._policy.final(
                    final, now, finalized=event.finalized, end_of_turn=event.end_of_turn
                )
            case _:
                return []

    def due(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        if self.closing:
            return None
        times = (self._policy.due(), self._answering.filler.due())
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> None:
        """Time has passed: look at what is overdue."""
        if self.closing:
            return
        self._do(self._policy.tick(now))
        if self._answering.filler.tick(now, caller_speaking=self._policy.caller_speaking):
            self._fill()
        if self._listening.overdue(now):
            self.fail("stt", ProviderUnavailableError("no final text in time"))
        elif late := self._speaking.overdue(now, self._stage.services.waits.tts_first_audio):
            self.fail("tts", ProviderUnavailableError(f"no audio in time for {late.id}"))
        elif self._greeted and not self.closing:
            self._operator.tick(now)

    def _fill(self) -> None:
        text = self._stage.plan.text(self.lines.texts.filler)
        prompts, rate = self._stage.services.prompts, self._speaking.sample_rate
        pcm = prompts.ready(self._template, text, rate, self.lines.language)
        if pcm is not None:  # to make it now would only take longer
            self._floor.fill(pcm)

    def warn(self) -> bool:
        """Say that the call is near its longest, if it is nobody's turn; whether it was said."""
        text = self._stage.plan.text(self.lines.texts.warning)
        if self.closing or not self._policy.nobody_speaks:
            return False
        if text:
            self._say_line(text)
        return True

    def _say_line(self, text: str, *, operator: bool = False) -> None:
        self._make_way()
        self._answering.say_line(text, operator=operator)

    def _make_way(self) -> None:
        """An operator's line that is still being made is said later."""
        if self._operator.unheard:
            self._hush()

    # -------------------------------------------------------------- what becomes of the bot's words

    def bot_heard(self, *, protect_ms: float) -> None:
        """The caller begins to hear a line."""
        self._answering.filler.answered()
        self._operator.heard()
        self._policy.bot_started(self._now(), protect_ms=protect_ms)

    def bot_protected(self, *, protected: bool) -> None:
        """Nobody, or everybody again, may interrupt what is heard."""
        # Not at once: this is told in the middle of sending, which an interruption would undo.
        asyncio.get_running_loop().call_soon(self._protect, protected)

    def _protect(self, protected: bool) -> None:
        if not self.closing:
            self._do(self._policy.protect(self._now(), protected=protected))

    def bot_waits(self) -> None:
        """All of the bot's turn that there is was heard, and it goes on."""
        self._answering.filler.silent(self._now())

    def bot_silent(self) -> None:
        """The bot's turn is over."""
        self._operator.heard()
        if not self.closing:
            self._do(self._policy.bot_finished(self._now()))

    def bot_failed(self, error: ProviderError) -> None:
        """A line cannot be said."""
        self.fail("tts", error)

    # -------------------------------------------------------------- what the policy decides

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case StartSegment(from_ms):
                    self._listening.start(from_ms)
                case DropSegment():
                    self._listening.drop(self._now())
                case Peek(settled):
                    if not self._listening.peek(settled=settled):
                        self._do(self._policy.no_peek())
                case Finalize(voice_end_ms):
                    now = self._now()
                    if not self._listening.finalize(voice_end_ms, now):
                        self._do(self._policy.final("", now, finalized=True))
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
                self._meters.barge_ins += 1
                self._hush()
            case Signal.DROP_ANSWER:
                self._hush()
            case Signal.CERTAIN:
                self._answering.be_certain(self._turn_over("", spoken=True))
            case Signal.GO_ON:
                last = self._floor.last
                if last is not None and last.unheard:
                    self._say_line(last.unheard, operator=last.operator)
            case Signal.IDLE:
                self._idle()

    def _take_turn(self, turn: TakeTurn) -> None:
        self._make_way()
        last = self._floor.own
        self._look_at_dialogue()
        user = base.UserTurn(
            text=turn.text,
            digits=turn.digits,
            language=self._listening.language,
            interrupted=turn.interrupted,
            heard=last.heard if last else "",
            operator=" ".join(self._floor.operator),
        )
        if turn.certain:
            self._answering.answer(user, self._turn_over(turn.digits, spoken=bool(turn.text)))
        else:
            self._listening.turn_guessed()
            self._answering.guess(user)

    def _turn_over(self, digits: str, *, spoken: bool) -> Asked:
        self._idles = 0
        self._listening.turn_over(digits)
        return self._listening.asked(self._now(), spoken=spoken)

    def _hush(self) -> None:
        """Fall silent, drop the answer, and have the provider stop too."""
        self._answering.stop()
        utterances = self._floor.cut()
        self._operator.cut()
        if utterances:
            self._stage.spawn(self._cancel(utterances))

    async def _cancel(self, utterances: list[Utterance]) -> None:
        try:
            await self._speaking.cancel(utterances)
        except ProviderError as error:
            self.fail("tts", error)

    def _idle(self) -> None:
        self._idles += 1
        if self._idles > self._template.limits.idle_reprompts:
            self.close_with(self.lines.texts.goodbye, EndedBy.BOT, "idle")
        else:
            self._say_line(self._stage.plan.text(self.lines.texts.idle))

    # -------------------------------------------------------------- the beginning and the end

    def greet(self, text: str, pcm: bytes, consent_ms: float = 0) -> None:
        """Say the line that opens the call, whose audio is there. It begins with ``consent_ms`` of
        what every caller has to hear."""
        self._greeted = True
        bot = self._floor.begin(Asked())
        protect_ms = consent_ms + self._template.turns.protect_greeting_ms
        self._floor.say_audio(bot, text, pcm, protect_ms)
        bot.complete = True

    def fail(self, stage: str, error: ProviderError) -> None:
        """A provider failed: say sorry and end the call."""
        self._ending.fail(stage, error)

    def fall_silent(self) -> None:
        """Nobody is listened to or answered any more; :meth:`close_with` has the last word."""
        self._ending.fall_silent()

    def close_with(self, text: str, by: EndedBy, reason: str) -> None:
        """Say a last line in place of everything else, then end the call. Only the first counts."""
        self._ending.close_with(text, by, reason)

    def obey(self, order: Order) -> Result:
        """Do what an operator wants, or say why not."""
        if not self._ending.can_close:
            return Result.CLOSING
        match order:
            case SayLine():
                if self.closing:
                    return Result.CLOSING
                return self._operator.add(order, self._now(), ready=self._greeted)
            case HandOver():
                if problem := transfer_problem(self._stage, order):
                    return problem
                self._hush()
                transfer = base.Transfer(order.target, order.summary)
                self._answering.hand_over(transfer, order.text)
            case HangUp(text) if text:
                self._hush()
                self._answering.part(text, REASON)
            case HangUp(text):
                line = self.lines.texts.goodbye if text is None else ""
                self.close_with(line, EndedBy.BOT, REASON)
        return Result.LEAVING

    def finish(self) -> None:
        """The line is gone: keep what was heard of the turn it cut."""
        self._ending.closing = self._ending.over = True
        self._listening.turn_over("")
        self._answering.stop()
        self._floor.cut()
        self._operator.finish()
