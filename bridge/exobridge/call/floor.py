"""The bot's side of the conversation: its turn, what of it is heard, and when it is over."""

from __future__ import annotations

import asyncio
from typing import Protocol

from exobridge.call.bot_turn import Asked, BotTurn
from exobridge.call.record import TurnRecord
from exobridge.call.speaking import Utterance
from exobridge.call.stage import Stage
from exobridge_codecs.tones import UnknownDigitError, dtmf
from exobridge_providers.errors import ProviderError


class FloorListener(Protocol):
    """Who is told what becomes of the bot's turn."""

    def bot_heard(self, *, protect_ms: float) -> None:
        """The caller begins to hear a line, of which nobody shall interrupt the first part."""
        ...

    def bot_protected(self, *, protected: bool) -> None:
        """What is heard now must, or may again, be interrupted by nobody."""
        ...

    def bot_waits(self) -> None:
        """All of the bot's turn that there is was heard, and it goes on."""
        ...

    def bot_silent(self) -> None:
        """The bot's turn is over."""
        ...

    def bot_failed(self, error: ProviderError) -> None:
        """A line cannot be said."""
        ...


class Floor:
    """What the bot says, turn by turn.

    Attributes:
        last: The bot's last turn of which the caller heard something; ``None``: there was none.
        own: The same, lines of an operator apart.
        operator: What the caller heard of an operator's lines since the last answer.
    """

    def __init__(self, stage: Stage, record: TurnRecord, listener: FloorListener) -> None:
        self.last: BotTurn | None = None
        self.own: BotTurn | None = None
        self.operator: list[str] = []
        self._stage = stage
        self._speaking = stage.speaking
        self._speaking.listener = self
        self._record = record
        self._listener = listener
        self._bot: BotTurn | None = None
        self._protect_ms: dict[str, float] = {}
        self._protected: set[str] = set()
        self._silent = asyncio.Event()

    # -------------------------------------------------------------- saying

    @property
    def busy(self) -> bool:
        """A turn of the bot has begun and is not over."""
        return self._bot is not None

    def begin(self, asked: Asked, *, operator: bool = False) -> BotTurn:
        """Begin a turn of the bot."""
        self._silent.clear()
        self._bot = BotTurn(self._record.next_number(), asked, operator=operator)
        return self._bot

    async def say(self, bot: BotTurn, text: str, *, interruptible: bool = True) -> None:
        """Say a line.

        Raises:
            ProviderError: The text-to-speech session is dead.
        """
        self._silent.clear()
        template, rate = self._stage.plan.template, self._speaking.sample_rate
        ready = self._stage.services.prompts.ready(template, text, rate, self._stage.language)
        utterance_id = bot.next_id()
        if not interruptible:
            self._protected.add(utterance_id)
        if ready is not None:
            bot.utterances.append(self._speaking.say_audio(utterance_id, text, ready))
        else:
            utterance = self._speaking.begin(utterance_id, text)
            bot.utterances.append(utterance)
            await self._speaking.say(utterance)

    def say_audio(self, bot: BotTurn, text: str, pcm: bytes, protect_ms: float = 0) -> None:
        """Say a line whose audio is there; nobody interrupts the first ``protect_ms`` of it."""
        utterance_id = bot.next_id()
        if protect_ms:
            self._protect_ms[utterance_id] = protect_ms
        bot.utterances.append(self._speaking.say_audio(utterance_id, text, pcm))

    def send_dtmf(self, bot: BotTurn, digits: str) -> None:
        """Press keys, as tones.

        Raises:
            ProviderError: There is no such key.
        """
        try:
            tones = dtmf(digits, self._speaking.sample_rate)
        except UnknownDigitError as error:
            raise ProviderError(f"SendDtmf: {error}") from error
        self._silent.clear()
        self.say_audio(bot, "", tones)

    def fill(self, pcm: bytes) -> None:
        """Let the caller hear audio that is no part of what the bot has to say, where its turn
        makes them wait."""
        if self._bot is not None and self._speaking.silent:
            self.say_audio(self._bot, "", pcm)

    def complete(self, bot: BotTurn) -> None:
        """Nothing will be added to a turn."""
        bot.complete = True
        self._check_silent()

    # -------------------------------------------------------------- falling silent

    def cut(self) -> list[Utterance]:
        """Fall silent, and keep what was heard; the lines that were cut."""
        utterances = self._speaking.cut()
        self._protected.clear()
        self._protect_ms.clear()
        bot, self._bot = self._bot, None
        if bot is not None:
            bot.interrupted = not bot.complete or bot.heard != bot.text
            self._over(bot)
        self._silent.set()
        return utterances

    def _over(self, bot: BotTurn) -> None:
        if bot.was_sent or not bot.interrupted:
            self.last = bot
            self._remember(bot)
        self._record.bot(bot)

    def _remember(self, bot: BotTurn) -> None:
        """Tell apart what the dialogue knows of and what it has to be told."""
        if not bot.operator:
            self.own = bot
            if bot.asked.final_at is not None:  # it answers, and so its dialogue has been told
                self.operator.clear()
        elif bot.heard:
            self.operator.append(bot.heard)

    def _check_silent(self) -> None:
        if self._bot is None or not self._speaking.silent:
            return
        if not self._bot.complete:
            self._listener.bot_waits()
            return
        bot, self._bot = self._bot, None
        self._over(bot)
        self._silent.set()
        self._listener.bot_silent()

    async def played_out(self) -> None:
        """Wait until everything has been played, or until nothing of it has moved for too long."""
        since = asyncio.get_running_loop().time()
        while True:
            try:
                async with asyncio.timeout_at(since + self._stage.services.waits.goodbye):
                    await self._silent.wait()
                    return
            except TimeoutError:
                if self._speaking.moved_at <= since:
                    self._stage.log.warning("last words not played in time")
                    return
                since = self._speaking.moved_at

    # -------------------------------------------------------------- what becomes of the lines

    def started(self, utterance: Utterance) -> None:
        """The caller begins to hear an utterance."""
        self._listener.bot_heard(protect_ms=self._protect_ms.pop(utterance.id, 0))
        if utterance.id in self._protected:
            self._listener.bot_protected(protected=True)

    def played(self, utterance: Utterance) -> None:
        """The caller has heard an utterance."""
        if utterance.id in self._protected:
            self._protected.remove(utterance.id)
            if not any(self._is_heard(each) for each in self._protected):
                self._listener.bot_protected(protected=False)
        self._check_silent()

    def _is_heard(self, utterance_id: str) -> bool:
        utterances = self._bot.utterances if self._bot is not None else []
        sent = {each.id for each in utterances if each.first_sent_at is not None}
        return utterance_id in sent

    def failed(self, utterance: Utterance, error: ProviderError) -> None:
        """An utterance cannot be said."""
        self._protected.discard(utterance.id)
        self._listener.bot_failed(error)
