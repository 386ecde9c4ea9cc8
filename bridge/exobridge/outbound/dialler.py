"""Places the calls that are due, and follows them to their end.

Several diallers may work on one database: a transaction decides who may be called, and each step is
taken by one of them. One may die at any instant: what it leaves is taken up by the next look.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from exobridge.outbound.asking import Hold
from exobridge.outbound.caller import Caller
from exobridge.outbound.models import Dial, DialOutcome, DialState, PlacedCall
from exobridge.outbound.rules import Result, goes_on, next_attempt, result_of
from exobridge.outbound.service import Outbound
from exobridge.store import Store, StoreError
from exobridge.store.dial_pace import Limits
from exobridge.store.dial_steps import Next
from exobridge.store.dial_upkeep import TOGETHER

STREAM_SECONDS = 5.0
"""From the answer at the telephone until the bot is asked, or its stream comes, at most."""

_log = structlog.stdlib.get_logger("exobridge.outbound")


@dataclass(frozen=True, slots=True)
class DiallerWaits:
    """How long what takes, in seconds.

    Attributes:
        busy: Between two looks while there are dials.
        idle: The same while there are none.
        claim: A dial that is claimed is another's after this, if nothing was asked.
        asking: Exotel is no longer being asked after this, whatever has become of the process; a
            request itself takes 40 s at most.
        count: Between two counts of what waits.
        going_on: Between two looks at a call that is over for the bot, and goes on with a human.
        drain: How long requests may go on when the server stops.
    """

    busy: float = 1.0
    idle: float = 2.0
    claim: float = 30.0
    asking: float = 90.0
    count: float = 15.0
    going_on: float = 10.0
    drain: float = 10.0


class Dialler:
    """One process's.

    Args:
        caller: Asks Exotel.
        limits: What the server can bear, as it is now.
        may_call: Whether this process takes calls.
        clock: The time of day, aware.

    Attributes:
        outcomes: Dials that came to an end here, by outcome.
        hold: Keeps it from asking Exotel.
        waiting: How many wait, and how many are ``under_way``, when they were counted last.
    """

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        caller: Caller,
        *,
        limits: Callable[[], Awaitable[Limits]],
        may_call: Callable[[], bool],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        waits: DiallerWaits | None = None,
    ) -> None:
        self._store = store
        self._steps = store.dial_steps
        self._upkeep = store.dial_upkeep
        self._outbound = outbound
        self._caller = caller
        self._limits = limits
        self._may_call = may_call
        self._clock = clock
        self._waits = waits or DiallerWaits()
        self._calling: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._closing = False
        self._count_at = 0.0
        self._ringing: dict[str, float] = {}
        self.hold = Hold()
        self.outcomes: Counter[DialOutcome] = Counter()
        self.waiting = 0
        self.under_way = 0

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.create_task(self._run(), name="exobridge-dialler")

    async def aclose(self) -> None:
        """Place no more calls. Requests under way have some seconds to end; of those that do not
        it is not known whether their call was placed."""
        self._closing = True
        self._outbound.wake()
        if self._loop is not None:
            await self._loop
        if self._calling:
            _, late = await asyncio.wait(self._calling, timeout=self._waits.drain)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    @property
    def trouble(self) -> str:
        """Why nobody is called at present; empty: nothing keeps it from that."""
        return self.hold.error

    @property
    def is_asking(self) -> bool:
        """Whether Exotel is being asked for a call, or is about to be."""
        return bool(self._calling)

    @property
    def is_ringing(self) -> bool:
        """Whether a telephone may be ringing that was rung from here, or is about to."""
        now = asyncio.get_running_loop().time()
        return self.is_asking or any(until > now for until in self._ringing.values())

    async def _run(self) -> None:
        while not self._closing:
            self._outbound.woken.clear()
            try:
                seconds = await self.look()
            except StoreError as error:
                _log.warning("dials not read", error=str(error))
                seconds = self._waits.idle
            except Exception:
                _log.exception("dialler crashed")
                seconds = self._waits.idle
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._outbound.woken.wait()

    async def look(self) -> float:
        """Do what there is to do now.

        Returns:
            Seconds until the next look.

        Raises:
            StoreError: The database does not answer.
        """
        now = self._clock()
        todo = await self._upkeep.todo(now)
        if todo.lapsed:
            again, unsure = await self._upkeep.lapse(now)
            _log.warning("dials taken over", again=again, unsure=unsure)
        if todo.ended:
            await self._settle()
        if todo.given_up:
            await self._ended(DialOutcome.UNKNOWN, await self._upkeep.give_up(now))
        await self._store.batches.settle(now)
        await self._look_after(todo.is_open)
        is_all = True
        if todo.due and self._may_call() and not self._closing:
            is_all = await self._take()
        if not is_all:
            return 0.0
        return self._waits.busy if todo.is_open else self._waits.idle

    async def _look_after(self, is_open: bool) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._count_at:
            return
        self._count_at = now + self._waits.count
        if is_open:
            expired = TOGETHER
            while expired == TOGETHER:
                expired = await self._upkeep.expire(self._clock())
                await self._ended(DialOutcome.EXPIRED, expired)
            await self._record()
        states = await self._upkeep.states() if is_open else {}
        self.waiting = states.pop(DialState.WAITING, 0)
        self.under_way = sum(states.values())

    async def _record(self) -> None:
        """Have the record know of the calls whose placing it was not told: Exotel is asked then
        what became of them, if nobody tells."""
        for dial, attempt, asked_at in await self._upkeep.unrecorded():
            placed = PlacedCall(dial.id, attempt, dial.number, dial.request)
            await self._outbound.record(dial.call_sid, asked_at, placed)

    async def _ended(self, outcome: DialOutcome, count: int) -> None:
        if count:
            self.outcomes[outcome] += count
            _log.info("dials ended", outcome=str(outcome), dials=count)

    # -------------------------------------------------------------- calling

    async def _take(self) -> bool:
        """Take who may be called now, and have them called; whether that is all for now."""
        if self.hold.left(asyncio.get_running_loop().time()):
            return True
        limits = await self._limits()
        if self.hold.is_probing:
            limits = replace(limits, at_most=max(0, 1 - len(self._calling)))
        now = self._clock()
        until = now + timedelta(seconds=self._waits.claim)
        out = self._outbound
        claims = await self._steps.claim(now, until, limits, out.opening, out.lacks)
        for outcome in claims.ended:
            await self._ended(outcome, 1)
        for dial in claims.dials:
            task = asyncio.create_task(self._call(dial, limits.per_minute))
            self._calling.add(task)
            task.add_done_callback(self._over)
        return claims.is_all

    def _over(self, task: asyncio.Task[None]) -> None:
        self._calling.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("dial crashed", exc_info=error)

    async def _call(self, dial: Dial, per_minute: int) -> None:
        """Ask Exotel for a dial's call. What goes wrong with the database here is mended by the
        next look, once the dial's lease has run out."""
        try:
            if dial.attempts and await self._goes_on(dial):
                return
            now = self._clock()
            opening = self._outbound.opening(dial.request, now)
            if opening != now or self._closing:
                await self._steps.give_back(dial, max(now, opening or now))
                return
            until = now + timedelta(seconds=self._waits.asking)
            attempt = await self._steps.begin(dial, now, until, per_minute=per_minute)
            if attempt is not None:
                await self._ask(dial, attempt)
        except StoreError as error:
            _log.warning("dial not kept", dial=dial.id, error=str(error))

    async def _goes_on(self, dial: Dial) -> bool:
        """Whether what has come in since tells that the former call was answered after all, or
        goes on: then there is no other."""
        attempts = await self._store.dials.attempts(dial.id)
        call_sid = next((each.call_sid for each in reversed(attempts) if each.call_sid), "")
        call = await self._store.call(call_sid) if call_sid else None
        if call is None:
            return False
        result = result_of(call)
        if result is not None and result.outcome in dial.request.policy.retry_on:
            return False
        return await self._steps.resume(dial, call_sid, self._clock())

    async def _ask(self, dial: Dial, attempt: int) -> None:
        asked = await self._caller.ask(dial, attempt)
        if asked.meaning.what in ("placed", "refused"):
            self._passed()
        if asked.meaning.what == "refused":
            self.outcomes[DialOutcome.REFUSED] += 1
        now = asyncio.get_running_loop().time()
        if asked.meaning.what == "placed":
            self._ringing = {id: until for id, until in self._ringing.items() if until > now}
            self._ringing[dial.id] = now + dial.request.ring_seconds + STREAM_SECONDS
        if asked.meaning.what == "again" and self.hold.trouble(asked.meaning, asked.words, now):
            self._held(asked.meaning.why, asked.words)
        elif asked.meaning.what == "unsure" and self.hold.unsure(asked.words, now):
            self._held("way", asked.words)

    def _passed(self) -> None:
        if self.hold.passed():
            _log.info("calls placed again")

    def _held(self, why: str, words: str) -> None:
        if why == "account":
            _log.error("calls not placed", why=why, error=words)
        else:
            _log.warning("calls not placed", why=why, error=words)

    # -------------------------------------------------------------- what became of it

    async def _settle(self) -> None:
        """Settle the dials whose call is over, with the human too whom it was handed to: nobody is
        to be called who is talking."""
        now = self._clock()
        until = now + timedelta(seconds=self._waits.going_on)
        going_on: list[str] = []
        for dial, call in await self._upkeep.ended(now):
            result = result_of(call)
            self._ringing.pop(dial.id, None)
            if result is None:  # today's rules differ from those the row was made by
                continue
            if goes_on(call) and (dial.give_up_at is None or until < dial.give_up_at):
                going_on.append(dial.id)
                continue
            after = partial(self._next, result=result, now=now)
            found = await self._steps.settle(dial, after, now)
            if found is not None:
                self._tell(dial, found)
        if going_on:
            await self._upkeep.put_off(going_on, until)

    def _next(self, dial: Dial, *, result: Result, now: datetime) -> Next:
        """What comes after an attempt."""
        policy = dial.request.policy
        again_at = next_attempt(policy, dial.attempts, result)
        if again_at is not None:
            again_at = self._outbound.opening(dial.request, max(again_at, now))
        if again_at is None:
            return Next(result.outcome, result.at, result.error)
        give_up_at = again_at + timedelta(seconds=policy.patience)
        return Next(result.outcome, result.at, result.error, again_at, give_up_at)

    def _tell(self, dial: Dial, found: Next) -> None:
        again_at = found.again_at
        if again_at is None:
            self.outcomes[found.outcome] += 1
        _log.info(
            "placed call ended",
            dial=dial.id,
            batch=dial.batch_id or "",
            call_sid=dial.call_sid,
            outcome=str(found.outcome),
            attempts=dial.attempts,
            again_at=again_at.isoformat(timespec="seconds") if again_at else "",
        )
