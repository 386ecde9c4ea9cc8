"""A system of the user's own is asked whom to dial."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import structlog

from exobridge.routing.applications import Applications, UnreachableError
from exobridge.templates.transfer import DialLookupTable

NAME = "transfer.lookup"
VERSION = 1
"""Of what is sent. A key may be added to it; one that is taken away or changed raises this."""
MAX_BYTES = 16_384
"""Of an answer."""
NOT_KNOWN = (204, 404)
"""Statuses that say that the system has nothing to say, which is an answer."""

_log = structlog.stdlib.get_logger("exobridge.transfer")


class BadAnswerError(Exception):
    """The answer cannot be used; says why, and nothing of what it holds."""


class _Answer(msgspec.Struct):
    target: str | list[str] | msgspec.UnsetType | None = msgspec.UNSET


class Lookup:
    """Asks, over the process's connections to the user's applications."""

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    async def ask(self, table: DialLookupTable, question: dict[str, Any]) -> str | None:
        """Whom to dial: a target as a dialogue names it, or empty where the system has nothing to
        say, fails or is late. ``None``: nobody.

        Args:
            question: What the system is told.
        """
        message = {"version": VERSION, "event": "dial", **question}
        try:
            async with asyncio.timeout(table.timeout_ms / 1000):
                status, body = await self._applications.post(table, NAME, uuid.uuid4().hex, message)
            if status in NOT_KNOWN:
                return ""
            if not 200 <= status < 300:
                raise BadAnswerError(f"status {status}")
            return read_answer(body)
        except TimeoutError:
            why = f"no answer within {table.timeout_ms} ms"
        except (UnreachableError, BadAnswerError) as error:
            why = str(error)
        _log.warning(
            "transfer lookup failed",
            call_sid=question.get("call_sid"),
            template=question.get("template"),
            error=why,
        )
        return ""


def read_answer(body: bytes) -> str | None:
    """The ``target`` of an answer: see :meth:`Lookup.ask`.

    Raises:
        BadAnswerError: It is too long, or no JSON object with a target, a list of them, or none.
    """
    if len(body) > MAX_BYTES:
        raise BadAnswerError(f"the answer is longer than {MAX_BYTES} bytes")
    if not body.strip():
        return ""
    try:
        target = msgspec.json.decode(body, type=_Answer).target
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadAnswerError("the answer is no JSON object with a target") from None
    if isinstance(target, list):
        return ",".join(target) if target else None
    return "" if target is msgspec.UNSET else target
