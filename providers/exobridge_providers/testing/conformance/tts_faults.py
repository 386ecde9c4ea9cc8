"""Text-to-speech when things go wrong at the vendor's."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress

from exobridge_providers.base import TtsAudio, TtsDone, TtsTrouble
from exobridge_providers.errors import ProviderError
from exobridge_providers.testing.conformance.calls import CLOSE_LIMIT_SECONDS, TtsCall
from exobridge_providers.testing.conformance.open_faults import passes
from exobridge_providers.testing.conformance.stage import SENTENCE, Stage
from exobridge_providers.testing.conformance.tts_words import LONG_WORD, same
from exobridge_providers.testing.contract.promises import promise, within
from exobridge_providers.testing.faults import Fault, FaultKind

LATER = "hazel onyx"

UNREAD = 2500
"""Pieces of audio that a vendor makes while nobody reads them."""
STILL = 5
"""Tenths of a second without another piece after which none comes, on a busy machine too."""
MOST_UNREAD = 1000
"""Of those, what a session may hold."""
_PIECES_OF_A_TEXT = 200
_PIECE_CHARS = 4.5


async def _two(stage: Stage) -> BaseException | None:
    """Two utterances, one after the other; the error that ended it, if one did."""
    try:
        call = await stage.speak()
    except ProviderError as error:
        return error
    try:
        for utterance_id, text in (("a", SENTENCE), ("b", LATER)):
            await call.say(utterance_id, text)
            if not await call.done(utterance_id):
                promise(call.error is not None, "a session that ends says why")
                return call.error
            troubles = [each.error for each in call.events if isinstance(each, TtsTrouble)]
            if troubles:
                return troubles[0]
            same(call.heard(utterance_id), text, "what is said to be spoken is whole")
    except ProviderError as error:
        return error
    finally:
        await call.aclose()
    return None


async def counted(stage: Stage) -> tuple[int, int]:
    """How many messages come and go in a short session without faults."""
    error = await _two(stage)
    promise(error is None, f"two utterances are spoken; raised: {error!r}")
    busiest = max(stage.vendor.connections, key=lambda each: each.sent)
    return busiest.received, busiest.sent


async def broken_line(stage: Stage) -> None:
    """At every message of a short session, in both directions: either the utterance fails, so that
    another can say it, or nothing is missing."""
    received, sent = await counted(stage)
    vendor = stage.vendor
    faults = [(FaultKind.DROP_IN, at) for at in range(1, received + 1)]
    faults += [(FaultKind.DROP_OUT, at) for at in range(1, sent + 1)]
    for kind, at in faults:
        vendor.faults = [Fault(kind, at, connection=len(vendor.connections) + 1)]
        error = await _two(stage)
        if error is not None:
            passes(error, f"a line that breaks while something is said ({kind} {at})")
            vendor.faults = []
            again = await _two(stage)
            promise(again is None, f"another session speaks then; raised: {again!r}")


async def broken_while_cancelling(stage: Stage) -> None:
    """At every message of a session in which one utterance is cancelled for another: the second is
    spoken, or its failure is told."""
    vendor = stage.vendor
    vendor.pace = 0.05
    error = await _interrupted(stage)
    promise(error is None, f"the utterance after a cancelled one is spoken; raised: {error!r}")
    received = max(each.received for each in vendor.connections)
    sent = max(each.sent for each in vendor.connections)
    faults = [(FaultKind.DROP_IN, at) for at in range(2, received + 1)]
    faults += [(FaultKind.DROP_OUT, at) for at in range(2, sent + 1)]
    for kind, at in faults:
        vendor.faults = [Fault(kind, at, connection=len(vendor.connections) + 1)]
        error = await _interrupted(stage)
        if error is not None:
            passes(error, f"a line that breaks around a cancel ({kind} {at})")


async def _interrupted(stage: Stage) -> BaseException | None:
    try:
        call = await stage.speak()
    except ProviderError as error:
        return error
    try:
        await call.say("a", SENTENCE)
        await call.begun("a")
        await call.cancel("a")
        await call.say("b", LATER)
        if not await call.done("b"):
            promise(call.error is not None, "a session that ends says why")
            return call.error
        same(call.heard("b"), LATER, "the utterance after a cancelled one is its own text")
    except ProviderError as error:
        return error
    finally:
        await call.aclose()
    return next((each.error for each in call.events if isinstance(each, TtsTrouble)), None)


async def closed_by_vendor(stage: Stage) -> None:
    """With codes that say that it may be tried again."""
    vendor = stage.vendor
    for code in (1000, 1001, 1011, 1012, 1013):
        vendor.faults = [Fault(FaultKind.CLOSE, 1, len(vendor.connections) + 1, code=code)]
        error = await _two(stage)
        if error is not None:
            passes(error, f"a vendor that closes with {code}")


async def closed_while_idle(stage: Stage) -> None:
    """Nobody hears of it, and the next utterance is spoken."""
    call = await stage.speak()
    await call.say("before", SENTENCE)
    same(await call.spoken("before"), SENTENCE, "an utterance is spoken")
    for number in range(3):
        stage.vendor.cut()
        await call.settle()
        promise(
            not call.over, f"a line that breaks while nothing is said is no error: {call.error!r}"
        )
        await call.say(f"after{number}", LATER)
        same(await call.spoken(f"after{number}"), LATER, "the utterance after it is spoken")
    await call.aclose()


async def idle_line(stage: Stage) -> None:
    """Nothing said for several times as long as the vendor bears."""
    pause = stage.idle_pause()
    call = await stage.speak()
    await call.say("before", SENTENCE)
    same(await call.spoken("before"), SENTENCE, "an utterance is spoken")
    await call.settle(pause)
    await call.say("after", LATER)
    same(await call.spoken("after"), LATER, "after a long pause the next utterance is spoken")
    if stage.hurry.keeps_alive:
        promise(not stage.vendor.idle_closes, "a connection that is kept alive is not closed")
    await call.aclose()


async def garbage(stage: Stage) -> None:
    """Between any two messages."""
    _, sent = await counted(stage)
    vendor = stage.vendor
    for at in range(1, sent + 1):
        vendor.faults = [Fault(FaultKind.GARBAGE, at, len(vendor.connections) + 1)]
        error = await _two(stage)
        promise(
            error is None or isinstance(error, ProviderError),
            f"garbage is borne, or is a ProviderError, not {error!r}",
        )


async def half_messages(stage: Stage) -> None:
    """Any of them: the session fails or goes on, and can be closed."""
    _, sent = await counted(stage)
    vendor = stage.vendor
    for at in range(1, sent + 1):
        vendor.faults = [Fault(FaultKind.HALF, at, len(vendor.connections) + 1)]
        try:
            call = await stage.speak()
        except ProviderError:
            continue
        await _says_or_fails(call, "half")
        await call.settle()
        await call.cancel("half")
        await call.aclose()
        promise(
            call.error is None or isinstance(call.error, ProviderError),
            f"half a message ends a session with a ProviderError, not {call.error!r}",
        )


async def _says_or_fails(call: TtsCall, utterance_id: str) -> None:
    with suppress(ProviderError):
        await call.say(utterance_id, SENTENCE)


async def silent_vendor(stage: Stage) -> None:
    """It takes everything and says nothing: nothing waits for it but the utterance."""
    idle = await stage.speak()
    await idle.settle()
    greeted = stage.vendor.connections[-1].sent if stage.vendor.connections else 0
    await idle.aclose()
    stage.vendor.faults = [Fault(FaultKind.SILENCE, greeted + 1)]
    call = await stage.speak()
    await _says_or_fails(call, "a")
    await call.settle()
    await call.cancel("a")
    await _says_or_fails(call, "b")
    done = any(isinstance(each, TtsDone) for each in call.events)
    promise(not done, "a vendor's silence is not taken for a text that was spoken")
    await call.aclose()


async def slow_loris(stage: Stage) -> None:
    """Its messages come in crumbs."""
    stage.vendor.faults = [Fault(FaultKind.TRICKLE, 1, seconds=0.001)]
    error = await _two(stage)
    promise(error is None, f"crumbs are joined; raised: {error!r}")


async def deaf_vendor(stage: Stage) -> None:
    """It does not read: neither saying nor cancelling nor closing waits for it."""
    stage.vendor.faults = [Fault(FaultKind.DEAF, 1)]
    text = (LONG_WORD * 1000)[: stage.tts.capabilities.max_chars]
    call = await stage.speak()
    for number in range(50):
        await _says_or_fails(call, f"u{number}")
        await call.session.say(f"long{number}", text)
        await call.cancel(f"u{number}")
        if call.over:
            break
    await call.aclose()
    stage.vendor.cut()  # it does not notice that nobody is there


async def unread_events(stage: Stage) -> None:
    """Nobody reads: the vendor's audio is not taken in without end."""
    of_others = _audio_in_memory()  # held on to, so that their number stays
    session = await stage.open_unread()
    text = (LONG_WORD * 1000)[
        : min(int(_PIECES_OF_A_TEXT * _PIECE_CHARS), stage.tts.capabilities.max_chars)
    ]
    sent = 0
    while sent < UNREAD:
        await within(session.say(f"u{sent}", text), stage.limit_seconds, "say returns")
        sent += int(len(text) / _PIECE_CHARS)
    held, still = 0, 0
    while still < STILL:
        await asyncio.sleep(0.1)
        before, held = held, len(_audio_in_memory()) - len(of_others)
        still = still + 1 if held == before else 0
    promise(
        held < MOST_UNREAD,
        f"of audio that nobody reads at most {MOST_UNREAD} pieces are taken; {held} are",
    )
    await within(session.aclose(), CLOSE_LIMIT_SECONDS, "aclose returns")


def _audio_in_memory() -> list[TtsAudio]:
    return [each for each in gc.get_objects() if type(each) is TtsAudio]
