"""Text-to-speech: what is heard is what was to be said, in its order."""

from __future__ import annotations

import asyncio

from exobridge_providers.base import TtsAudio, TtsDone
from exobridge_providers.testing.conformance.calls import TtsCall
from exobridge_providers.testing.conformance.stage import SENTENCE, Stage
from exobridge_providers.testing.contract import check_tts
from exobridge_providers.testing.contract.promises import promise

STREAMS = 100
STREAMS_OF_A_MODEL = 4

LONG_WORD = "amber "


def same(heard: str, said: str, what: str) -> None:
    """Promise that a text was spoken whole, once and in order."""
    promise(heard == said, f"{what}: {said[:80]!r} was to be said, {heard[:80]!r} was heard")


async def contract(stage: Stage) -> None:
    """The contract suite."""
    await check_tts(stage.tts, SENTENCE, stage.language)


async def every_format(stage: Stage) -> None:
    """What the plugin asks of the vendor is what the session was opened for."""
    for each in stage.tts.capabilities.formats:
        call = await stage.speak(each)
        await call.say("only", SENTENCE)
        heard = await call.spoken("only")
        same(heard, SENTENCE, f"words are right in {each.encoding} at {each.sample_rate} Hz")
        await call.aclose()


async def every_language(stage: Stage) -> None:
    """The vendor is told a code that it knows."""
    for tag in sorted(stage.tts.capabilities.languages) or [stage.language]:
        call = await stage.speak(language=tag)
        await call.say("only", "opal")
        same(await call.spoken("only"), "opal", f"words are right in {tag}")
        await call.aclose()


async def order(stage: Stage) -> None:
    """More utterances at once than a vendor makes at once, one of them in pieces."""
    texts = {"a": "quartz violet hazel", **dict.fromkeys("bcdefgh", "onyx"), "i": "jade ruby"}
    call = await stage.speak()
    for utterance_id, text in texts.items():
        *pieces, last = text.split()
        for piece in pieces:
            await call.say(utterance_id, f"{piece} ", last=False)
        await call.say(utterance_id, last)
    for utterance_id, text in texts.items():
        same(await call.spoken(utterance_id), text, f"utterance {utterance_id!r} is spoken whole")
    ids = [each.utterance_id for each in call.events if isinstance(each, TtsAudio | TtsDone)]
    promise(ids == sorted(ids), "utterances are spoken in the order in which they were begun")
    await call.aclose()


async def longest_text(stage: Stage) -> None:
    """As long as the capabilities say."""
    most = stage.tts.capabilities.max_chars
    text = (LONG_WORD * most)[:most].strip()
    call = await stage.speak()
    await call.say("long", text)
    same(await call.spoken("long"), text, f"a text of {most} characters is spoken")
    await call.aclose()


async def blank_text(stage: Stage) -> None:
    """It is over at once, and nothing is heard of it."""
    call = await stage.speak()
    for number, blank in enumerate(("", " ", "\n")):
        await call.say(f"blank{number}", blank)
        promise(
            await call.spoken(f"blank{number}") == "" and not call.audio(f"blank{number}"),
            "a blank text ends with a TtsDone, and without audio",
        )
    await call.say("next", SENTENCE)
    same(await call.spoken("next"), SENTENCE, "the utterance after a blank one is spoken")
    await call.aclose()


async def slow_text(stage: Stage) -> None:
    """Text that comes in pieces, as a language model writes it, with pauses between them."""
    call = await stage.speak()
    for piece in ("quartz ", "violet ", "hazel "):
        await call.say("slow", piece, last=False)
        await call.settle(0.01)
    await call.say("slow", "", last=True)
    same(await call.spoken("slow"), "quartz violet hazel", "text that comes slowly is spoken")
    await call.aclose()


async def many_streams(stage: Stage) -> None:
    """Each speaks its own text."""
    calls = [await stage.speak() for _ in range(STREAMS)]
    await asyncio.gather(*(each.say("only", f"k{at:03}") for at, each in enumerate(calls)))
    for number, call in enumerate(calls):
        heard = await call.spoken("only")
        same(heard, f"k{number:03}", f"{STREAMS} streams at once: each speaks its own text")
    await asyncio.gather(*(call.aclose() for call in calls))


async def several_streams(stage: Stage) -> None:
    """Those of a voice in this process."""
    calls = [await stage.speak() for _ in range(STREAMS_OF_A_MODEL)]

    async def lasts_ms(call: TtsCall) -> float:
        await call.say("only", SENTENCE)
        await call.done("only")
        return call.config.format.duration_ms(len(call.audio("only")))

    lengths = await asyncio.gather(*map(lasts_ms, calls))
    promise(min(lengths) > 0, "streams at once are all spoken")
    promise(max(lengths) < 1.5 * min(lengths), f"and each is whole: {lengths} ms")
    await asyncio.gather(*(call.aclose() for call in calls))
