"""Speech-to-text: the words are right, and events come in order."""

from __future__ import annotations

import asyncio

from exobridge_providers.base import Final, Partial, speaks
from exobridge_providers.testing.conformance.calls import SttCall, plain
from exobridge_providers.testing.conformance.stage import SENTENCE, Stage
from exobridge_providers.testing.contract import check_stt
from exobridge_providers.testing.contract.promises import promise
from exobridge_providers.testing.letters import PAUSE_MS

LATER = "hazel onyx"
"""A second sentence."""

STREAMS = 100
STREAMS_OF_A_MODEL = 4


def same(heard: str, said: str, what: str) -> None:
    """Promise that every word came, once and in order."""
    promise(heard == said, f"{what}: {said!r} was said, {heard!r} was understood")


async def contract(stage: Stage) -> None:
    """The contract suite."""
    await check_stt(stage.stt, stage.speech(stage.stt.capabilities.formats[0]), stage.language)


async def every_format(stage: Stage) -> None:
    """What the plugin tells the vendor of its audio is what it sends."""
    for each in stage.stt.capabilities.formats:
        call = await stage.hear(each)
        call.ask(SENTENCE)
        await call.well_answered()
        same(call.text, SENTENCE, f"words are right in {each.encoding} at {each.sample_rate} Hz")
        await call.aclose()


async def every_language(stage: Stage) -> None:
    """The vendor is told a code that it knows, and the host a tag that it knows."""
    known = stage.stt.capabilities.languages
    for tag in sorted(known) or [stage.language]:
        call = await stage.hear(language=tag)
        call.ask("opal ruby")  # a vendor tells the first word before it has heard the second
        await call.well_answered()
        same(call.text, "opal ruby", f"words are right in {tag}")
        texts = [each for each in call.events if isinstance(each, Partial | Final)]
        told = {each.language for each in texts if each.language}
        promise(all(speaks(known, each) for each in told), f"{tag} is told as {told}")
        await call.aclose()


async def two_sentences(stage: Stage) -> None:
    """One after the other, each with its own answer."""
    call = await stage.hear()
    call.ask(SENTENCE)
    await call.well_answered()
    same(call.text, SENTENCE, "the first sentence is answered with its words")
    call.ask(LATER)
    await call.well_answered(2)
    same(call.text, f"{SENTENCE} {LATER}", "two sentences give their words, once and in order")
    await call.aclose()


async def interims(stage: Stage) -> None:
    """Where they are declared: they grow, lead to the final text, and do not outlive it."""
    call = await stage.hear()
    call.ask(f"{SENTENCE} {LATER}")
    await call.well_answered()
    await call.settle()
    partials = [plain(each.text) for each in call.events if isinstance(each, Partial)]
    if not stage.stt.capabilities.interims:
        promise(not partials, "without interims in the capabilities no Partial comes unasked")
    else:
        promise(bool(partials), "speech gives a Partial before its Final")
        for before, after in zip(partials, [*partials[1:], call.text], strict=True):
            grown = after.startswith(before)
            promise(grown, f"each Partial goes on with the one before: {before!r}, {after!r}")
        last = max(at for at, each in enumerate(call.events) if isinstance(each, Partial))
        first = next(at for at, each in enumerate(call.events) if isinstance(each, Final))
        promise(last < first, "no Partial of a text follows its Final")
    await call.aclose()


async def last_words(stage: Stage) -> None:
    """Asked in the middle of a word: everything sent before is in the answer, the rest in the
    next. The last sound is in a frame that fills no chunk, and no silence follows it."""
    call = await stage.hear()
    pause = PAUSE_MS * call.config.format.bytes_per_ms
    call.ask("quartz vi", without=pause)
    await call.well_answered()
    same(call.text, "quartz vi", "audio sent just before finalize() is in its answer")
    call.ask("olet hazl", without=pause)
    await call.well_answered(2)
    same(call.text, "quartz vi olet hazl", "what comes after finalize() is in the next answer")
    await call.aclose()


async def without_asking(stage: Stage) -> None:
    """The vendor may end a sentence by itself; that is no answer, and nothing is told twice."""
    call = await stage.hear()
    call.send(call.audio(SENTENCE))
    call.hush(2000)
    declared = stage.stt.capabilities.end_of_turn
    if declared:
        ended = await call.until(lambda: call.turn_ended, "the vendor ends a turn after silence")
        promise(ended, f"the end of a turn is told; the session died: {call.error!r}")
    call.session.finalize()
    await call.well_answered()
    same(call.text, SENTENCE, "a sentence that the vendor ended itself is told once")
    call.ask(LATER)
    await call.well_answered(2)
    await call.until(lambda: LATER in call.text, "the next is told")
    await call.settle()
    same(call.text, f"{SENTENCE} {LATER}", "and the next is heard as well")
    promise(len(call.answers) == 2, f"each finalize() is answered once, not {len(call.answers)}")
    await call.aclose()


async def queued_requests(stage: Stage) -> None:
    """Asked again and again before the vendor, which is slow, has answered."""
    stage.vendor.final_seconds = 0.05
    call = await stage.hear()
    words = ["quartz", "violet", "hazel"]
    for word in words:
        call.ask(word)
    await call.well_answered(3)
    # The end of the first turn may answer all three, and the others' words come after.
    await call.until(lambda: len(call.text.split()) >= len(words), "all the words are told")
    await call.settle()
    same(call.text, " ".join(words), "three requests at once give all the words in order")
    promise(len(call.answers) == 3, f"each is answered once; {len(call.answers)} answers to 3")
    await call.aclose()


def marks(stage: Stage) -> None:
    """Promise that answers, of which at least one has come, are marked where the plugin says that
    its vendor marks them, and nowhere else."""
    if stage.hurry.acknowledges:
        promise(
            stage.hurry.marked > 0,
            "the vendor's answer to finalize() is told as finalized, and not waited for in vain",
        )
    elif stage.hurry.acknowledges is False:
        promise(
            not stage.hurry.marked, "a plugin that tells answers as finalized says acknowledges"
        )


async def marked_answers(stage: Stage) -> None:
    """A sentence that the vendor has ended itself, and that comes only when it was asked for the
    next one, is no answer where answers are marked."""
    stage.vendor.final_seconds = 0.1
    call = await stage.hear()
    call.send(call.audio(SENTENCE))
    call.hush(1000)
    call.ask(LATER)
    await call.well_answered()
    both = f"{SENTENCE} {LATER}"
    await call.until(lambda: call.text == both, "both sentences are told")
    await call.settle()
    marks(stage)
    if stage.hurry.acknowledges:
        same(call.answered_text, both, "text that answers no finalize() is not told as finalized")
    await call.aclose()


async def late_answers(stage: Stage) -> None:
    """An answer that comes after it was given up is text, and no answer to the next request."""
    stage.hurry.answer_seconds = 0.08
    stage.vendor.final_seconds = 0.2
    call = await stage.hear()
    call.ask("quartz")
    await call.well_answered()
    await call.until(lambda: call.text == "quartz", "text that comes late is told all the same")
    stage.vendor.final_seconds = 0.0
    call.ask("violet")
    await call.well_answered(2)
    await call.until(lambda: "violet" in call.text, "the next request gives its text")
    await call.settle()
    same(call.text, "quartz violet", "a late answer costs no word")
    promise(len(call.answers) == 2, f"each is answered once; {len(call.answers)} answers to 2")
    await call.aclose()


async def many_streams(stage: Stage) -> None:
    """Each gets its own words."""
    calls = [await stage.hear() for _ in range(STREAMS)]
    for number, call in enumerate(calls):
        call.ask(f"k{number:03}")
    await asyncio.gather(*(call.well_answered() for call in calls))
    for number, call in enumerate(calls):
        same(call.text, f"k{number:03}", f"{STREAMS} streams at once: each has its own words")
    await asyncio.gather(*(call.aclose() for call in calls))


async def several_streams(stage: Stage) -> None:
    """Those of a model in this process."""
    calls = [await stage.hear() for _ in range(STREAMS_OF_A_MODEL)]

    async def heard(call: SttCall) -> str:
        call.send(stage.speech(call.config.format))
        call.session.finalize()
        await call.well_answered()
        return call.text

    texts = set(await asyncio.gather(*map(heard, calls)))
    promise(len(texts) == 1 and "" not in texts, "streams at once hear the same as one alone")
    await asyncio.gather(*(call.aclose() for call in calls))
