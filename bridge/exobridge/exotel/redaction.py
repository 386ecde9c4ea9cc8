"""Takes the credentials out of URLs that are kept or logged: ``StreamUrl`` may hold some."""

from __future__ import annotations

import re
from urllib.parse import unquote

_URL = re.compile(
    r"([a-z][a-z0-9+.-]{1,15})((?::|%3A)(?:\\?/|%2F){2})([^\s\"'<>]*)",
    re.IGNORECASE | re.ASCII,
)
"""In a text; percent-encoded and with the escaped slashes of some writers' JSON too."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)?(:[0-9]{1,5})?", re.IGNORECASE)

_OUR_SECRET = re.compile(
    r"(exotel/[a-z-]+/(?:(?:passthru|status)/)?)(?!(?:passthru|status)(?:/|$)).+", re.IGNORECASE
)
"""Behind the path of an endpoint of ours stands a token, or the secret, maybe behind a format."""


def redact(text: str) -> str:
    """The text with each URL in it cut down to scheme, host and path: without a user's name, a
    password, a query, a fragment, and without what proves a request to this server."""
    return _URL.sub(lambda match: _bare(*match.groups()), text)


def _bare(scheme: str, slashes: str, rest: str) -> str:
    if slashes != "://":
        rest = unquote(rest).replace("\\/", "/")
    rest = re.split(r"[?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    host, slash, path = rest.partition("/")
    if not _HOST.fullmatch(host):  # the first half of a password that was not encoded
        host = "***"
    path = _OUR_SECRET.sub(r"\1***", path)
    return f"{scheme}://{host}{slash}{path}"
