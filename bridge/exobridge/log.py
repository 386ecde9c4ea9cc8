"""One log for everything: structlog, on the console or as JSON lines, without secrets.

What is logged at which level stands in ``docs/reference/log.md``.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

import structlog

from exobridge.numbers import mask

_URL_SECRETS = (
    (re.compile(r"((?:auth_token|token|secret)=)[^&\s\"']+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(/exotel/(?:stream|answer)/)[^?\s\"'/]+"), r"\1***"),
    # Greedy: a password may hold an @ that nobody encoded.
    (re.compile(r"(://)[^/\s\"'?#]+@"), r"\1***@"),
    (re.compile(r"\b(Basic|Bearer) [\w.~+/=-]{16,}", re.IGNORECASE), r"\1 ***"),
)
_PHONE = re.compile(r"(?<![\w.+-])(\+\d{9,15}|0\d{10}|91[1-9]\d{9})(?!\w|[.-]\w)")
_ENCODED_PHONE = re.compile(r"%2B(\d{9,15})(?!\w)", re.IGNORECASE)
_PLAIN_TYPES = (bool, int, float, type(None))
MIN_SECRET = 6
"""Shorter values are not looked for: they would blacken ordinary words."""


class Redactor:
    """A structlog processor that takes secrets, tokens and full phone numbers out of every value.

    Phone numbers are found as E.164 (``%2B`` for the plus too), with a leading 0, or with 91.

    Args:
        secrets: Values that must never appear, nor percent-encoded.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {s for s in secrets if len(s) >= MIN_SECRET}
        known |= {quote(s, safe="") for s in known}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(
        self, logger: object, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Clean one entry."""
        for key, value in event.items():
            event[key] = self._clean(value)
        return event

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._clean(key): self._clean(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]  # any mapping a library logs
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # likewise
        if isinstance(value, _PLAIN_TYPES):
            return value
        return self.text(repr(value))  # as the renderers would write it

    def text(self, text: str) -> str:
        """Clean a text."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        for pattern, replacement in _URL_SECRETS:
            text = pattern.sub(replacement, text)
        text = _ENCODED_PHONE.sub(lambda match: mask(f"+{match[1]}"), text)
        return _PHONE.sub(lambda match: mask(match[1]), text)


def configure(log_format: str, level: str, secrets: Iterable[str] = ()) -> None:
    """Set up the log of this process.

    Args:
        log_format: ``console``, ``json``, or ``auto``: console on a terminal.
        level: ``DEBUG`` to ``ERROR``.
        secrets: Values that must never appear.
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    redact = Redactor(secrets)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # uvicorn logs each WebSocket's path at INFO, and the path holds a token.
    for name in (
        "uvicorn",
        "uvicorn.error",
        "uvicorn.access",
        "httpx",
        "httpcore",
        "websockets",
        "alembic",
    ):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
