"""The people that a server calls, by the hundred: each does at each call what they are told to.

An :class:`~exobridge.simulator.account.Account` places the calls, the webhooks and streams are
real, and what is said in them is next to nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

import httpx

from exobridge.simulator.account import Account, Asked, Fault, PlacedCall
from exobridge.simulator.call import new_sid
from exobridge.simulator.flows.callbacks import carried
from exobridge.simulator.flows.facts import CallFacts, CallStatus
from exobridge.simulator.flows.model import CallbackEvent, WebhooksTable
from exobridge.simulator.light_stream import NoStreamError, light_stream
from exobridge.simulator.wire import Identity

TRIES = 3
"""Of a status callback that is not answered 200."""
RETRY_SECONDS = 0.5
ASK_SECONDS = 10.0
"""Longest wait for the server's answer."""
MONOLOGUE_SECONDS = 3.0
"""How long a machine talks."""

Does = Literal["answers", "voicemail", "busy", "silent", "fails"]
Api = Literal["", "refuses", "throttles", "breaks", "hangs", "resets"]

_FAULTS: dict[Api, Fault] = {
    "refuses": Fault(400, 34001, "Invalid parameter: From is a number that may not be called"),
    "throttles": Fault(429, message="Too many calls were asked for"),
    "breaks": Fault(503, message="Service unavailable"),
    "hangs": Fault(how="hang"),
    "resets": Fault(how="reset"),
}
_ENDS: dict[Does, CallStatus] = {"busy": "busy", "silent": "no-answer", "fails": "failed"}


@dataclass(frozen=True, slots=True)
class Doing:
    """What comes of one request for a call.

    Attributes:
        does: What the telephone does. ``voicemail``: a machine answers.
        ring_seconds: Before that.
        talk_seconds: After so long the human hangs up, if the bot has not.
        api: What the request meets in place of its answer.
        placed: The call is placed for all that, where the request ``breaks``, ``hangs`` or
            ``resets``.
        told: Its end is told, by the status callback.
        told_after: So many seconds after it.
        told_times: So often.
    """

    does: Does = "answers"
    ring_seconds: float = 0.02
    talk_seconds: float = 0.5
    api: Api = ""
    placed: bool = False
    told: bool = True
    told_after: float = 0.0
    told_times: int = 1


@dataclass(slots=True)
class Played:
    """A call that was placed.

    Attributes:
        number: Who was called.
        nth: Of the requests for this number, from 0.
        began, ended: By :func:`time.monotonic`; ``None``: it goes on.
        status: How it ended.
        url: Of its stream; empty: there was none.
        heard_of: Whether the server has taken anything that told of it.
        is_told: Nothing will be told of it any more.
    """

    call_sid: str
    number: str = field(repr=False)
    custom_field: str
    nth: int
    doing: Doing
    began: float
    ended: float | None = None
    status: CallStatus = "in-progress"
    url: str = field(default="", repr=False)
    heard_of: bool = False
    is_told: bool = False

    @property
    def streamed(self) -> bool:
        """Whether a stream was opened."""
        return bool(self.url)


class Customers:
    """Plays the calls that an account is asked for. Made by :func:`customers`.

    Args:
        does: What comes of a request, by the number and how many came before.
        answer_url: What the flows' Voicebot applets ask.

    Attributes:
        account: Who is asked for the calls.
        stream_url: The static URL of the flows' Voicebot applets; empty: they ask.
        asked: How many requests there were, by number.
        calls: Those placed, in order.
    """

    def __init__(
        self,
        account: Account,
        does: Callable[[str, int], Doing],
        *,
        answer_url: str,
        http: httpx.AsyncClient,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self.account = account
        self._does = does
        self._answer_url = answer_url
        self._http = http
        self._tasks = tasks
        self._next: dict[str, tuple[int, Doing]] = {}
        self.stream_url = ""
        self.asked: Counter[str] = Counter()
        self.calls: list[Played] = []

    def calls_to(self, number: str) -> list[Played]:
        """The calls placed to a number, in order."""
        return [call for call in self.calls if call.number == number]

    def called_twice_at_once(self) -> list[str]:
        """Numbers that were called while a call to them was under way."""
        found: list[str] = []
        latest: dict[str, Played] = {}
        for call in self.calls:
            before = latest.get(call.number)
            if before is not None and (before.ended is None or before.ended > call.began):
                found.append(call.number)
            latest[call.number] = call
        return found

    @property
    def under_way(self) -> int:
        """Calls that go on."""
        return sum(call.ended is None for call in self.calls)

    # -------------------------------------------------------------- the account

    def meets(self, asked: Asked) -> Fault | None:
        """What a request to the account meets in place of its answer."""
        if asked.method != "POST" or "/Calls/connect" not in asked.path:
            return None
        number = asked.form().get("From", "")
        nth = self.asked[number]
        self.asked[number] += 1
        doing = self._does(number, nth)
        self._next[number] = nth, doing
        fault = _FAULTS.get(doing.api)
        if fault is None or not doing.placed:
            return fault
        return Fault(fault.status, fault.code, fault.message, how=fault.how, after=True)

    def place(self, placed: PlacedCall) -> None:
        """Play a call."""
        nth, doing = self._next[placed.customer]
        played = Played(
            placed.call_sid, placed.customer, placed.custom_field, nth, doing, time.monotonic()
        )
        self.calls.append(played)
        task = asyncio.create_task(self._play(placed, played))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -------------------------------------------------------------- a call

    async def _play(self, placed: PlacedCall, played: Played) -> None:
        facts = CallFacts(
            placed.call_sid,
            placed.customer,
            placed.exophone,
            lambda: datetime.now(UTC),
            outgoing=True,
            webhooks=WebhooksTable(),
            custom_field=placed.custom_field,
            app_id=placed.app_id,
        )
        doing = played.doing
        try:
            await asyncio.sleep(doing.ring_seconds)
            status = _ENDS.get(doing.does, "completed")
            if status == "completed":
                await self._tell(placed, played, facts, "answered")
                await self._talk(placed, played, facts)
            else:
                facts.was_answered = False
            facts.end(status)
        finally:
            played.ended = time.monotonic()
        played.status = status
        seconds = played.ended - played.began if status == "completed" else 0.0
        self.account.end(placed.call_sid, status=status, seconds=seconds)
        for _ in range(doing.told_times if doing.told else 0):
            await asyncio.sleep(doing.told_after)
            await self._tell(placed, played, facts, "terminal")
        played.is_told = True

    async def _talk(self, placed: PlacedCall, played: Played, facts: CallFacts) -> None:
        url = placed.stream_url or self.stream_url or await self._answered_url(facts)
        if not url:
            return
        played.heard_of = played.heard_of or not placed.stream_url
        identity = Identity(
            placed.call_sid, new_sid(), self.account.sid, "1", placed.customer, placed.exophone
        )
        doing, is_machine = played.doing, played.doing.does == "voicemail"
        played.url = url
        try:
            await light_stream(
                url,
                identity,
                seconds=MONOLOGUE_SECONDS + 2 if is_machine else doing.talk_seconds,
                voice_seconds=MONOLOGUE_SECONDS if is_machine else 0.0,
            )
        except NoStreamError:
            played.url = ""

    async def _answered_url(self, facts: CallFacts) -> str:
        """Where the Voicebot applet opens its stream; empty: nowhere, the call ends."""
        try:
            url = httpx.URL(self._answer_url).copy_merge_params(facts.passthru_parameters())
            answer = await self._http.get(url, timeout=ASK_SECONDS)
            told: Any = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError):
            return ""
        return str(cast(dict[str, Any], told).get("url", "")) if isinstance(told, dict) else ""

    async def _tell(
        self, placed: PlacedCall, played: Played, facts: CallFacts, event: CallbackEvent
    ) -> None:
        """A status callback, as the call was asked for with."""
        table = placed.callback
        if table is None or event not in (table.events or ["terminal"]):
            return
        body = carried(table, facts.callback(event if table.events else ""))
        for attempt in range(TRIES):
            await asyncio.sleep(RETRY_SECONDS if attempt else 0)
            try:
                answer = await self._http.post(table.url, timeout=ASK_SECONDS, **body)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                played.heard_of = True
                return


@asynccontextmanager
async def customers(
    account: Account, does: Callable[[str, int], Doing], *, answer_url: str
) -> AsyncGenerator[Customers]:
    """Let an account's calls be played; at the end those under way are broken off.

    Args:
        does: What comes of a request, by the number and how many came before it.
        answer_url: What the Voicebot applet of each flow asks, with the webhooks' secret.
    """
    tasks: set[asyncio.Task[None]] = set()
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        playing = Customers(account, does, answer_url=answer_url, http=http, tasks=tasks)
        account.place, account.meets = playing.place, playing.meets
        try:
            yield playing
        finally:
            account.place, account.meets = None, None
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
