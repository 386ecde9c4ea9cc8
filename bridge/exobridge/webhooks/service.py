"""The webhooks of one process: what facts leave, and what is done about it."""

from __future__ import annotations

from typing import Self

import structlog

from exobridge.jobs import JobRunner
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.webhooks.delivery import EXPIRE_SECONDS, Delivery
from exobridge.webhooks.messages import KIND, Messages
from exobridge.webhooks.sender import Receiver, Sender
from exobridge.webhooks.types import WEBHOOK_EVENTS

_log = structlog.stdlib.get_logger("exobridge.webhooks")


class Webhooks:
    """Made by :meth:`of`.

    Attributes:
        delivery: Sends them; counts what became of each.
    """

    def __init__(self, settings: Settings, receiver: Receiver) -> None:
        self._settings = settings
        self._sender = Sender(receiver)
        self.delivery = Delivery(self._sender)

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """As the settings say; ``None``: nobody is to be told."""
        receiver = Receiver.of(settings)
        return cls(settings, receiver) if receiver else None

    def leave_beside(self, store: Store) -> None:
        """From now on, write a job for each fact that is told, with the fact itself."""
        store.leave_all_beside(Messages(self._settings.webhook_events or WEBHOOK_EVENTS))

    def register(self, runner: JobRunner) -> None:
        """Have a runner do them."""
        self.delivery.register(runner, self._settings.webhook_keep_days)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()


async def retire(store: Store, runner: JobRunner) -> None:
    """Nobody is told any more: what waits for a receiver ends as if it were down for good.

    Raises:
        StoreError: The database does not answer.
    """
    runner.retire(KIND, EXPIRE_SECONDS)
    if await store.jobs.next_due([KIND]):
        _log.warning("webhooks without a receiver")
