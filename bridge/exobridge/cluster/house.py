"""The one book of slots, kept by the supervisor, and which worker holds which call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from exobridge.admission import HeldStream, Slots
from exobridge.cluster.messages import Heed, Hold, Moved, Release, Take, Taken, ToWorker, Unused

REMEMBERED = 500
"""Streams of a worker that are over and whose end may not have been written when it dies."""


@dataclass(slots=True)
class _Holder:
    """Whose a call is.

    Attributes:
        worker: ``None``: it died, and the call's stream is still to come.
        stream_sid: Empty: it is still to come.
    """

    worker: int | None
    stream_sid: str


class House:
    """The calls of all workers.

    Args:
        workers: How many there are.
        max_calls: Of the whole server.
        unused_seconds: How long a slot waits for its stream.
        tell: Sends a message to a worker; whether that worker is there.
    """

    def __init__(
        self,
        workers: int,
        max_calls: int,
        unused_seconds: float,
        tell: Callable[[int, ToWorker], bool],
    ) -> None:
        self._workers = workers
        self._tell = tell
        self._slots = Slots(max_calls, unused_seconds, self._unused)
        self._holders: dict[str, _Holder] = {}
        self._over: dict[int, deque[HeldStream]] = {}

    @property
    def calls(self) -> int:
        """Slots taken by conversations."""
        return self._slots.calls

    def take(self, worker: int, asked: Take) -> Taken:
        """A slot for the call that this worker asks about."""
        granted = self._slots.take(
            asked.call_sid,
            refusal=asked.refusal,
            again=asked.again,
            is_open=bool(asked.stream_sid),
        )
        if not granted:
            return Taken(asked.ask, granted=False)
        self._give(worker, asked.call_sid, asked.stream_sid)
        return Taken(asked.ask, True, yours=self._holders[asked.call_sid].worker == worker)

    def hold(self, worker: int, held: Hold) -> None:
        """Count a call that this worker has taken by itself."""
        self._slots.hold(held.call_sid, refusal=held.refusal)
        self._give(worker, held.call_sid, held.stream_sid)

    def heed(self, told: Heed) -> None:
        """What Exotel says of the account's streams."""
        self._slots.heed(told.active, told.limit, told.seconds)

    def _give(self, worker: int, call_sid: str, stream_sid: str) -> None:
        """The call is this worker's if its stream is there, or if it is nobody's."""
        holder = self._holders.get(call_sid)
        if holder is None or holder.worker is None:
            self._holders[call_sid] = _Holder(worker, stream_sid)
        elif stream_sid:
            if holder.worker != worker:
                self._tell(holder.worker, Moved(call_sid, holder.stream_sid))
            self._remember(holder.worker, call_sid, holder.stream_sid)
            self._holders[call_sid] = _Holder(worker, stream_sid)
        if stream_sid:
            self._slots.stream_opened(call_sid)

    def release(self, worker: int, over: Release) -> None:
        """A stream of this worker is over. One that was replaced before frees nothing."""
        if self._holders.get(over.call_sid) == _Holder(worker, over.stream_sid):
            self._remember(worker, over.call_sid, over.stream_sid)
            self._free(over.call_sid)

    def _free(self, call_sid: str) -> None:
        del self._holders[call_sid]
        self._slots.release(call_sid)

    def _remember(self, worker: int, call_sid: str, stream_sid: str) -> None:
        if stream_sid:
            over = self._over.setdefault(worker, deque(maxlen=REMEMBERED))
            over.append((call_sid, stream_sid))

    def _unused(self, call_sid: str) -> None:
        """The slot was freed; one worker that is there records it, who asked for it if may be."""
        holder = self._holders.pop(call_sid)
        asker = -1 if holder.worker is None else holder.worker
        for worker in (asker, *range(self._workers)):
            if self._tell(worker, Unused(call_sid)):
                return

    def bury(self, worker: int) -> set[HeldStream]:
        """Free the slots of a worker that died. A call whose stream is still to come keeps its
        slot: Exotel will open it with another worker.

        Returns:
            The streams that the record may still show as open.
        """
        lost = set(self._over.pop(worker, ()))
        for call_sid, holder in list(self._holders.items()):
            if holder.worker != worker:
                continue
            if holder.stream_sid:
                lost.add((call_sid, holder.stream_sid))
                self._free(call_sid)
            else:
                holder.worker = None
        return lost

    def close(self) -> None:
        """Stop waiting for streams."""
        self._slots.close()
