"""The end of a conversation: its last words are played, then the line is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from exobridge.call.bot_turn import Asked, BotTurn
from exobridge.call.events import EndedBy
from exobridge.call.floor import Floor
from exobridge.call.own_lines import SpokenLines
from exobridge.call.stage import Stage
from exobridge_providers.errors import ProviderError


class Ending:
    """Whatever ends one call from our side; only the first end counts.

    Args:
        hush: Falls silent, and drops the answer that is being made.

    Attributes:
        closing: The last words have begun: nobody is listened to any more.
        over: The line is gone.
    """

    def __init__(
        self, stage: Stage, floor: Floor, lines: SpokenLines, hush: Callable[[], None]
    ) -> None:
        self.closing = False
        self.over = False
        self._unsaid = False
        self._stage = stage
        self._plan = stage.plan
        self._floor = floor
        self._lines = lines
        self._hush = hush

    @property
    def can_close(self) -> bool:
        """Nothing ends the call yet: :meth:`close_with` would."""
        return not self.closing or self._unsaid

    def fail(self, what: str, error: ProviderError) -> None:
        """A provider failed: say sorry and end the call."""
        if self.over:
            return
        self._stage.log.error(
            "provider failed",
            stage=what,
            provider=error.provider,
            error=str(error),
            retryable=error.retryable,
        )
        self._stage.services.meters.provider_failed(self._plan.template, what, error)
        self.close_with(self._lines.texts.sorry, EndedBy.SERVER, f"{what} failed")

    def fall_silent(self) -> None:
        """Say no more, and listen to nobody: :meth:`close_with` follows."""
        if not self.closing:
            self.closing = self._unsaid = True
            self._hush()

    def close_with(self, text: str, by: EndedBy, reason: str) -> None:
        """Say a last line, if it is not empty, in place of everything else, then end the call."""
        if not self.can_close:
            return
        self.closing, self._unsaid = True, False
        self._hush()
        if not text:
            self._stage.end(by, reason)
            return
        self._stage.spawn(self._last_line(self._plan.text(text), by, reason))

    async def _last_line(self, text: str, by: EndedBy, reason: str) -> None:
        template, rate = self._plan.template, self._stage.speaking.sample_rate
        language = self._lines.language
        try:
            async with asyncio.timeout(self._stage.services.waits.greeting):
                pcm = await self._stage.services.prompts.render(template, text, rate, language)
        except (ProviderError, TimeoutError) as error:
            self._stage.log.warning("last line cannot be said", error=str(error))
        else:
            bot = self._floor.begin(Asked())
            self._floor.say_audio(bot, text, pcm)
            bot.complete = True
            await self._floor.played_out()
        self._stage.end(by, reason)

    def hold(self) -> None:
        """What is being said are the last words: nobody interrupts them."""
        self.closing, self._unsaid = True, False
        self._stage.speaking.resume()

    async def leave(self, bot: BotTurn, reason: str) -> None:
        """The dialogue ends the call with this turn, which is played to its end."""
        self.hold()
        self._floor.complete(bot)
        await self._floor.played_out()
        self._stage.end(EndedBy.BOT, reason)
