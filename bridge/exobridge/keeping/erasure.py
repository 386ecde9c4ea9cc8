"""Takes away all that is kept of one caller, or of one call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from exobridge.call.state import State
from exobridge.errors import ExobridgeError
from exobridge.numbers import mask
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
        dials_left: Of this number a call may be ringing: it was left alone, too.
        failed: Calls with a recording that cannot be deleted; they were left as they are, so that
            another try finds them.
    """

    held: Held = field(default_factory=Held)
    under_way: Sequence[str] = ()
    failed: Sequence[str] = ()
    dials_left: int = 0

    @property
    def is_complete(self) -> bool:
        """Nothing is left."""
        return not self.under_way and not self.failed and not self.dials_left


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

    async def erase(self, call_sids: Sequence[str], number: str = "") -> Erased:
        """Erase calls: files first, then rows, so that a failure leaves what names the files.

        Args:
            number: The caller's, E.164: nobody is called there any more, and what was kept of that
                goes too; empty: only the calls.

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
        dials_left = 0
        if number:
            gone += Held(dials=await self._store.dials.forget(number))
            dials_left = await self._store.dials.held(number)
        await self._store.keeping.settle()
        _log.info(
            "data erased",
            caller=mask(number),
            calls=gone.calls,
            events=gone.events,
            turns=gone.turns,
            recordings=gone.recordings,
            jobs=gone.jobs,
            dials=gone.dials,
            under_way=len(under_way) + dials_left,
            failed=len(failed),
        )
        return Erased(gone, under_way, failed, dials_left)

    async def _delete_files(self, call_sid: str) -> None:
        for path in await asyncio.to_thread(self._spool.of_call, call_sid):
            await asyncio.to_thread(self._spool.drop, path)
        if self._wire is not None:
            await asyncio.to_thread(self._wire.drop, call_sid)
        for row in await self._store.recordings.of_call(call_sid):
            await self._storage.delete(row.location)
