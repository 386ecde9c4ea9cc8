"""A caller is handed to a human: whether that can be, the line for it, and the request on record.

What follows is Exotel's: the flow's next applet asks whom to dial, maybe of another worker, as soon
as the line has been left. So the request is on record before.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from exobridge.call.bot_turn import BotTurn
from exobridge.call.ending import Ending
from exobridge.call.floor import Floor
from exobridge.call.own_lines import SpokenLines
from exobridge.call.record import TurnRecord
from exobridge.call.stage import Stage
from exobridge.errors import ExobridgeError
from exobridge.templates.transfer import TransferTable
from exobridge_providers.base import Transfer, TransferFailure
from exobridge_providers.errors import ProviderError

REASON = "transfer"
"""Of the stream's end."""


def refusal(table: TransferTable, target: str, now: datetime) -> TransferFailure | None:
    """Why nobody can be had for a target; ``None``: somebody may.

    A template that names nobody leaves it to Exotel's flow, whose Connect applet has numbers of its
    own; one with a look-up leaves it to the system that is asked.
    """
    if table.lookup.url or not table.names_somebody:
        return None
    return table.find(target, now).problem or None


class HandingOver:
    """One call's."""

    def __init__(
        self, stage: Stage, floor: Floor, record: TurnRecord, ending: Ending, lines: SpokenLines
    ) -> None:
        self._stage = stage
        self._floor = floor
        self._record = record
        self._ending = ending
        self._lines = lines

    def refusal(self, transfer: Transfer) -> TransferFailure | None:
        """As of the module, with the call's template, now."""
        stage = self._stage
        now = stage.services.wall_clock()
        return refusal(stage.plan.template.transfer, transfer.target, now)

    @property
    def refused_lines(self) -> list[str]:
        """What says that nobody can be had; empty where the template has no words for it."""
        text = self._stage.plan.text(self._lines.texts.transfer_closed)
        return [text] if text else []

    async def go(self, bot: BotTurn, transfer: Transfer, text: str | None = None) -> None:
        """Let the caller hear the turn to its end, or where it says nothing ``text`` (``None``: our
        line), and leave the line to Exotel's flow. Nobody is listened to meanwhile."""
        self._ending.hold()
        if not bot.text:
            own = self._stage.plan.text(self._lines.texts.transfer)
            await self.say_so(bot, own if text is None else text)
        await self._keep(bot, transfer)
        await self._ending.leave(bot, REASON)

    async def say_so(self, bot: BotTurn, text: str) -> None:
        """Say a last line, if it is not empty and can be said."""
        if not text:
            return
        try:
            async with asyncio.timeout(self._stage.services.waits.tts_first_audio):
                await self._floor.say(bot, text)
        except (ProviderError, TimeoutError) as error:  # the human matters more
            self._stage.log.warning("last line cannot be said", error=str(error))

    async def _keep(self, bot: BotTurn, transfer: Transfer) -> None:
        try:
            async with asyncio.timeout(self._stage.services.waits.transfer):
                await self._record.transfer(bot, transfer)
        except TimeoutError:
            self._stage.log.error("transfer not recorded", error="not kept in time")
        except ExobridgeError as error:
            self._stage.log.error("transfer not recorded", error=str(error))
