"""What becomes of a Passthru applet's request: it is kept, and one of two branches is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from exobridge.call import events
from exobridge.call.events import JSON, CallEvent, EndedBy
from exobridge.call.plan import Recorder
from exobridge.call.state import Call
from exobridge.desk import Desk
from exobridge.exotel.legs import Leg
from exobridge.exotel.passthru import PassthruParams
from exobridge.exotel.stream_report import StreamReport
from exobridge.numbers import normalise
from exobridge.recordings.service import Recordings
from exobridge.routing import Route, Routing
from exobridge.store import StoreError
from exobridge.store.patience import Patience

_log = structlog.stdlib.get_logger("exobridge.passthru")


class Passthrus:
    """Takes the requests of Passthru applets, of any call, known or not.

    Args:
        clock: The time of day, aware.
        store_seconds: Longest wait for the database, each time it is asked.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        routing: Routing,
        recorder: Recorder,
        recordings: Recordings,
        clock: Callable[[], datetime],
        store_seconds: float,
    ) -> None:
        self._desk = desk
        self._routing = routing
        self._recorder = recorder
        self._recordings = recordings
        self._clock = clock
        self._patience = Patience(store_seconds)

    async def ask(self, params: PassthruParams) -> Route:
        """Keep what is told, and decide where the call goes on."""
        known = await self._known(params)
        _, _, route = await asyncio.gather(
            self._record(params, known), self.note_recordings(params), self._route(params, known)
        )
        return route

    def hear(self, params: PassthruParams) -> None:
        """Keep what is told, without waiting: nobody asks for a decision."""
        params = self._desk.with_direction(params)
        self._recorder.append_soon(passthru_event(params, self._clock()))

    async def note_recordings(self, params: PassthruParams) -> None:
        """Have the recordings fetched whose URLs came, if any did: the call's and the stream's."""
        told = {params.stream.recording_url: params.stream.stream_sid} if params.stream else {}
        told[params.recording_url] = ""
        for url, name in told.items():
            if url:
                await self._note(params.call_sid, url, name)

    async def _note(self, call_sid: str, url: str, name: str) -> None:
        try:
            await self._patience.wait(self._recordings.note(call_sid, url, name=name))
        except StoreError as error:
            _log.error("recording not noted", call_sid=call_sid, error=str(error))

    async def _record(self, params: PassthruParams, known: Call | None) -> None:
        event = passthru_event(self._desk.with_direction(params), self._clock(), known)
        try:
            await self._patience.wait(self._recorder.append(event))
        except StoreError as error:
            # The branch is told all the same: the caller is on the line.
            _log.error("passthru not recorded", call_sid=params.call_sid, error=str(error))
            self._recorder.append_soon(event)  # kept twice, it counts once

    async def _route(self, params: PassthruParams, known: Call | None) -> Route:
        placed = self._desk.entry(params, known)
        return await self._routing.route(
            placed.template_name,
            placed.template,
            replace(params, direction=placed.direction),
            caller=placed.caller,
            called=placed.called,
            now=self._clock(),
        )

    async def _known(self, params: PassthruParams) -> Call | None:
        looked_up = self._desk.look_up(params.call_sid, params.custom_field)
        try:
            return await self._patience.wait(looked_up)
        except StoreError as error:
            _log.error("call not looked up", call_sid=params.call_sid, error=str(error))
            return None


def passthru_event(params: PassthruParams, at: datetime, known: Call | None = None) -> CallEvent:
    """What a later webhook of a call tells, for the record.

    Args:
        known: The call as it stands, where it was looked up.
    """
    exophones = filter(None, map(normalise, params.exophones))
    told: dict[str, JSON] = {
        "caller": normalise(params.human) or "",
        "called": next(exophones, ""),
        "direction": params.direction,
        "call_status": params.call_status,
        "call_type": params.call_type,
        "dial_status": params.dial_status,
        "dial_whom": params.dial_whom,
        "dial_seconds": params.dial_seconds,
        "legs": [_leg(leg) for leg in params.legs],
        "stream": _stream(params.stream) if params.stream else {},
    }
    stream = params.stream or StreamReport()
    return events.passthru(
        params.call_sid,
        at,
        params.given,
        stream_sid=stream.stream_sid,
        ended_by=EndedBy(stream.disconnected_by) if stream.disconnected_by else None,
        transfer=known.transfer.key if known and known.transfer else "",
        told={name: value for name, value in told.items() if value not in ("", None, [], {})},
    )


def _leg(leg: Leg) -> dict[str, JSON]:
    return {
        "number": leg.number,
        "type": leg.type,
        "seconds": leg.seconds,
        "cause_code": leg.cause_code,
        "cause": leg.cause,
    }


def _stream(stream: StreamReport) -> dict[str, JSON]:
    return {
        "status": stream.status,
        "seconds": stream.seconds,
        "error": stream.error,
        "detailed_status": stream.detailed_status,
    }
