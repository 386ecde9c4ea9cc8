"""A client of a server's control API, as ``exobridge live`` needs it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from exobridge.errors import ConfigError, ExobridgeError

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 15.0
"""For an answer: longer than the server takes for any."""

SILENCE_SECONDS = 40.0
"""A stream in which nothing has come for so long is dead; the server says something each 15 s."""

AGAIN_SECONDS = 2.0
"""After how long a server is asked again whose stream has ended."""

UNAUTHORIZED = 401
UNAVAILABLE = (502, 503, 504)
"""Of a server that stops or starts, and of the proxy before it."""

EVENT_STREAM = "text/event-stream"

Tell = Callable[[Mapping[str, Any]], None]


class LiveClient:
    """Asks one server.

    Args:
        url: Of the server, without a path.
        key: Of its API.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    async def post(self, path: str, body: Mapping[str, Any]) -> str:
        """Give an order; what was done.

        Raises:
            ExobridgeError: It was not, and why.
        """
        import httpx

        try:
            async with self._client() as client:
                answer = await client.post(path, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreached(error) from None
        self._check(answer)
        try:
            return str(answer.json()["done"])
        except (ValueError, KeyError, TypeError):
            raise self._foreign(answer) from None

    async def follow(
        self, call_sid: str, asked: Mapping[str, str | list[str]], tell: Tell, count: int = 0
    ) -> None:
        """Tell what happens, as it happens; where the stream ends, go on with the next one.

        Args:
            call_sid: Only this call's; empty: all.
            asked: The query, its empty values left out.
            tell: Told each event.
            count: Return after so many; 0: never.

        Raises:
            ExobridgeError: The server cannot be asked, or refuses.
        """
        import httpx

        path = f"/api/v1/calls/{quote(call_sid, safe='')}/events/stream" if call_sid else ""
        query = {name: value for name, value in asked.items() if value}
        last, left, begun = "", count, False
        while True:
            headers = {"last-event-id": last} if last else {}
            try:
                async with (
                    self._client(SILENCE_SECONDS) as client,
                    client.stream(
                        "GET", path or "/api/v1/events", params=query, headers=headers
                    ) as answer,
                ):
                    if not answer.is_success:
                        await answer.aread()
                    if not (begun and answer.status_code in UNAVAILABLE):
                        self._check(answer)
                        if EVENT_STREAM not in answer.headers.get("content-type", ""):
                            raise self._foreign(answer)
                        begun = True
                        async for place, told in _events(answer.aiter_lines()):
                            last = place
                            if told is None:
                                continue
                            tell(told)
                            left -= 1
                            if not left:
                                return
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not begun:
                    raise self._unreached(error) from None
            await asyncio.sleep(AGAIN_SECONDS)

    def _client(self, seconds: float = ANSWER_SECONDS) -> httpx.AsyncClient:
        import httpx

        headers = {"authorization": f"Bearer {self._key}"}
        return httpx.AsyncClient(base_url=self._url, headers=headers, timeout=seconds)

    def _unreached(self, error: Exception) -> ConfigError:
        if not self._url.startswith(("http://", "https://")):
            return ConfigError(self._url, "is no URL", "Write it as --url http://127.0.0.1:8080.")
        problem = f"cannot be asked ({type(error).__name__})"
        return ConfigError(self._url, problem, "Is the server running there? Name it with --url.")

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        try:
            problem = cast(dict[str, Any], answer.json())
            words = [str(problem["title"]), str(problem["detail"]).rstrip(".")]
        except (ValueError, KeyError, TypeError):
            raise self._foreign(answer) from None
        if answer.status_code == UNAUTHORIZED:
            cure = "Set it to a key of the server, or name that server with --url."
            raise ConfigError("EXOBRIDGE_API_KEY", "is no key that the server knows", cure)
        raise ExobridgeError(". ".join(dict.fromkeys(words)) + ".")

    def _foreign(self, answer: httpx.Response) -> ExobridgeError:
        status = answer.status_code
        return ExobridgeError(f"{self._url} answers {status}, which is no exobridge's word.")


async def _events(
    lines: AsyncIterator[str],
) -> AsyncIterator[tuple[str, Mapping[str, Any] | None]]:
    """The id and the data of each event, which fit on a line each; ``None``: it is only a place."""
    place = data = ""
    async for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            place = value
        elif name == "data":
            data = value
        elif not line and place:
            yield place, json.loads(data) if data else None
            place = data = ""
