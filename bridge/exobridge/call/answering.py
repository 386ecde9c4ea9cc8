"""The bot's answers: the dialogue is asked, and its actions are carried out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace
from typing import Any, Protocol

from exobridge.call.bot_turn import Asked, BotTurn
from exobridge.call.clauses import Clauses
from exobridge.call.ending import Ending
from exobridge.call.filler import Filler
from exobridge.call.floor import Floor
from exobridge.call.handing_over import HandingOver
from exobridge.call.own_lines import SpokenLines
from exobridge.call.record import TurnRecord
from exobridge.call.stage import Stage
from exobridge_providers import base
from exobridge_providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)

Ended = base.Transfer | base.HangUp
"""What an answer ends the call with."""


class Dialogue(Protocol):
    """What answers the caller."""

    @property
    def speculative(self) -> bool:
        """It takes turns that are not certain yet."""
        ...

    @property
    def greeting_keys(self) -> base.CollectDigits | None:
        """By what rules the caller's keys answer the greeting."""
        ...

    def respond(self, turn: base.UserTurn) -> AsyncGenerator[base.Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`."""
        ...


class _UnsaidError(Exception):
    """The speech failed, not the dialogue; never leaves this module."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.error = error


class Answering:
    """One call's answers, one at a time.

    Args:
        collect: Told when the dialogue asks for keys.

    Attributes:
        filler: When the caller is told that an answer takes its time.
    """

    def __init__(
        self,
        stage: Stage,
        floor: Floor,
        record: TurnRecord,
        ending: Ending,
        lines: SpokenLines,
        collect: Callable[[base.CollectDigits], None],
    ) -> None:
        self.filler = Filler(stage.plan.template.limits.filler_ms / 1000)
        self._collect = collect
        self._now = asyncio.get_running_loop().time
        self._stage = stage
        self._waits = stage.services.waits
        self._floor = floor
        self._ending = ending
        self._handing_over = HandingOver(stage, floor, record, ending, lines)
        self._dialogue: Dialogue | None = None
        self._opened = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._asked = Asked()
        self._certain = asyncio.Event()

    def open(self, dialogue: Dialogue) -> None:
        """All that is needed is open: from now on turns are answered."""
        self._dialogue = dialogue
        self._opened.set()

    @property
    def speculative(self) -> bool:
        """A turn may be given to the dialogue before it is certain."""
        return self._dialogue is not None and self._dialogue.speculative

    # -------------------------------------------------------------- what is asked for

    def answer(self, turn: base.UserTurn, asked: Asked) -> None:
        """Have the dialogue answer a turn that is over."""
        self._begin(turn, asyncio.Event())
        self.be_certain(asked)

    def guess(self, turn: base.UserTurn) -> None:
        """Have it answer one that is probably over. :meth:`be_certain` follows, or :meth:`stop`."""
        certain = asyncio.Event()

        async def until_certain() -> None:
            await certain.wait()

        self._begin(replace(turn, certain=until_certain), certain)

    def _begin(self, turn: base.UserTurn, certain: asyncio.Event) -> None:
        self._asked, self._certain = Asked(), certain
        self._run(self._respond(turn, self._asked, certain))

    def be_certain(self, asked: Asked) -> None:
        """The turn that was given last is over."""
        self._asked.take(asked)
        self._certain.set()
        self.filler.asked(self._now())

    def say_line(self, text: str, *, operator: bool = False) -> None:
        """Say a line of ours, or an operator's, as a turn of the bot."""
        self._run(self._speak(text, operator))

    def hand_over(self, transfer: base.Transfer, text: str | None) -> None:
        """Hand the caller to a human, who may be had, in place of everything else. ``text`` is
        said before; ``None``: the template's line for it."""
        self._ending.hold()
        self._run(self._hand_over(transfer, text))

    def part(self, text: str, reason: str) -> None:
        """Say an operator's last words, in place of everything else, and end the call. They are
        heard as they are made: there may be many."""
        self._ending.hold()
        self._run(self._part(text, reason))

    @property
    def busy(self) -> bool:
        """An answer or a line is being made."""
        return self._task is not None and not self._task.done()

    @property
    def is_open(self) -> bool:
        """Turns are answered, and lines are said."""
        return self._opened.is_set()

    def stop(self) -> None:
        """Drop the answer that is being made."""
        self.filler.answered()
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.stop()
        self._task = self._stage.spawn(work)

    # -------------------------------------------------------------- how it is done

    async def _hand_over(self, transfer: base.Transfer, text: str | None) -> None:
        if not await self._can_speak():  # the human matters more
            text = ""
        bot = self._floor.begin(Asked(), operator=bool(text))
        await self._handing_over.go(bot, transfer, text)

    async def _part(self, text: str, reason: str) -> None:
        can_speak = await self._can_speak()
        bot = self._floor.begin(Asked(), operator=can_speak)
        if can_speak:
            await self._handing_over.say_so(bot, text)
        await self._ending.leave(bot, reason)

    async def _can_speak(self) -> bool:
        """Whether all is open in time for last words."""
        try:
            async with asyncio.timeout(self._waits.open):
                await self._opened.wait()
        except TimeoutError:
            self._stage.log.warning("last line cannot be said", error="nothing is open in time")
            return False
        return True

    async def _speak(self, text: str, operator: bool) -> None:
        await self._opened.wait()
        bot = self._floor.begin(Asked(), operator=operator)
        try:
            await self._floor.say(bot, text)
        except ProviderError as error:
            self._ending.fail("tts", error)
            return
        self._floor.complete(bot)

    async def _respond(self, turn: base.UserTurn, asked: Asked, certain: asyncio.Event) -> None:
        await self._opened.wait()  # a key may be pressed before
        bot = self._floor.begin(asked)
        try:
            ending = await self._answered(bot, turn, certain)
            if isinstance(ending, base.Transfer) and (why := self._handing_over.refusal(ending)):
                ending = await self._refused(bot, why, certain)
            await certain.wait()
        except _UnsaidError as unsaid:
            self._ending.fail("tts", unsaid.error)
            return
        except ProviderError as error:
            self._ending.fail("dialogue", error)
            return
        except TimeoutError:
            self._ending.fail("dialogue", ProviderUnavailableError("no answer in time"))
            return
        except Exception as error:  # a plugin's bug must not take the call with it
            self._stage.log.exception("provider crashed", stage="dialogue")
            self._ending.fail("dialogue", ProviderError(type(error).__name__))
            return
        finally:
            self.filler.answered()
        match ending:
            case None:
                self._floor.complete(bot)
            case base.Transfer():
                await self._handing_over.go(bot, ending)
            case base.HangUp(reason):
                await self._ending.leave(bot, reason or "hang-up")

    async def _answered(
        self, bot: BotTurn, turn: base.UserTurn, certain: asyncio.Event
    ) -> Ended | None:
        assert self._dialogue is not None
        actions = self._dialogue.respond(turn)
        try:
            return await self._perform(bot, actions, certain)
        finally:
            await self._close(actions)

    async def _refused(
        self, bot: BotTurn, why: base.TransferFailure, certain: asyncio.Event
    ) -> Ended | None:
        """The dialogue is told, and goes on with the answer: it may say so itself, name another
        target, or hang up. Where it does none of that, we say so."""
        self._stage.log.warning("transfer refused", reason=why)
        said = bot.text
        ending = await self._answered(bot, base.UserTurn(transfer_failed=why), certain)
        if isinstance(ending, base.Transfer) and self._handing_over.refusal(ending):
            ending, said = None, bot.text
        if ending is None and bot.text == said:
            await self._say_lines(bot, self._handing_over.refused_lines)
        return ending

    async def _close(self, actions: AsyncGenerator[base.Action, None]) -> None:
        try:
            async with asyncio.timeout(self._waits.close):
                await actions.aclose()
        except Exception as error:  # a plugin's bug; its answer is over all the same
            self._stage.log.warning("answer not closed cleanly", error=type(error).__name__)

    async def _perform(
        self,
        bot: BotTurn,
        actions: AsyncGenerator[base.Action, None],
        certain: asyncio.Event,
    ) -> Ended | None:
        """Carry out the dialogue's actions; the last one if it ends the call."""
        clauses = Clauses(self._stage.language)
        while True:
            action = await self._next(actions)
            if isinstance(action, base.Say):
                lines = clauses.take(action.text, more=action.more)
                await self._say_lines(bot, lines, interruptible=action.interruptible)
                continue
            await self._say_lines(bot, clauses.flush())
            match action:
                case None:
                    return None
                case base.SendDtmf(digits):
                    self._floor.send_dtmf(bot, digits)
                case base.SetLanguage(language):
                    await certain.wait()
                    self._stage.switch_language(language)
                    clauses = Clauses(self._stage.language)
                case base.CollectDigits():
                    await certain.wait()
                    self._collect(action)
                case base.Usage():
                    pass
                case base.Transfer() | base.HangUp():
                    await certain.wait()
                    return action
                case _:
                    raise ProviderProtocolError(f"{type(action).__name__} is no action")

    async def _next(self, actions: AsyncGenerator[base.Action, None]) -> base.Action | None:
        async with asyncio.timeout(self._waits.dialogue):
            return await anext(actions, None)

    async def _say_lines(
        self, bot: BotTurn, lines: list[str], *, interruptible: bool = True
    ) -> None:
        try:
            for line in lines:
                await self._floor.say(bot, line, interruptible=interruptible)
        except ProviderError as error:
            raise _UnsaidError(error) from error
