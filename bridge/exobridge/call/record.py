"""What is kept of a conversation: the turns of both sides, and a transfer that was asked for."""

from __future__ import annotations

from exobridge.call.bot_turn import BotTurn
from exobridge.call.events import Role, Turn, transfer_requested
from exobridge.call.stage import Stage
from exobridge_providers.base import Transfer


class TurnRecord:
    """One call's turns, numbered in the order in which they began."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._numbers = 0

    def next_number(self) -> int:
        """The number of a turn that begins now."""
        self._numbers += 1
        return self._numbers

    def caller(self, number: int, text: str, start_ms: float, end_ms: float) -> None:
        """The caller's turn is over; times count from the start of the stream."""
        self._stage.services.recorder.add_turn_soon(
            Turn(
                call_sid=self._stage.plan.call_sid,
                stream_sid=self._stage.stream_sid,
                number=number,
                role=Role.CALLER,
                text=text,
                start_ms=round(start_ms),
                end_ms=round(end_ms),
                language=self._stage.language,
            )
        )

    def bot(self, bot: BotTurn) -> None:
        """The bot's turn is over; one that was cut before it was heard is not kept."""
        stage = self._stage
        if bot.utterances and (bot.heard or not bot.interrupted):
            turn = bot.record(
                stage.plan.call_sid, stage.stream_sid, stage.started_at, stage.language
            )
            stage.services.recorder.add_turn_soon(turn)

    async def transfer(self, bot: BotTurn, transfer: Transfer) -> None:
        """The dialogue hands the caller to a human. It is kept when this returns.

        Raises:
            ExobridgeError: It is not.
        """
        event = transfer_requested(
            self._stage.plan.call_sid,
            self._stage.services.wall_clock(),
            stream_sid=self._stage.stream_sid,
            utterance=f"turn-{bot.number}",
            target=transfer.target,
            summary=transfer.summary,
        )
        await self._stage.services.recorder.append(event)
