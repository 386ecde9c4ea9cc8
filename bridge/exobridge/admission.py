"""How many calls at once: one slot a call, however often it asks, freed when no stream comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Admission:
    """The slots of this process. To be used on the event loop only.

    Args:
        max_calls: Slots for conversations.
        unused_seconds: How long a slot waits for its stream.
        on_unused: Told the CallSid of a slot that was freed because no stream came.

    A call that is turned away by a spoken line needs a stream too. It takes one of a quarter as
    many slots beside these, so that a full house can still say so, and a flood of such calls
    cannot hurt those that are being served.
    """

    def __init__(
        self, max_calls: int, unused_seconds: float, on_unused: Callable[[str], None]
    ) -> None:
        self._limits = {False: max_calls, True: max(2, max_calls // 4)}
        self._unused_seconds = unused_seconds
        self._on_unused = on_unused
        self._taken: dict[str, bool] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    @property
    def calls(self) -> int:
        """Slots taken by conversations."""
        return sum(not spoken for spoken in self._taken.values())

    def take(self, call_sid: str, *, refusal: bool = False) -> bool:
        """A slot for this call; whether it has one now.

        Args:
            refusal: For one spoken line only.
        """
        if call_sid in self._taken:
            return True
        used = sum(kind is refusal for kind in self._taken.values())
        if used >= self._limits[refusal]:
            return False
        self._taken[call_sid] = refusal
        loop = asyncio.get_running_loop()
        self._waiting[call_sid] = loop.call_later(self._unused_seconds, self._unused, call_sid)
        return True

    def stream_opened(self, call_sid: str) -> None:
        """The call's stream has come; the slot is in use until :meth:`release`."""
        if waiting := self._waiting.pop(call_sid, None):
            waiting.cancel()

    def _unused(self, call_sid: str) -> None:
        self.release(call_sid)
        self._on_unused(call_sid)

    def release(self, call_sid: str) -> None:
        """The call is over."""
        self.stream_opened(call_sid)
        self._taken.pop(call_sid, None)

    def close(self) -> None:
        """Stop waiting for streams."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()
