"""Takes away all that is kept of one caller, or of one call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from exobridge.call.state import State
from exobridge.errors import ExobridgeError
from exobridge.own_recording.spool import Spool
from exobridge.recordings.storage import Storage
from exobridge.store import Store
from exobridge.store.keeping import Held
from exobridge.wire.folder import WireFolder

_log = structlog.stdlib.get_logger("exobridge.keeping")


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken away.

    Attributes:
        held: Rows.
        under_way: Calls that go on, and were left alone.
        failed: Calls with a recording that cannot be deleted; they were left as they are, so that
            another try finds them.
    """

    held: Held = field(default_factory=Held)
    under_way: Sequence[str] = ()
    failed: Sequence[str] = ()

    @property
    def is_complete(self) -> bool:
        """Nothing is left."""
        return not self.under_way and not self.failed


class Erasure:
    """Erases, also while servers work with the same database.

    Args:
        spool: Where recordings of this machine wait.
        wire: Where the wire of this machine's calls is kept, if it is.
    """

    def __init__(
        self, store: Store, storage: Storage, spool: Spool, wire: WireFolder | None = None
    ) -> None:
        self._store = store
        self._storage = storage
        self._spool = spool
        self._wire = wire

    async def under_way(self, call_sids: Sequence[str]) -> list[str]:
        """Those of the calls that go on: they would be written again.

        Raises:
            StoreError: The database does not answer.
        """
        known = [await self._store.call(call_sid) for call_sid in call_sids]
        return [
            call.call_sid for call in known if call is not None and call.state is State.STREAMING
        ]

    async def erase(self, call_sids: Sequence[str], whose: str = "") -> Erased:
        """Erase calls: files first, then rows, so that a failure leaves what names the files.

        Args:
            whose: The caller's number for the log, masked.

        Raises:
            StoreError: The database does not answer. What was erased before stays so.
        """
        under_way = await self.under_way(call_sids)
        gone = Held()
        failed: list[str] = []
        for call_sid in call_sids:
            if call_sid in under_way:
                continue
            try:
                await self._delete_files(call_sid)
            except (ExobridgeError, OSError) as error:
                why = str(error) if isinstance(error, ExobridgeError) else str(error.strerror)
                _log.warning("call not erased", call_sid=call_sid, error=why)
                failed.append(call_sid)
            else:
                gone += await self._store.keeping.forget(call_sid)
        await self._store.keeping.settle()
        _log.info(
            "data erased",
            caller=whose,
            calls=gone.calls,
            events=gone.events,
            turns=gone.turns,
            recordings=gone.recordings,
            jobs=gone.jobs,
            under_way=len(under_way),
            failed=len(failed),
        )
        return Erased(gone, under_way, failed)

    async def _delete_files(self, call_sid: str) -> None:
        for path in await asyncio.to_thread(self._spool.of_call, call_sid):
            await asyncio.to_thread(self._spool.drop, path)
        if self._wire is not None:
            await asyncio.to_thread(self._wire.drop, call_sid)
        for row in await self._store.recordings.of_call(call_sid):
            await self._storage.delete(row.location)
