"""Requests that belong to no call: what is served at all, and what is done with nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx

from exobridge.doctor.finding import Finding, error, info, ok
from exobridge.simulator.answer import with_query
from exobridge.simulator.flows.conformance import Urls

REQUEST_SECONDS = 5.0
"""How long each of these requests may take."""
NOT_THERE = (404, 405, 501)

NONSENSE: Sequence[str] = (
    "",
    "CallFrom=null&CallTo=null&Direction=sideways&CallStatus=",
    "CallFrom=%00&CallTo=%F0%9F%93%9E&Created=%FF%FE",
    f"CallFrom={'9' * 500}&Created=yesterday&DialCallDuration=-1",
    "CallSid[]=1&digits=%22%22%22&Legs[99999999][Number]=1&Stream={",
)
"""Queries that no Exotel sends. A call's id is only set before them where no call can begin."""
BODY = b'--nonsense\r\nContent-Disposition: form-data; name="CallSid"\r\n\r\n'
BODY_TYPE = "multipart/form-data; boundary=nonsense"


@dataclass(frozen=True, slots=True)
class There:
    """What is served.

    Attributes:
        urls: Without those that are not there.
        findings: What could not be tried, and why.
    """

    urls: Urls
    findings: tuple[Finding, ...]


async def there(http: httpx.AsyncClient, given: Urls, auth_token: str) -> There:
    """Which of the usual paths there are, besides what was given.

    Args:
        given: What the reader named; that is tried whatever is there.
    """
    wanted = given.with_usual
    urls, untried = wanted, list[Finding]()
    for name, what in (
        ("passthru", "a Passthru applet's webhook"),
        ("dial_up", "whom to dial"),
        ("callback", "the status callback"),
    ):
        url: str = getattr(wanted, name)
        if not url:
            untried.append(_untried(what, "no URL was given for it", name))
        elif not getattr(given, name):
            status = await _looked_at(http, url, auth_token)
            if status is None:
                found = f"{what}: {urlsplit(url).path} gives no answer"
                untried.append(info("against.untried", found, "Let the server be reached first."))
            elif status in NOT_THERE:
                untried.append(_untried(what, f"{urlsplit(url).path} is not served", name))
            else:
                continue
            urls = replace(urls, **{name: ""})
    return There(urls, tuple(untried))


def _untried(what: str, why: str, name: str) -> Finding:
    cure = f"Name it with --{name.replace('_', '-')}-url."
    return info("against.untried", f"{what}: {why}", cure)


async def _looked_at(http: httpx.AsyncClient, url: str, auth_token: str) -> int | None:
    method = "POST" if url.rpartition("/")[2] == "status" else "GET"
    return await _status(http, method, _with_token(url, auth_token))


async def garbage(http: httpx.AsyncClient, urls: Urls, auth_token: str, call_sid: str) -> Finding:
    """Whether nonsense is refused in peace: with any status below 500, in time.

    Args:
        call_sid: Of the call that was placed; it is over.
    """
    asked = 0
    bad: list[str] = []
    for url, body in _to_ask(urls):
        for query in ("",) if body else NONSENSE:
            target = _with_token(url, auth_token)
            if query and url != urls.answer:
                target = with_query(target, {"CallSid": call_sid})
            target += ("&" if urlsplit(target).query else "?") + query if query else ""
            status = await _status(http, "POST" if body else "GET", target, body)
            asked += 1
            if status is None or status >= 500:
                said = "nothing" if status is None else str(status)
                bad.append(f"{urlsplit(url).path} answers {said} to {query or 'no parameters'!r}")
    if not asked:
        return info("against.garbage", "nothing could be asked: the stream's URL is no webhook")
    if not bad:
        return ok("against.garbage", f"{asked} requests without sense were answered below 500")
    found = f"{len(bad)} of {asked} requests without sense: {bad[0]}"
    return error("against.garbage", found, "Check each parameter; answer 400 to what is none.")


def _to_ask(urls: Urls) -> list[tuple[str, bytes]]:
    """Each webhook; those that take a body with one."""
    asked = [(url, b"") for url in (urls.answer, urls.passthru, urls.dial_up)]
    asked.append((urls.callback, BODY))
    return [(url, body) for url, body in asked if urlsplit(url).scheme in ("http", "https")]


def _with_token(url: str, auth_token: str) -> str:
    return with_query(url, {"auth_token": auth_token}) if auth_token else url


async def _status(http: httpx.AsyncClient, method: str, url: str, body: bytes = b"") -> int | None:
    """The status, ``None`` if no answer comes; the answer's body is left."""
    kind = BODY_TYPE if body else "application/x-www-form-urlencoded"
    headers = {"Content-Type": kind} if method == "POST" else {}
    try:
        async with (
            asyncio.timeout(REQUEST_SECONDS),
            http.stream(method, url, content=body, headers=headers) as response,
        ):
            return response.status_code
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return None
