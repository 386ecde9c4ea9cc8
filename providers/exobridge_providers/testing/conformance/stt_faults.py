"""Speech-to-text when things go wrong at the vendor's."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

from exobridge_providers.base import SttTrouble
from exobridge_providers.errors import ProviderError, ProviderProtocolError
from exobridge_providers.testing.conformance.calls import SttCall
from exobridge_providers.testing.conformance.open_faults import passes
from exobridge_providers.testing.conformance.stage import LEAVING_SECONDS, SENTENCE, Stage
from exobridge_providers.testing.conformance.stt_words import marks, same
from exobridge_providers.testing.conformance.watch import until
from exobridge_providers.testing.contract.promises import promise
from exobridge_providers.testing.faults import Fault, FaultKind

SHORT = ("opal", "ruby")
"""Two sentences of few messages."""

TRIES = 3
"""Sessions that a host opens for the same audio, one after the other."""

MOST_SECONDS = 1200
"""Of audio, until what lies between must be full."""
DEAF_SECONDS = 120
"""Of audio, once a vendor is known to be deaf."""
MOST_HELD_BYTES = 1024 * 1024
"""Of that audio; it has twice as many."""


class Journal:
    """What a host does when a session dies: all audio since the last answered ``finalize()`` is
    heard by another.

    Args:
        sentences: What is said, and asked for one by one.

    Attributes:
        words: Of the answers so far.
    """

    def __init__(self, stage: Stage, *sentences: str) -> None:
        self.words: list[str] = []
        self._stage = stage
        self._waiting = deque(sentences)

    async def heard(self) -> str:
        """All the words, whatever dies on the way; not more than a few do."""
        for _ in range(TRIES):
            try:
                call = await self._stage.hear()
            except ProviderError as error:
                passes(error, "a session that cannot be opened")
                continue
            await self._go_on(call)
            await call.aclose()
            if not self._waiting:
                return " ".join(filter(None, self.words))
            passes(call.error, "a session whose line broke")
        raise AssertionError(f"broken promise: one of {TRIES} sessions lasts for two sentences")

    async def _go_on(self, call: SttCall) -> None:
        said = 0
        while self._waiting and not call.over:
            call.ask(self._waiting[0])
            said += 1
            await call.answered(said)
            if len(call.answers) >= said:
                self._waiting.popleft()
        self.words.append(call.answered_text)


async def counted(stage: Stage) -> tuple[int, int]:
    """How many messages come and go in a short session without faults."""
    same(await Journal(stage, *SHORT).heard(), " ".join(SHORT), "without a fault")
    marks(stage)
    return stage.vendor.connections[-1].received, stage.vendor.connections[-1].sent


async def broken_line(stage: Stage) -> None:
    """At every message of a short session, in both directions."""
    received, sent = await counted(stage)
    vendor = stage.vendor
    faults = [(FaultKind.DROP_IN, at) for at in range(1, received + 1)]
    faults += [(FaultKind.DROP_OUT, at) for at in range(1, sent + 1)]
    for kind, at in faults:
        vendor.faults = [Fault(kind, at, connection=len(vendor.connections) + 1)]
        heard = await Journal(stage, *SHORT).heard()
        same(heard, " ".join(SHORT), f"no word is lost when the line breaks ({kind} {at})")


async def closed_by_vendor(stage: Stage) -> None:
    """With codes that say that it may be tried again."""
    vendor = stage.vendor
    for code in (1000, 1001, 1011, 1012, 1013):
        vendor.faults = [Fault(FaultKind.CLOSE, 1, len(vendor.connections) + 1, code=code)]
        heard = await Journal(stage, SENTENCE).heard()
        same(heard, SENTENCE, f"no word is lost when the vendor closes with {code}")


async def garbage(stage: Stage) -> None:
    """Between any two messages."""
    _, sent = await counted(stage)
    vendor = stage.vendor
    for at in range(1, sent + 1):
        vendor.faults = [Fault(FaultKind.GARBAGE, at, len(vendor.connections) + 1)]
        call = await stage.hear()
        call.ask(SENTENCE)
        if await call.answered():
            same(call.text, SENTENCE, f"garbage before message {at} costs no word")
        else:
            _is_protocol_error(call)
        await call.aclose()


def _is_protocol_error(call: SttCall) -> None:
    promise(
        isinstance(call.error, ProviderProtocolError),
        f"garbage is borne, or is a ProviderProtocolError, not {call.error!r}",
    )


async def half_messages(stage: Stage) -> None:
    """Any of them; what it held is lost, and the session ends or goes on."""
    _, sent = await counted(stage)
    stage.hurry.answer_seconds = 0.1
    vendor = stage.vendor
    for at in range(1, sent + 1):
        vendor.faults = [Fault(FaultKind.HALF, at, len(vendor.connections) + 1)]
        try:
            call = await stage.hear()
        except ProviderError:
            continue
        call.ask(SENTENCE)
        if not await call.answered():
            promise(
                isinstance(call.error, ProviderError),
                f"half a message ends a session with a ProviderError, not {call.error!r}",
            )
        await call.aclose()


async def silent_vendor(stage: Stage) -> None:
    """It takes everything and says nothing."""
    stage.hurry.answer_seconds = 0.1
    greeted = await _greetings(stage)
    stage.vendor.faults = [Fault(FaultKind.SILENCE, greeted + 1)]
    call = await stage.hear()
    call.ask(SENTENCE)
    call.session.finalize()
    await call.well_answered(2)
    promise(not call.text, "a finalize() that the vendor does not answer is answered as empty")
    await call.aclose()


async def _greetings(stage: Stage) -> int:
    """How many messages the vendor sends before any audio has come."""
    call = await stage.hear()
    await call.settle()
    greeted = stage.vendor.connections[-1].sent
    await call.aclose()
    return greeted


async def slow_loris(stage: Stage) -> None:
    """Its messages come in crumbs."""
    stage.vendor.faults = [Fault(FaultKind.TRICKLE, 1, seconds=0.001)]
    same(await Journal(stage, *SHORT).heard(), " ".join(SHORT), "crumbs are joined")


async def deaf_vendor(stage: Stage) -> None:
    """It does not read: sending does not wait, what waits is bounded, and that it is lost is
    told."""
    stage.vendor.faults = [Fault(FaultKind.DEAF, 1)]
    call = await stage.hear()
    second = call.config.format.silence(call.config.format.bytes_per_ms * 1000)
    told = False
    for _ in range(MOST_SECONDS):
        call.send(second)
        await asyncio.sleep(0)
        told = call.over or any(isinstance(each, SttTrouble) for each in call.events)
        if told:
            break
    promise(told, "a vendor that does not read is told of, by an SttTrouble or an error")
    with held() as more:
        for _ in range(DEAF_SECONDS):
            call.send(second)
            await asyncio.sleep(0)
        kept = more()
    promise(kept < MOST_HELD_BYTES, f"audio that nobody takes is not kept; {kept} bytes are")
    await call.aclose()
    stage.vendor.cut()  # it does not notice that nobody is there


@contextmanager
def held() -> Generator[Callable[[], int]]:
    """How many bytes more are held than at the beginning."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


async def idle_limit(stage: Stage) -> None:
    """What users read in the list of providers is what the vendor does."""
    call = await stage.hear()
    connections, declared = stage.vendor.connections, stage.stt.capabilities.keepalive_seconds
    await until(lambda: bool(connections), LEAVING_SECONDS)  # a plugin may know of it sooner
    promise(bool(connections), "a session that is open has a connection")
    limit = stage.vendor.idle_limit(connections[-1])
    await call.aclose()
    promise(
        declared == limit,
        f"keepalive_seconds of the capabilities, {declared}, is the vendor's limit, {limit}",
    )


async def idle_line(stage: Stage) -> None:
    """No audio for several times as long as the vendor bears."""
    pause = stage.idle_pause()
    call = await stage.hear()
    await call.settle(pause)
    promise(not call.over, f"a line is kept open while no audio comes; it ended: {call.error!r}")
    call.ask(SENTENCE)
    await call.well_answered()
    same(call.text, SENTENCE, "after a long pause the next words are heard")
    promise(not stage.vendor.idle_closes, "the vendor closes no connection for being idle")
    await call.aclose()
