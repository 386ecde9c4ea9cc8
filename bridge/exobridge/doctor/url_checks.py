"""The public URL, asked as Exotel asks.

No call is begun: the webhook is asked without a CallSid, which is an answer of 400 once the secret
is right, and the stream is opened and closed before its first message.
"""

from __future__ import annotations

import secrets
import ssl
from urllib.parse import urlsplit, urlunsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from exobridge.doctor.answers import json_object, live_calls
from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.doctor.tls import Place, reach
from exobridge.settings import Settings
from exobridge.web.tokens import Tokens

REQUEST_SECONDS = 3.0
NOBODY = "exobridge-doctor"
"""The CallSid of the token that opens the stream."""

PASS_UPGRADE = (
    "Let the proxy pass WebSockets. nginx: proxy_http_version 1.1; proxy_set_header Upgrade "
    '$http_upgrade; proxy_set_header Connection "upgrade"; proxy_read_timeout 75s;'
)
POINT_HERE = "Let the proxy pass /exotel/ and /health/live to this server: "


async def look(case: Case, *, seconds: float = REQUEST_SECONDS) -> list[Finding]:
    """The way in, and what answers at its end.

    Args:
        seconds: The limit of each request, and of the WebSocket's handshake.
    """
    settings = case.settings
    if settings.public_url is None:
        found = "EXOBRIDGE_PUBLIC_URL is not set: Exotel cannot reach this machine"
        return [info("url.set", found, "EXOBRIDGE_PUBLIC_URL=https://bot.example.com")]
    findings, reached = await reach(Place.of(settings.public_url))
    findings.insert(0, ok("url.set", settings.public_url))
    if not reached:
        return findings
    async with httpx.AsyncClient(
        timeout=seconds,
        verify=ssl.create_default_context(),
        trust_env=False,
    ) as http:
        findings.append(await _live(http, settings))
        guard = await _guard(http, settings)
        findings.append(guard)
        if guard.id == "url.guard" and guard.level != "ok":
            return findings
        if settings.secret is not None:
            findings.append(await _secret(http, settings))
    findings.append(await _stream(settings, seconds))
    return findings


def _here(settings: Settings) -> str:
    return f"{POINT_HERE}http://{settings.host}:{settings.port}"


async def _get(http: httpx.AsyncClient, url: str) -> httpx.Response | str:
    """The answer, or why there is none."""
    try:
        return await http.get(url)
    except httpx.TimeoutException:
        return f"no answer within {http.timeout.read:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        return f"no answer ({type(problem).__name__})"


async def _live(http: httpx.AsyncClient, settings: Settings) -> Finding:
    response = await _get(http, f"{settings.public_url}/health/live")
    if isinstance(response, str):
        return error("url.live", f"/health/live: {response}", _here(settings))
    if (calls := live_calls(response)) is not None:
        return ok("url.live", f"exobridge answers through it, with {calls} calls")
    match response.status_code:
        case 502 | 503 | 504 as status:
            found = f"the proxy answers {status}: no server is behind it"
            return error("url.live", found, f"Start exobridge serve. {_here(settings)}")
        case 403 | 404 as status:
            # Not every proxy opens more than the webhooks, and Exotel needs no more.
            found = f"the proxy answers {status} to /health/live"
            return warning("url.live", found, _here(settings))
        case status if 300 <= status < 400:
            found = f"the proxy answers {status} and sends elsewhere"
            return error("url.live", found, "Set EXOBRIDGE_PUBLIC_URL to where it sends.")
        case status:
            found = f"something else than exobridge answers /health/live with {status}"
            return error("url.live", found, _here(settings))


async def _guard(http: httpx.AsyncClient, settings: Settings) -> Finding:
    """A made-up secret, and no call: refused where a secret is asked, else not understood."""
    url = f"{settings.public_url}/exotel/answer/{secrets.token_urlsafe(24)}"
    response = await _get(http, url)
    if isinstance(response, str):
        return error("url.guard", f"/exotel/answer: {response}", _here(settings))
    told = json_object(response).get("error")
    if response.status_code == 403 and told == "forbidden":
        return ok("url.guard", "a request with a wrong secret is refused")
    if response.status_code == 400 and told == "bad-request" and settings.secret is None:
        return ok("url.guard", "this machine is allowed to ask, as no secret is set")
    if response.status_code == 400 and told == "bad-request":
        found = "the running server serves requests with a wrong secret"
        return error("url.guard", found, "Restart it, so that it takes EXOBRIDGE_SECRET.")
    if response.status_code == 429 and told == "too-many-requests":
        found = "the server takes no more requests from this address now"
        return warning("url.guard", found, "Wait a minute, or raise REQUEST_RATE.")
    found = f"/exotel/answer answers {response.status_code}, which is not exobridge's answer"
    return error("url.guard", found, _here(settings))


async def _secret(http: httpx.AsyncClient, settings: Settings) -> Finding:
    """The real secret, and no call. It is sent only to what refused as exobridge refuses."""
    assert settings.secret is not None
    value = settings.secret.get_secret_value()
    response = await _get(http, f"{settings.public_url}/exotel/answer/{value}")
    if isinstance(response, str):
        return error("url.secret", f"/exotel/answer with the secret: {response}", _here(settings))
    if response.status_code == 400 and json_object(response).get("error") == "bad-request":
        return ok("url.secret", "the running server has the secret of these settings")
    if settings.allowed_networks:
        found = "this machine is refused with the right secret: ALLOWED_NETWORKS leaves it out, or "
        return info("url.secret", f"{found}the running server has another secret")
    found = f"the running server has another secret ({response.status_code})"
    return error("url.secret", found, "Restart exobridge serve with these settings.")


async def _stream(settings: Settings, seconds: float) -> Finding:
    """Open a WebSocket with a token as the webhook mints them, and close it."""
    try:
        async with connect(
            _stream_url(settings),
            compression=None,
            ping_interval=None,
            proxy=None,
            open_timeout=seconds,
            close_timeout=1,
        ):
            return ok("url.stream", "a WebSocket opens through it")
    except InvalidStatus as problem:
        status = problem.response.status_code
        if status == 403 and settings.allowed_networks:
            found = "a WebSocket from this machine is refused: ALLOWED_NETWORKS leaves it out"
            return info("url.stream", found)
        if status == 403:
            found = "a WebSocket is refused (403): the server has another secret or another time"
            cure = "Restart exobridge serve with these settings; look at both clocks."
            return error("url.stream", found, cure)
        found = f"a WebSocket is answered with {status}: the proxy does not pass it on"
        return error("url.stream", found, PASS_UPGRADE)
    except TimeoutError:
        found = f"a WebSocket does not open within {seconds:g} s"
        return error("url.stream", found, PASS_UPGRADE)
    except (OSError, InvalidHandshake, InvalidURI, EOFError) as problem:
        found = f"a WebSocket does not open ({type(problem).__name__})"
        return error("url.stream", found, PASS_UPGRADE)


def _stream_url(settings: Settings) -> str:
    base = urlsplit(settings.public_url or "")
    path = f"{base.path.rstrip('/')}/exotel/stream"
    if settings.secret is not None:
        tokens = Tokens(settings.secret.get_secret_value(), settings.stream_token_seconds)
        path += f"/{tokens.mint(NOBODY)}"
    scheme = "wss" if base.scheme == "https" else "ws"
    return urlunsplit((scheme, base.netloc, path, "", ""))
