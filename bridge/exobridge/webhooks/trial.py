"""Tries the receiver with a signed ping, and says what to mend."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from exobridge.settings import Settings
from exobridge.webhooks.sender import Answer, Receiver, Sender, UnansweredError
from exobridge.webhooks.types import PING

_CURES = {
    401: "Give it the same WEBHOOK_SIGNING_SECRET; let it verify the bytes as they came.",
    403: "Give it the same WEBHOOK_SIGNING_SECRET; let it verify the bytes as they came.",
    404: "Look at the path of WEBHOOK_URL.",
    405: "Let it take POST.",
    413: "Let it take bodies of some kilobytes.",
    415: "Let it take application/json.",
    429: "Let it take more at a time; 100 a second may come.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a ping.

    Attributes:
        receiver: Scheme and host.
        status: HTTP's; ``None``: there was no answer.
        ms: How long it took; ``None`` likewise.
        found: What came back, in words.
        cure: What to do; empty: nothing.
    """

    receiver: str
    status: int | None
    ms: float | None
    found: str
    cure: str

    @property
    def is_taken(self) -> bool:
        """The receiver took it."""
        return self.status is not None and 200 <= self.status < 300

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "is_taken": self.is_taken}


async def try_receiver(settings: Settings, webhook_id: str) -> Trial | None:
    """Send a ping, once.

    Returns:
        ``None`` if the settings name no receiver.
    """
    receiver = Receiver.of(settings)
    if receiver is None:
        return None
    now = datetime.now(UTC)
    message: dict[str, Any] = {
        "type": PING,
        "id": webhook_id,
        "timestamp": now.isoformat(),
        "data": {},
    }
    async with Sender(receiver) as sender:
        try:
            answer = await sender.send(webhook_id, json.dumps(message).encode())
        except UnansweredError as error:
            cure = "Look whether it runs, and whether this machine may reach it: address, TLS."
            return Trial(receiver.shown, None, None, str(error), cure)
    ms = round(answer.seconds * 1000, 1)
    found = f"{answer.status} after {ms:.0f} ms"
    return Trial(receiver.shown, answer.status, ms, found, _cure(answer))


def _cure(answer: Answer) -> str:
    if answer.is_taken:
        return ""
    if 300 <= answer.status < 400:
        return "Redirects are not followed: let WEBHOOK_URL name where it leads."
    if answer.status >= 500:
        return "Look at its log: it failed on its side."
    return _CURES.get(answer.status, "Let it answer 2xx to what it took.")
