"""One question to Exotel's API: asked, asked again where that is right, bounded in every way."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from exobridge.exotel.api.answer import MAX_BODY, Node, UnreadableAnswerError, read_answer
from exobridge.exotel.api.errors import (
    ExotelAnswerError,
    ExotelError,
    ExotelTimeoutError,
    ExotelUnreachableError,
    RateLimitedError,
    error_of,
)
from exobridge.exotel.api.retry import Gate, RequestKind, gate_of, pause, read_retry_after
from exobridge.log import Redactor
from exobridge.setting_checks import is_loopback_url

if TYPE_CHECKING:
    import httpx

# httpx is imported where it is used: a server without an account does without.

CONNECT_SECONDS = 5.0
CONNECTIONS = 128
"""At once: 200 calls a minute are asked for, and each request may block for 30 s."""

MAX_MESSAGE = 200
"""Of a ``RestException``'s message so many characters are passed on."""

_log = structlog.stdlib.get_logger("exobridge.exotel")


@dataclass(frozen=True, slots=True)
class Account:
    """Whose API is asked, and where.

    Attributes:
        url: ``https://``, host, and a path if there is one; ``http://`` for a loopback host only.

    Raises:
        ValueError: It is ``http://`` for another host.
    """

    url: str
    key: str = field(repr=False)
    token: str = field(repr=False)
    sid: str

    def __post_init__(self) -> None:
        if self.url.startswith("http:") and not is_loopback_url(self.url):
            raise ValueError("credentials are not sent by plain http")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        name: For the log, the metrics and the errors; from a small set.
        path: Below the account's URL.
        form: The body, form-encoded; ``None``: there is none.
    """

    name: str
    kind: RequestKind
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    method: str = "GET"
    form: Mapping[str, str] | None = field(default=None, repr=False)


class Exchange:
    """Asks one account's API.

    The credentials go to the account's own host, and redirects are not followed.

    Attributes:
        asked: Requests so far, by the question's name and what became of them: the status, or
            ``timeout``, ``unreachable``, ``unreadable``.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._gate: Gate = gate_of(account.url, account.sid)
        self._redact = Redactor([account.key, account.token]).text
        self.asked: Counter[tuple[str, str]] = Counter()
        self._http: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    def _opened(self) -> httpx.AsyncClient:
        import httpx

        if self._http is None:
            account = self._account
            self._http = httpx.AsyncClient(
                base_url=account.url,
                auth=httpx.BasicAuth(account.key, account.token),
                headers={"Accept": "application/json, application/xml;q=0.5"},
                limits=httpx.Limits(max_connections=CONNECTIONS),
                follow_redirects=False,
                trust_env=not is_loopback_url(account.url),
            )
        return self._http

    async def ask(self, question: Question) -> Node:
        """The answer.

        Raises:
            ExotelError: There was none in the time and the tries that the question's kind has.
        """
        kind, tries = question.kind, 0
        deadline = self._now() + kind.total_seconds
        while True:
            tries += 1
            await self._pass_gate(question, deadline)
            try:
                return await self._try(question, min(kind.seconds, deadline - self._now()))
            except ExotelError as error:
                if not error.retryable:
                    raise
                wait = self._pause_after(error, tries)
                if tries >= kind.tries or self._now() + wait >= deadline:
                    raise
            await asyncio.sleep(wait)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _pass_gate(self, question: Question, deadline: float) -> None:
        """Wait until Exotel may be asked. Those who waited come one after the other. What changes
        something does not wait: it needs all its time for the answer."""
        while left := self._gate.left(self._now()):
            wait = left * (1 + random.random() / 10)
            if question.method != "GET" or self._now() + wait >= deadline:
                problem = f"{question.name}: not asked, as Exotel wants to be left alone"
                raise RateLimitedError(problem, retry_after=left)
            await asyncio.sleep(wait)

    def _pause_after(self, error: ExotelError, tries: int) -> float:
        """How long to wait, all others too if Exotel wants to be left alone."""
        wait = error.retry_after
        if wait is None:
            wait = pause(tries, random.random())
        if isinstance(error, RateLimitedError) or error.retry_after is not None:
            self._gate.hold(self._now(), wait)
        return wait

    # -------------------------------------------------------------- one request

    async def _try(self, question: Question, seconds: float) -> Node:
        import httpx

        begun = time.perf_counter()
        outcome = "cancelled"
        try:
            status, retry_after, body = await self._send(question, seconds)
            outcome = str(status)
            if not 200 <= status < 300:
                raise self._refusal(question, status, retry_after, body)
            return read_answer(body)
        except (TimeoutError, httpx.TimeoutException) as error:
            outcome = "timeout"
            problem = f"{question.name}: no answer within {seconds:.0f} s"
            raise ExotelTimeoutError(problem, may_have_happened=_was_sent(error)) from None
        except (httpx.HTTPError, OSError) as error:
            outcome = "unreachable"
            problem = f"{question.name}: {self._account.url} does not answer"
            problem = f"{problem} ({type(error).__name__})"
            raise ExotelUnreachableError(problem, may_have_happened=_was_sent(error)) from None
        except UnreadableAnswerError as error:
            outcome = "unreadable"
            problem = f"{question.name}: the answer cannot be read ({error})"
            raise ExotelAnswerError(problem, status=200, may_have_happened=True) from None
        finally:
            self.asked[question.name, outcome] += 1
            ms = round((time.perf_counter() - begun) * 1000, 1)
            _log.debug("exotel asked", request=question.name, outcome=outcome, ms=ms)

    async def _send(self, question: Question, seconds: float) -> tuple[int, float | None, bytes]:
        """Status, ``Retry-After`` and body."""
        import httpx

        async with (
            asyncio.timeout(seconds),
            self._opened().stream(
                question.method,
                question.path,
                params=dict(question.query),
                data=None if question.form is None else dict(question.form),
                timeout=httpx.Timeout(
                    seconds,
                    connect=min(seconds, CONNECT_SECONDS),
                    pool=min(seconds, CONNECT_SECONDS),
                ),
            ) as response,
        ):
            told = response.headers.get("Retry-After", "")
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_BODY:
                    raise UnreadableAnswerError(f"longer than {MAX_BODY // 1024} KiB")
            return response.status_code, read_retry_after(told, datetime.now(UTC)), bytes(body)

    def _refusal(
        self, question: Question, status: int, retry_after: float | None, body: bytes
    ) -> ExotelError:
        """What Exotel said, without what must not be passed on."""
        try:
            told = read_answer(body).node("RestException")
        except UnreadableAnswerError:
            told = Node()
        code, said = told.number("Code"), self._cleaned(told.text("Message"))
        problem = f"{question.name}: Exotel answers {status}"
        if details := ", ".join(filter(None, [f"code {code}" if code else "", said])):
            problem = f"{problem} ({details})"
        return error_of(status)(
            problem,
            status=status,
            code=code,
            retry_after=retry_after,
            may_have_happened=status >= 500,
        )

    def _cleaned(self, message: str) -> str:
        message = " ".join(message.split()).rstrip(".")
        return self._redact(message).replace(self._account.sid, "***")[:MAX_MESSAGE]


def _was_sent(error: Exception) -> bool:
    """Whether some of the request may have reached Exotel: there was a connection.

    A proxy's refusal is of the tunnel, which comes before the request: an account's URL is https.
    """
    import httpx

    before = httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
    return not isinstance(error, before)
