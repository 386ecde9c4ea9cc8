"""Takes wishes that somebody be called, and tells what became of them."""

from __future__ import annotations

from datetime import datetime

from exobridge.outbound.models import Attempt, Dial, DialRequest, DialState, PlacedCall, Wish


class Outbound:
    """Calling out, for who asks for it. The calls are placed by the dialler of a server, which
    looks at the same database."""

    def check(self, wish: Wish) -> DialRequest:
        """How this wish would be called.

        Raises:
            DialRefusedError: It would not.
        """
        raise NotImplementedError

    async def dial(self, wish: Wish) -> tuple[Dial, bool]:
        """Have somebody called. It is durable when this returns.

        Returns:
            The dial, and whether it is new.

        Raises:
            DialRefusedError: Nobody is called for this.
            KeyReusedError: Its key was used for something else.
            StoreError: It could not be kept.
        """
        raise NotImplementedError

    async def dials(
        self,
        limit: int = 50,
        before: str | None = None,
        *,
        batch_id: str | None = None,
        state: DialState | None = None,
    ) -> list[Dial]:
        """Dials, the newest first.

        Args:
            before: Id of the last one of the page before.
        """
        raise NotImplementedError

    async def find(self, dial_id: str) -> Dial | None:
        """One dial."""
        raise NotImplementedError

    async def attempts(self, dial_id: str) -> list[Attempt]:
        """What was asked of Exotel for it, the first first."""
        raise NotImplementedError

    async def cancel(self, dial_id: str) -> Dial:
        """Call nobody for it any more. A call that is under way goes on, and is not repeated.

        Raises:
            UnknownDialError: There is none of this id.
        """
        raise NotImplementedError

    async def adopt(self, call_sid: str, custom_field: str, at: datetime) -> PlacedCall | None:
        """A webhook tells of a call; if it is one that we placed, its dial knows it from now on.

        Returns:
            ``None``: it is none of ours.
        """
        raise NotImplementedError

    def wake(self) -> None:
        """Something is due now."""
        raise NotImplementedError
