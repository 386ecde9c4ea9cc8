"""The URL of a flow, and the flow that a URL names. Pure.

A flow is written ``http://my.exotel.com/{sid}/exoml/start_voice/{app_id}``; the Passthru page
writes it ``https://my.exotel.com/exoml/start/{name}``. Both are read, the first is written.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

HOST = "my.exotel.com"

MAX_URL = 2000
"""Longest URL that is read, in characters."""

_PATHS = (
    re.compile(r"/(?P<sid>[^/]+)/exoml/start(?:_voice)?/(?P<app>[^/]{1,200})/?"),
    re.compile(r"/exoml/start(?:_voice)?/(?P<app>[^/]{1,200})/?"),
)
_HOSTS = re.compile(r"(?:[a-z0-9-]+\.)*exotel\.(?:com|in)")


def flow_url(sid: str, app_id: str) -> str:
    """The URL that a call's flow is named by, when a call is placed or a number assigned."""
    return f"http://{HOST}/{quote(sid, safe='')}/exoml/start_voice/{quote(app_id, safe='')}"


def app_id_of(url: str) -> str:
    """The flow that a ``voice_url`` names; empty: it is no flow's, but a bot's own, say."""
    try:
        parts = urlsplit(url.strip()[:MAX_URL])
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _HOSTS.fullmatch(host):
        return ""
    found = next(filter(None, (path.fullmatch(parts.path) for path in _PATHS)), None)
    return unquote(found["app"]) if found else ""
