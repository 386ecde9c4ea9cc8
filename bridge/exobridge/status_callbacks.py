"""What becomes of Exotel's status callbacks: they are kept, and recordings they tell of fetched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from exobridge.call import events
from exobridge.call.events import JSON, CallEvent
from exobridge.call.plan import Recorder
from exobridge.exotel.callback import CallbackLeg, StatusCallback
from exobridge.exotel.redaction import redact
from exobridge.exotel.roles import roles
from exobridge.recordings.service import Recordings
from exobridge.store import StoreError
from exobridge.store.patience import Patience

LooksUp = Callable[[str, str], Awaitable[object]]

_log = structlog.stdlib.get_logger("exobridge.status")


class StatusCallbacks:
    """Takes the status callbacks of any call, known or not.

    Args:
        clock: The time of day, aware.
        look_up: Finds the call by its CallSid, or as one of ours by its ``CustomField``.
        store_seconds: Longest wait for the database.
    """

    def __init__(
        self,
        *,
        recorder: Recorder,
        recordings: Recordings,
        clock: Callable[[], datetime],
        store_seconds: float,
        look_up: LooksUp | None = None,
    ) -> None:
        self._recorder = recorder
        self._look_up = look_up
        self._recordings = recordings
        self._clock = clock
        self._patience = Patience(store_seconds)

    async def take(self, callback: StatusCallback) -> bool:
        """Keep what is told; whether it is kept, and will be after a crash, too."""
        try:
            await self._patience.wait(self._keep(callback))
        except StoreError as error:
            _log.error("status not recorded", call_sid=callback.call_sid, error=str(error))
            return False
        return True

    async def _keep(self, callback: StatusCallback) -> None:
        if self._look_up is not None and callback.custom_field:
            await self._look_up(callback.call_sid, callback.custom_field)
        await self._recorder.append(status_event(callback, self._clock()))
        if callback.recording_url:
            await self._recordings.note(callback.call_sid, callback.recording_url)


def status_event(callback: StatusCallback, at: datetime) -> CallEvent:
    """What the callback tells, for the record. A call that ended without an ``EndTime`` ended when
    Exotel last changed it."""
    ended_at = callback.ended_at
    if ended_at is None and callback.event_type != "answered":
        ended_at = callback.updated_at
    told: dict[str, JSON] = {
        **roles(callback.from_number, callback.to_number, callback.phone_number_sid),
        "created_at": _iso(callback.created_at),
        "started_at": _iso(callback.started_at),
        "ended_at": _iso(ended_at),
        "seconds": callback.seconds,
        "conversation_seconds": callback.conversation_seconds,
        "direction": callback.direction,
        "from": callback.from_number,
        "to": callback.to_number,
        "phone_number_sid": callback.phone_number_sid,
        "custom_field": callback.custom_field,
        "legs": [_told(leg) for leg in callback.legs],
        "recording_url": redact(callback.recording_url),
    }
    return events.status(
        callback.call_sid,
        at,
        status=callback.status,
        event_type=callback.event_type,
        data={name: value for name, value in told.items() if value not in ("", None, [])},
    )


def _told(leg: CallbackLeg) -> dict[str, JSON]:
    return {"seconds": leg.seconds, "status": leg.status, "answered_by": leg.answered_by}


def _iso(time: datetime | None) -> str:
    return time.isoformat() if time else ""
