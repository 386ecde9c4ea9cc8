"""The session over a synthesiser that takes whole sentences."""

from __future__ import annotations

import asyncio
import re

import pytest

from exobridge_providers.base import TtsAudio, TtsDone, TtsEvent, TtsTrouble
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.tts.sentences import AHEAD, MAX_WAITING_CHARS, SentenceSession


class Synthesiser:
    """Its audio is the text's own bytes.

    Unrealistic in that it is instant, unless ``held`` is set: then each sentence waits to be let
    go.
    """

    def __init__(self, held: bool = False) -> None:
        self.held = held
        self.sentences: list[str] = []
        self.futures: list[asyncio.Future[bytes]] = []
        self.refuse = False
        self._asked = asyncio.Event()

    def __call__(self, sentence: str) -> asyncio.Future[bytes]:
        if self.refuse:
            raise ProviderUnavailableError("full", provider="acme")
        self.sentences.append(sentence)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        self._asked.set()
        if not self.held:
            future.set_result(sentence.encode())
        return future

    async def begun(self, count: int) -> None:
        """Wait until so many sentences were asked for."""
        while len(self.futures) < count:
            self._asked.clear()
            await self._asked.wait()

    async def let_go(self, number: int) -> None:
        """Finish the sentence with this number, once it was begun."""
        await self.begun(number + 1)
        self.futures[number].set_result(self.sentences[number].encode())


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.?!])\s+", text.strip()) if part]


def _session(synthesiser: Synthesiser, max_chars: int = 100) -> SentenceSession:
    return SentenceSession(synthesiser, _split, max_chars=max_chars, provider="acme")


async def _until_done(session: SentenceSession, utterance_id: str) -> list[TtsEvent]:
    events: list[TtsEvent] = []
    async with asyncio.timeout(2):
        async for event in session.events():
            events.append(event)
            if not isinstance(event, TtsAudio) and event.utterance_id == utterance_id:
                break
    return events


async def test_sentences_come_one_by_one() -> None:
    """The first is given out before the second is made."""
    synthesiser = Synthesiser(held=True)
    session = _session(synthesiser)
    await session.say("a", "One. Two.")
    events = aiter(session.events())
    await synthesiser.let_go(0)
    assert await anext(events) == TtsAudio("a", b"One.")
    await synthesiser.let_go(1)
    assert [await anext(events), await anext(events)] == [TtsAudio("a", b"Two."), TtsDone("a")]
    await session.aclose()


async def test_text_that_streams_in_is_spoken_as_sentences_end() -> None:
    """Half a sentence waits for its end."""
    synthesiser = Synthesiser()
    session = _session(synthesiser)
    await session.say("a", "Hello the", last=False)
    await asyncio.sleep(0.01)
    assert synthesiser.sentences == []
    await session.say("a", "re. How are", last=False)
    await synthesiser.begun(1)
    assert synthesiser.sentences == ["Hello there."]
    await session.say("a", " you")
    await _until_done(session, "a")
    assert synthesiser.sentences == ["Hello there.", "How are you"]
    await session.aclose()


async def test_utterances_are_spoken_in_the_order_they_were_begun() -> None:
    """One that is not ended holds up the next."""
    session = _session(Synthesiser())
    await session.say("a", "One.", last=False)
    await session.say("b", "Two.")
    await session.say("a", " Three.")
    events = await _until_done(session, "b")
    assert events == [
        TtsAudio("a", b"One."),
        TtsAudio("a", b"Three."),
        TtsDone("a"),
        TtsAudio("b", b"Two."),
        TtsDone("b"),
    ]
    await session.aclose()


async def test_nothing_of_a_cancelled_utterance_comes_out() -> None:
    """Neither what is made, nor what waits to be read, nor text that comes later."""
    synthesiser = Synthesiser(held=True)
    session = _session(synthesiser)
    await session.say("a", "One. Two. Three.", last=False)
    await synthesiser.let_go(0)
    await synthesiser.begun(2)
    await session.cancel("a")  # "One." is unread, "Two." is being made
    assert synthesiser.futures[1].cancelled()
    await session.say("a", " Four.")
    synthesiser.held = False
    await session.say("b", "Five.")
    assert await _until_done(session, "b") == [TtsAudio("b", b"Five."), TtsDone("b")]
    assert synthesiser.sentences == ["One.", "Two.", "Five."]
    await session.aclose()


async def test_cancelling_one_that_waits_leaves_the_one_under_way() -> None:
    """The first is made to its end; the second never."""
    synthesiser = Synthesiser(held=True)
    session = _session(synthesiser)
    await session.say("a", "One.")
    await session.say("b", "Two.")
    await synthesiser.begun(1)
    await session.cancel("b")
    await synthesiser.let_go(0)
    assert await _until_done(session, "a") == [TtsAudio("a", b"One."), TtsDone("a")]
    await session.aclose()
    assert synthesiser.sentences == ["One."]


async def test_a_failed_sentence_ends_its_utterance_only() -> None:
    """Trouble, no Done, and the next utterance is spoken."""
    synthesiser = Synthesiser(held=True)
    session = _session(synthesiser)
    await session.say("a", "One. Two.")
    await synthesiser.begun(1)
    synthesiser.held = False
    synthesiser.futures[0].set_exception(ValueError("secret"))
    await session.say("b", "Three.")
    trouble, *rest = await _until_done(session, "b")
    assert isinstance(trouble, TtsTrouble)
    assert trouble.utterance_id == "a"
    assert "secret" not in str(trouble.error)
    assert rest == [TtsAudio("b", b"Three."), TtsDone("b")]
    await session.aclose()


@pytest.mark.parametrize("way", ["refused", "dropped"])
async def test_an_overloaded_or_closed_provider_is_trouble(way: str) -> None:
    """The session survives both."""
    synthesiser = Synthesiser(held=True)
    synthesiser.refuse = way == "refused"
    session = _session(synthesiser)
    await session.say("a", "One.")
    if way == "dropped":
        await synthesiser.begun(1)
        synthesiser.futures[0].cancel()
    [trouble] = await _until_done(session, "a")
    assert isinstance(trouble, TtsTrouble)
    assert isinstance(trouble.error, ProviderUnavailableError)
    await session.aclose()


async def test_it_does_not_run_ahead_of_its_reader() -> None:
    """A hundred sentences and nobody who reads: a few are made."""
    synthesiser = Synthesiser()
    session = _session(synthesiser)
    await session.say("a", "Go. " * 100)
    await synthesiser.begun(AHEAD)
    await asyncio.sleep(0.02)
    assert len(synthesiser.sentences) == AHEAD
    events = await _until_done(session, "a")
    assert len(events) == 101
    await session.aclose()


async def test_a_sentence_without_end_is_cut_between_words() -> None:
    """At most ``max_chars`` at once, and nothing is lost."""
    synthesiser = Synthesiser()
    session = _session(synthesiser, max_chars=20)
    text = "one two three four five six seven eight nine " + "x" * 50
    await session.say("a", text)
    await _until_done(session, "a")
    assert max(map(len, synthesiser.sentences)) <= 20
    assert "".join(synthesiser.sentences).replace(" ", "") == text.replace(" ", "")
    assert synthesiser.sentences[0] == "one two three four"
    await session.aclose()


async def test_text_without_words_is_done_at_once() -> None:
    """An empty utterance holds up nobody."""
    session = _session(Synthesiser())
    await session.say("a", " ")
    assert await _until_done(session, "a") == [TtsDone("a")]
    await session.aclose()


async def test_far_too_much_text_is_refused() -> None:
    """Memory is bounded also for text."""
    session = _session(Synthesiser(held=True))
    await session.say("a", "x" * MAX_WAITING_CHARS)
    with pytest.raises(ProviderError, match="too much text"):
        await session.say("b", "y")
    await session.aclose()


async def test_closing_cancels_what_is_being_made() -> None:
    """No task stays, and the events end."""
    synthesiser = Synthesiser(held=True)
    session = _session(synthesiser)
    before = asyncio.all_tasks()
    await session.say("a", "One.")
    await synthesiser.begun(1)
    await session.aclose()
    await session.aclose()
    assert synthesiser.futures[0].cancelled()
    assert [event async for event in session.events()] == []
    assert len(asyncio.all_tasks()) == len(before) - 1


async def test_a_splitter_that_breaks_its_word_kills_the_session() -> None:
    """The reader is told; it does not wait for ever."""
    session = SentenceSession(
        Synthesiser(), lambda _: ["not in the text"], max_chars=100, provider="acme"
    )
    await session.say("a", "One.")
    with pytest.raises(ProviderError, match="ValueError"):
        await _until_done(session, "a")
    await session.aclose()
