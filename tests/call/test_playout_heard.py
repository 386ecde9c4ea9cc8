"""The playout, in virtual time: what the caller has heard, by the clock and by marks."""

from __future__ import annotations

import pytest

from exobridge.call.playout import (
    MARK_GRACE_S,
    Heard,
    Played,
    PlayoutOptions,
)
from exobridge_codecs.formats import pcm16
from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from tests.call.playing import MULAW_8K, START, audio, say, start

# ------------------------------------------------------------------ clear and what was heard


def heard_after(seconds: float, options: PlayoutOptions | None = None) -> Heard:
    exotel = start(options=options)
    say(exotel, audio(1000))
    exotel.run(seconds)
    [heard] = exotel.playout.clear(exotel.now)
    return heard


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.33, 0.999])
def test_clear_tells_what_was_heard_by_the_clock(seconds: float) -> None:
    """What was sent and not yet played does not count."""
    heard = heard_after(seconds)
    assert heard.heard_ms == pytest.approx(seconds * 1000, abs=0.5)
    assert heard.known_ms == pytest.approx(1000)
    assert heard.whole


def test_heard_counts_no_padding() -> None:
    """10 ms of audio in a chunk of 20 ms: 5 ms after the send 5 ms were heard."""
    exotel = start()
    say(exotel, audio(10))
    exotel.advance()
    [heard] = exotel.playout.clear(START + 0.005)
    assert heard.heard_ms == pytest.approx(5)
    assert heard.known_ms == pytest.approx(10)


def test_heard_stands_still_while_the_line_is_dry() -> None:
    """After a pause longer than the lead, only what was sent was heard."""
    exotel = start()
    say(exotel, audio(1000))
    exotel.advance()
    exotel.playout.pause()
    exotel.run(3)
    [heard] = exotel.playout.clear(exotel.now)
    assert heard.heard_ms == heard.sent_ms == pytest.approx(200)


def test_clear_tells_of_every_utterance_that_was_not_played() -> None:
    """In order: one half heard, one only held, one still without audio."""
    exotel = start()
    exotel.playout.add("a", audio(150))
    exotel.playout.end("a")
    exotel.playout.add("b", audio(400))
    exotel.playout.begin("c")
    exotel.run(0.1)
    a, b, c = exotel.playout.clear(exotel.now)
    assert (a.utterance, a.whole) == ("a", True)
    assert a.heard_ms == pytest.approx(100)
    assert (b.utterance, b.heard_ms, b.whole) == ("b", 0.0, False)
    assert b.known_ms == pytest.approx(400)
    assert c == Heard("c", 0.0, 0.0, 0.0, whole=False)


def test_nothing_of_what_was_cleared_comes_back() -> None:
    """Held audio, marks and pause are gone; the next utterance begins at once."""
    exotel = start()
    say(exotel, audio(1000))
    exotel.run(0.1)
    exotel.playout.pause()
    exotel.playout.clear(exotel.now)
    exotel.held_until = exotel.now
    assert exotel.playout.due(exotel.now) is None
    assert exotel.playout.held_ms == 0
    say(exotel, audio(300, first=9000), "next")
    exotel.run(2)
    assert exotel.pcm("next") == audio(300, first=9000)
    assert exotel.marks == exotel.played == ["next"]
    assert exotel.most_held_s <= 0.2 + 1e-5


# ------------------------------------------------------------------ marks


def test_a_mark_ends_its_utterance() -> None:
    """It counts once; a second return, or an unknown name, is nothing."""
    exotel = start()
    say(exotel, audio(100))
    exotel.run(0.1)
    assert exotel.playout.mark_played("u") == [Played("u")]
    assert exotel.playout.mark_played("u") == []
    assert exotel.playout.mark_played("nobody") == []
    exotel.run(5)
    assert exotel.played == []


def test_a_missing_mark_does_not_wedge_the_call() -> None:
    """Half a second after its time an utterance counts as played."""
    exotel = start()
    say(exotel, audio(300))
    exotel.run(5)
    when = next(when for when, out in exotel.sent if isinstance(out, Played))
    assert when - START == pytest.approx(0.3 + MARK_GRACE_S)


def test_a_late_mark_is_nothing() -> None:
    """The clock was faster."""
    exotel = start()
    say(exotel, audio(300))
    exotel.run(5)
    assert exotel.playout.mark_played("u") == []


def test_a_mark_tells_of_everything_before_it() -> None:
    """Exotel plays in order: the second mark before the first ends both, in their order."""
    exotel = start()
    say(exotel, audio(50), "a")
    say(exotel, audio(50), "b")
    say(exotel, audio(500), "c")
    exotel.run(0.15)
    assert exotel.playout.mark_played("b") == [Played("a"), Played("b")]
    assert exotel.playout.mark_played("a") == []
    exotel.run(3)
    assert exotel.played == ["c"]


def test_a_mark_that_was_not_sent_is_nothing() -> None:
    """Whoever returns the mark of an utterance still being fed does not end it."""
    exotel = start()
    say(exotel, audio(1000))
    exotel.advance()
    assert exotel.playout.mark_played("u") == []
    exotel.run(3)
    assert exotel.pcm() == audio(1000)


def test_a_mark_after_clear_is_nothing() -> None:
    """Whether Exotel returns pending marks after ``clear`` does not matter."""
    exotel = start()
    say(exotel, audio(100))
    exotel.advance()
    exotel.playout.clear(START + 0.02)
    assert exotel.playout.mark_played("u") == []


def test_the_end_that_comes_late_sends_its_mark_at_once() -> None:
    """All audio went out, just now or long ago; then the provider says that this was all."""
    exotel = start()
    exotel.playout.add("first", audio(200))
    exotel.advance()
    exotel.playout.end("first")
    assert exotel.playout.due(exotel.now) == exotel.now
    exotel.advance()
    assert exotel.marks == ["first"]
    exotel.run(2)
    exotel.sent.clear()
    exotel.playout.add("u", audio(200))
    exotel.run(2)
    assert exotel.marks == []
    exotel.playout.end("u")
    assert exotel.playout.due(exotel.now) == exotel.now
    exotel.advance()
    assert exotel.marks == ["u"]
    [heard] = exotel.playout.clear(exotel.now)
    assert heard.heard_ms == pytest.approx(200)


# ------------------------------------------------------------------ a format that proves wrong


def test_a_new_encoding_goes_on_with_the_next_sample() -> None:
    """PCM to μ-law at the same rate: not a sample is lost or repeated."""
    exotel = start()
    say(exotel, audio(1000))
    exotel.run(0.15)
    before = exotel.pcm()
    exotel.sent.clear()
    exotel.playout.set_format(MULAW_8K)
    exotel.line = MULAW_8K
    exotel.run(2)
    rest = audio(1000)[len(before) :]
    assert exotel.pcm()[: len(rest)] == mulaw_to_pcm(pcm_to_mulaw(rest))
    assert all(size % 320 == 0 for size in exotel.sizes)
    assert exotel.played == ["u"]


@pytest.mark.parametrize(("before", "after"), [(8000, 16000), (24000, 8000), (16000, 24000)])
def test_a_new_rate_keeps_the_length_of_what_is_held(before: int, after: int) -> None:
    """Held audio is converted as a whole, however many pieces it came in."""
    exotel = start(pcm16(before))
    for part in range(100):
        exotel.playout.add("u", audio(10, before, first=part))
    exotel.run(0.25)
    sent_ms = pcm16(before).duration_ms(len(exotel.pcm()))
    exotel.sent.clear()
    exotel.playout.set_format(pcm16(after))
    exotel.line = pcm16(after)
    assert exotel.playout.held_ms == pytest.approx(1000 - sent_ms, abs=1)
    exotel.playout.end("u")
    exotel.run(2)
    rest_ms = pcm16(after).duration_ms(len(exotel.pcm()))
    assert rest_ms == pytest.approx(1000 - sent_ms, abs=20)
    assert exotel.played == ["u"]


def test_what_was_heard_is_right_across_a_new_rate() -> None:
    """Milliseconds stay milliseconds."""
    exotel = start()
    say(exotel, audio(1000))
    exotel.run(0.3)
    exotel.playout.set_format(pcm16(16000))
    exotel.line = pcm16(16000)
    exotel.run(0.3)
    [heard] = exotel.playout.clear(exotel.now)
    assert heard.heard_ms == pytest.approx(600, abs=1)
    assert heard.known_ms == pytest.approx(1000, abs=1)
