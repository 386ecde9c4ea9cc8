"""Tells the user's application of each fact of a call, afterwards: ``[log]`` of its template.

The job is written with the fact itself, and done by whichever process finds it; nobody on the line
waits for it, and no crash loses it. A fact is delivered at least once: its ``webhook-id`` is the
same each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

import structlog

from exobridge.call.events import JSON, CallEvent, EventKind
from exobridge.call.state import Call
from exobridge.errors import ExobridgeError
from exobridge.exotel.passthru import PassthruParams, read_passthru
from exobridge.jobs import GiveUp, JobRunner
from exobridge.routing.applications import Applications, UnreachableError
from exobridge.store.jobs import Job, NewJob
from exobridge.templates import Template

KIND = "deliver-log"
NAME = "log"
VERSION = 1
"""Of what is sent. A key may be added; one that is taken away or changed raises this."""

DELIVERY_SECONDS = 10.0
"""Longest time for one try."""

AT_ONCE = 8
"""Most facts that a process tells at a time."""

BATCH = 128
"""Most that it takes at a time: many come, and a transaction for each would hold up the calls'."""

PACE_SECONDS = 0.01
"""Least time from one to the next: at most 100 a second, so that they do not hold up the calls, nor
overrun the application when it is back."""

TOLD = frozenset(
    {
        EventKind.ANSWER,
        EventKind.STREAM_STARTED,
        EventKind.STREAM_ENDED,
        EventKind.PASSTHRU,
        EventKind.STATUS,
        EventKind.RECORDING,
    }
)
"""What an application is told of."""

_log = structlog.stdlib.get_logger("exobridge.routing")


class NotDeliveredError(ExobridgeError):
    """The application did not take it."""


class _Placed(Protocol):
    @property
    def template_name(self) -> str: ...
    @property
    def template(self) -> Template: ...


class _Desk(Protocol):
    """Knows the templates in force, and which is a call's."""

    def entry(self, params: PassthruParams, known: Call | None) -> _Placed:
        """The template whose rules are a call's."""
        ...

    def template(self, name: str) -> Template | None:
        """One of the templates in force."""
        ...

    def logs(self) -> bool:
        """Whether any template has a ``[log]``."""
        ...


class LogDelivery:
    """Makes a job of each fact, and does it."""

    def __init__(self, desk: _Desk, applications: Applications) -> None:
        self._desk = desk
        self._applications = applications

    def register(self, runner: JobRunner) -> None:
        """Have a runner do the work."""
        runner.register(
            KIND,
            self.deliver,
            limit_seconds=DELIVERY_SECONDS,
            concurrency=AT_ONCE,
            batch=BATCH,
            pace_seconds=PACE_SECONDS,
        )

    def job_beside(self, event: CallEvent, call: Call) -> NewJob | None:
        """The job that is written with a fact, if an application is to be told of it."""
        if event.kind not in TOLD or not self._desk.logs():
            return None
        try:
            return self._job(event, call)
        except Exception as error:  # the fact is kept whatever is wrong here
            _log.error("fact not delivered", call_sid=event.call_sid, error=type(error).__name__)
            return None

    def _job(self, event: CallEvent, call: Call) -> NewJob | None:
        placed = self._desk.entry(_params(event), call)
        if not placed.template.log.url:
            return None
        payload: dict[str, JSON] = {
            "template": placed.template_name,
            "event": event.kind.value,
            "at": event.at.isoformat(),
            "caller": call.caller,
            "called": call.called,
            "direction": call.direction,
            "data": event.data,
        }
        key = f"{event.call_sid}:{event.key}"
        return NewJob(KIND, key, event.call_sid, payload, event.at)

    # -------------------------------------------------------------- delivering

    async def deliver(self, job: Job) -> None:
        """Do a job: tell the application.

        Raises:
            GiveUp: Nobody is to be told any more.
            NotDeliveredError: It was not taken; to be tried again.
        """
        told = job.payload
        template = self._desk.template(str(told.get("template", "")))
        if template is None or not template.log.url:
            raise GiveUp("the template has no log any more")
        message = {
            "version": VERSION,
            "event": told.get("event"),
            "at": told.get("at"),
            "call": {
                "sid": job.call_sid,
                "template": told.get("template"),
                "caller": told.get("caller"),
                "called": told.get("called"),
                "direction": told.get("direction"),
            },
            "data": told.get("data"),
        }
        # Of the key, which holds what came from outside, a header takes only a digest.
        request_id = hashlib.blake2b(job.key.encode(), digest_size=16).hexdigest()
        try:
            status, _ = await self._applications.post(template.log, NAME, request_id, message)
        except UnreachableError as error:
            raise NotDeliveredError(str(error)) from None
        if not 200 <= status < 300:
            raise NotDeliveredError(f"status {status}")


def _params(event: CallEvent) -> PassthruParams:
    """What an event tells of its call, in a webhook's words."""
    given = event.data.get("parameters")
    pairs = given.items() if isinstance(given, Mapping) else ()
    texts = [(name, value) for name, value in pairs if isinstance(value, str)]
    return read_passthru([("CallSid", event.call_sid), *texts])
