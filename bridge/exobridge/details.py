"""Asks Exotel how a call went, some minutes after this server's part of it is over.

Many calls get no status callback, and price, duration and end settle about two minutes after the
call in any case. So the end of a stream leaves a job behind, written in the transaction that writes
the end itself; and so does the first that is told of a call that has no stream and waits for none:
it was refused, or only its Passthru applets come here; or we had it placed, and nobody may take
it. The job asks for the call's details until
they are settled, and tells the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from exobridge.call import events
from exobridge.call.events import JSON, CallEvent, EventKind
from exobridge.call.state import Call, State
from exobridge.exotel.api import (
    BadRequestError,
    CallDetails,
    ExotelApi,
    ExotelError,
    NotFoundError,
)
from exobridge.exotel.roles import roles
from exobridge.jobs import GiveUp, JobRunner, Later
from exobridge.store.jobs import Job, NewJob
from exobridge.store.transaction import JobBeside

KIND = "details"
"""Of these jobs."""

AT_ONCE = 4
"""Most calls that a process asks about at a time."""

LIMIT_SECONDS = 40.0
"""Of one try; the client's own limit is shorter."""


_AFTERWARDS = (EventKind.DETAILS, EventKind.RECORDING)


class EventRecorder(Protocol):
    """Keeps a call's facts."""

    async def append(self, event: CallEvent) -> None:
        """Keep one; raises :class:`StoreError` if it is not kept."""
        ...


class NotesRecordings(Protocol):
    """Fetches recordings."""

    async def note(self, call_sid: str, url: str = "") -> None:
        """There is one of this call; raises :class:`StoreError` if that is not kept."""
        ...


@dataclass(frozen=True, slots=True)
class DetailsWaits:
    """When Exotel is asked; all in seconds.

    Attributes:
        first: After the end of the stream, or the first that was told; of a call that we had
            placed, after it could ring no longer: "settle ~2 min after the call".
        going_on: Between two questions while the call goes on. A human may talk for 75 minutes.
        unsettled: Between two questions while the call is over and its sums are not there; at least
            a quarter of the time since the stream has ended, so that some twenty questions fill a
            day.
        unavailable: Likewise, while Exotel's API does not answer as it should.
        unknown: How long a call that Exotel does not know may be new to it.
        at_most: From the end of the stream likewise; then it is given up.
    """

    first: float = 150.0
    going_on: float = 300.0
    unsettled: float = 120.0
    unavailable: float = 600.0
    unknown: float = 900.0
    at_most: float = 86_400.0


def details_beside(waits: DetailsWaits | None = None) -> JobBeside:
    """What the store writes beside a fact of a call of which nothing is under way here: the job,
    one for each call."""
    first = timedelta(seconds=(waits or DetailsWaits()).first)

    def job_beside(event: CallEvent, call: Call) -> NewJob | None:
        if call.state in (State.ANSWERED, State.STREAMING) or event.kind in _AFTERWARDS:
            return None
        rings = call.placed.ring_seconds if event.kind is EventKind.PLACED else 0
        over_at = event.at + timedelta(seconds=rings)
        payload: dict[str, JSON] = {"over_at": over_at.isoformat()}
        return NewJob(KIND, event.call_sid, event.call_sid, payload, over_at + first)

    return job_beside


class DetailsPoll:
    """Does these jobs.

    Args:
        clock: The time of day, aware.
    """

    def __init__(
        self,
        *,
        api: ExotelApi,
        recorder: EventRecorder,
        recordings: NotesRecordings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        waits: DetailsWaits | None = None,
    ) -> None:
        self._api = api
        self._recorder = recorder
        self._recordings = recordings
        self._clock = clock
        self._waits = waits or DetailsWaits()

    def register(self, runner: JobRunner) -> None:
        """Have a runner do the work."""
        runner.register(KIND, self.ask, limit_seconds=LIMIT_SECONDS, concurrency=AT_ONCE)

    async def ask(self, job: Job) -> None:
        """Do a job: ask, and tell the record.

        Raises:
            Later: There is more to come.
            GiveUp: There is not, as far as can be known.
            StoreError: It could not be recorded.
        """
        age = self._age(job)
        try:
            details = await self._api.call_details(job.call_sid)
        except ExotelError as error:
            raise self._after(error, age) from error
        if not details.is_over:
            raise self._again(age, self._waits.going_on, "the call goes on")
        await self._recorder.append(details_event(details, job.call_sid, self._clock()))
        if details.recording_url or details.presigned_url:
            # Not the presigned one: it will have expired by then.
            await self._recordings.note(job.call_sid, details.recording_url)
        if not details.is_settled:
            wait = max(self._waits.unsettled, age / 4)
            raise self._again(age, wait, "its sums have not settled")

    def _after(self, error: ExotelError, age: float) -> Later | GiveUp:
        """What an answer means that is none. A key that is wrong may be mended meanwhile."""
        if isinstance(error, NotFoundError) and age >= self._waits.unknown:
            return GiveUp("Exotel does not know the call")
        if isinstance(error, BadRequestError):
            return GiveUp(str(error))
        wait = max(self._waits.unavailable, age / 4)
        return self._again(age, max(wait, error.retry_after or 0), str(error))

    def _again(self, age: float, seconds: float, why: str) -> Later | GiveUp:
        if age + seconds > self._waits.at_most:
            return GiveUp(why)
        return Later(seconds, why)

    def _age(self, job: Job) -> float:
        """Seconds since the stream has ended, or the call was first heard of."""
        over_at = datetime.fromisoformat(str(job.payload["over_at"]))
        return (self._clock() - over_at).total_seconds()


def details_event(details: CallDetails, call_sid: str, at: datetime) -> CallEvent:
    """What the details tell, for the record."""
    by_id = sorted(details.legs, key=lambda leg: leg.leg_id)  # the caller's first
    told: dict[str, JSON] = {
        **roles(details.from_number, details.to_number),
        "direction": details.direction,
        "started_at": details.started_at.isoformat() if details.started_at else "",
        "ended_at": details.ended_at.isoformat() if details.ended_at else "",
        "seconds": details.seconds,
        "conversation_seconds": details.conversation_seconds,
        "price": None if details.price is None else float(details.price),
        "legs": [{"id": leg.leg_id, "seconds": leg.seconds} for leg in by_id],
        "leg1_status": details.leg1_status,
        "leg2_status": details.leg2_status,
    }
    return events.details(
        call_sid,
        at,
        status=details.status,
        data={name: value for name, value in told.items() if value not in ("", None, [])},
        settled=details.is_settled,
    )
