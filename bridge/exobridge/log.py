"""One log for everything: structlog, on the console or as JSON lines, without secrets.

What is logged at which level stands in ``docs/reference/log.md``.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

import structlog

from exobridge.numbers import mask
from exobridge.visible import visible

_EQUALS = r"(?:=|%3D|(?:%22|[\"'])\s*(?::|%3A)\s*(?:%22|[\"'])?)"
"""Between a name and its value: in a query, encoded or not, in JSON, in a dict's repr. Not a bare
colon, which prose puts after any word."""

_VALUE = r"(?:(?!%26|%22)[^&\s\"'])+"

_SECRET_NAMES = (
    r"(?:auth|access|api|refresh)[_-]?(?:token|key)|token|secret|password|signature|authorization"
    r"|x-amz-(?:credential|security-token|signature)|stream_?url"
)
"""Parameters that hold a secret, or as ``StreamUrl`` may hold one."""

_AT_A_START = r"(?:(?<![A-Za-z])|(?<=%[0-9A-Fa-f]{2}))"

_SECRETS = (
    # A token of ours by its form, wherever it stands: payload, time and signature (base64).
    (re.compile(r"(?<![\w.-])[\w-]{4,}\.[\w-]{6}\.[\w-]{27}(?![\w.-])"), "***"),
    (
        re.compile(
            r"((?:/|%2F)exotel(?:/|%2F)[a-z-]+(?:/|%2F)(?:(?:passthru|status)(?:/|%2F))?)"
            r"(?!(?:passthru|status)(?:[?\s\"'/&%]|$))(?:%(?!3F|26)|[^?\s\"'&%])+",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
    (re.compile(r"(\b(?:Basic|Bearer)(?:\s|%20|\+)+)[\w.~+/=%-]{16,}", re.IGNORECASE), r"\1***"),
    (
        re.compile(
            rf"({_AT_A_START}(?:{_SECRET_NAMES})(?:\]|%5D)?{_EQUALS})"
            rf"(?!(?:Basic|Bearer)\b){_VALUE}",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
    # Greedy: a password may hold an @ that nobody encoded.
    (re.compile(r"(://)[^/\s\"'?#]+@"), r"\1***@"),
    (re.compile(r"(%3A%2F%2F)(?:(?!%2F|%3F|%23)[^/\s\"'?#&])+%40", re.IGNORECASE), r"\1***%40"),
)
_SECRET_KEY = re.compile(_SECRET_NAMES, re.IGNORECASE)
_PHONE = re.compile(
    r"(?:(?<![\w.+-])|(?<=%[0-9A-F]{2}))"
    r"(\+91[ -]\d{5}[ -]?\d{5}|\+\d{9,15}|0\d{10}|091[1-9]\d{9}|91[1-9]\d{9}|[2-9]\d{9})"
    r"(?!\w|[.-]\w)",
    re.IGNORECASE,
)
_ENCODED_PHONE = re.compile(r"%2B(\d{9,15})(?!\w)", re.IGNORECASE)
_WORTH_A_LOOK = re.compile(r"[=:%@/.]|\d{9}|\d{5}[ -]\d|basic|bearer", re.IGNORECASE)
"""One of these is in every text that holds what is looked for; most texts hold none."""

_PLAIN_TYPES = (bool, int, float, type(None))
_OURS = ("timestamp", "level", "logger")
"""What :func:`configure` itself adds."""

MIN_SECRET = 6
"""Shorter values are not looked for: they would blacken ordinary words."""


class Redactor:
    """A structlog processor that takes secrets, tokens and full phone numbers out of every value.

    Phone numbers are found as E.164 (``%2B`` for the plus too), with a leading 0 or 91, and as ten
    digits alone.

    Args:
        secrets: Values that must never appear, nor percent-encoded.
        shown: What is shown of a phone number.
    """

    def __init__(self, secrets: Iterable[str] = (), shown: Callable[[str], str] = mask) -> None:
        self._shown = shown
        known = {s for s in secrets if len(s) >= MIN_SECRET}
        known |= {quote(s, safe="") for s in known}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(
        self, logger: object, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Clean one entry."""
        for key, value in event.items():
            if key not in _OURS:
                event[key] = self.named(key, value)
        return event

    def named(self, key: Any, value: Any) -> Any:
        """Clean the value of a name, which may tell that it is a secret."""
        if value and isinstance(key, str) and _SECRET_KEY.fullmatch(key):
            return "***"
        return self._clean(value)

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._clean(key): self.named(key, item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]  # any mapping a library logs
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # likewise
        if isinstance(value, _PLAIN_TYPES):
            return value
        return self.text(repr(value))  # as the renderers would write it

    def text(self, text: str) -> str:
        """Clean a text."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        if not _WORTH_A_LOOK.search(text):
            return text
        for pattern, replacement in _SECRETS:
            text = pattern.sub(replacement, text)
        text = _ENCODED_PHONE.sub(lambda match: self._shown(f"+{match[1]}"), text)
        return _PHONE.sub(lambda match: self._shown(match[1]), text)


def _seen(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for the console: no text does anything to the terminal, or begins a line that is
    no entry's. JSON escapes by itself."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = visible(value, keep="\n\t" if key in ("exception", "stack") else "")
    return event


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
    renderers: list[structlog.types.Processor] = (
        [structlog.processors.JSONRenderer()]
        if as_json
        else [_seen, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                *renderers,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # A body that cannot be read is a line of ours already.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
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
