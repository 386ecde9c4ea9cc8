"""The playout, in virtual time: what is sent when."""

from __future__ import annotations

import pytest

from exobridge.call.playout import (
    CATCH_UP_S,
    MAX_HELD_BYTES,
    PlayoutOptions,
)
from exobridge_codecs.formats import AudioFormat, pcm16
from exobridge_codecs.g711 import pcm_to_mulaw
from tests.call.playing import MULAW_8K, NO_LEAD, PCM_8K, START, audio, say, start

# ------------------------------------------------------------------ chunks and lead


@pytest.mark.parametrize(
    ("line", "chunk"), [(PCM_8K, 1600), (pcm16(16000), 3200), (pcm16(24000), 4800), (MULAW_8K, 960)]
)
def test_a_chunk_is_a_multiple_of_320_bytes(line: AudioFormat, chunk: int) -> None:
    """100 ms are 1600 bytes of PCM at 8 kHz; of μ-law they are rounded up to 960 (120 ms)."""
    exotel = start(line)
    say(exotel, audio(2000, line.sample_rate))
    exotel.run(3)
    assert all(size % 320 == 0 for size in exotel.sizes)
    assert set(exotel.sizes[1:-1]) == {chunk}


def test_the_lead_is_filled_at_once_and_topped_up_at_half() -> None:
    """200 ms go out at the start, and 100 ms each time Exotel is down to 100 ms."""
    exotel = start()
    say(exotel, audio(500))
    exotel.run(1)
    assert exotel.sizes == [3200, 1600, 1600, 1600]
    times = [when - START for when, _ in exotel.media]
    assert times == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_long_lead_is_topped_up_at_half_too() -> None:
    """Of 400 ms and chunks of 20, the next 200 ms go out when Exotel is down to 200."""
    exotel = start(options=PlayoutOptions(chunk_ms=20, lead_ms=400))
    say(exotel, audio(800))
    exotel.run(0.5)
    assert exotel.sizes == [6400, 3200, 3200]
    times = [when - START for when, _ in exotel.media]
    assert times == pytest.approx([0.0, 0.2, 0.4])


@pytest.mark.parametrize(("lead_ms", "first"), [(100, 100), (200, 200), (300, 300), (550, 500)])
def test_the_first_message_fills_the_lead(lead_ms: int, first: int) -> None:
    """With whole chunks, whatever the clock shows."""
    for hundredths in range(100):
        exotel = start(options=PlayoutOptions(lead_ms=lead_ms))
        exotel.now = START + hundredths / 100
        say(exotel, audio(1000))
        exotel.advance()
        assert exotel.sizes == [first * 16]


@pytest.mark.parametrize("line", [PCM_8K, MULAW_8K, pcm16(24000)])
@pytest.mark.parametrize("lead_ms", [200, 300, 500])
@pytest.mark.parametrize("late", [0.0, 0.004, 0.09, 0.3])
def test_exotel_never_holds_more_than_the_lead(
    line: AudioFormat, lead_ms: int, late: float
) -> None:
    """However late a timer is, and where a chunk is longer than half the lead too."""
    exotel = start(line, PlayoutOptions(lead_ms=lead_ms))
    say(exotel, audio(3000, line.sample_rate))
    exotel.run(10, late=late)
    assert exotel.marks == ["u"]
    assert exotel.most_held_s <= lead_ms / 1000 + 1e-5


def test_an_utterance_ends_in_silence_up_to_a_whole_block() -> None:
    """Only the last chunk is padded, and only up to the next 320 bytes."""
    exotel = start()
    pcm = audio(205)
    say(exotel, pcm)
    exotel.run(1)
    assert exotel.pcm() == pcm + bytes(-len(pcm) % 320)


def test_mulaw_is_padded_with_its_own_silence() -> None:
    """Silence is 0xFF in μ-law."""
    exotel = start(MULAW_8K)
    say(exotel, audio(10))
    exotel.run(1)
    [(_, media)] = exotel.media
    assert media.payload == pcm_to_mulaw(audio(10)) + b"\xff" * 240


def test_a_chunk_waits_until_it_is_whole() -> None:
    """An utterance begins with a whole chunk; less waits for more, or for the end."""
    exotel = start()
    exotel.playout.add("u", audio(90))
    assert exotel.advance() == []
    assert exotel.playout.due(exotel.now) is None
    exotel.playout.end("u")
    exotel.run(0.01)
    assert exotel.pcm().startswith(audio(90))


def test_timestamps_say_where_a_chunk_begins() -> None:
    """Milliseconds since the stream began, one chunk after the other."""
    exotel = start()
    exotel.now = START + 2
    say(exotel, audio(400))
    exotel.run(1)
    assert [media.timestamp_ms for _, media in exotel.media] == [2000, 2200, 2300]


def test_without_a_lead_each_chunk_goes_out_when_it_is_due() -> None:
    """Lead 0 and 20 ms chunks: fifty messages a second."""
    exotel = start(options=NO_LEAD)
    say(exotel, audio(200))
    exotel.run(1)
    assert exotel.sizes == [320] * 10
    times = [when - START for when, _ in exotel.media]
    assert times == pytest.approx([index * 0.02 for index in range(10)])


def test_a_late_tick_sends_what_is_due_in_one_message() -> None:
    """70 ms after its time a tick sends four chunks of 20 ms, as one."""
    exotel = start(options=NO_LEAD)
    say(exotel, audio(200))
    exotel.advance()
    exotel.now = START + 0.0901
    exotel.advance()
    assert exotel.sizes == [320, 1280]
    exotel.run(0.01)
    assert exotel.sizes == [320, 1280, 320]


def test_lateness_does_not_add_up() -> None:
    """Ticks that are all 3 ms late: after a minute only the first and the last have cost that."""
    exotel = start(options=NO_LEAD)
    say(exotel, audio(60_000))
    exotel.run(61, late=0.003)
    last, _ = exotel.media[-1]
    assert last - START <= 59.98 + 2 * 0.003 + 1e-5
    assert len(exotel.media) == 3000


def test_a_schedule_far_behind_starts_anew() -> None:
    """After a second's standstill nothing is dumped: one chunk, then the usual pace."""
    exotel = start(options=NO_LEAD)
    say(exotel, audio(2000))
    exotel.advance()
    exotel.now = START + 1
    exotel.advance()
    assert exotel.sizes == [320, 320]


def test_a_new_utterance_after_a_rest_has_nothing_to_catch_up_with() -> None:
    """Without a lead, 50 ms of silence between two lines are no lateness."""
    exotel = start(options=NO_LEAD)
    say(exotel, audio(20), "a")
    exotel.run(0.07)
    say(exotel, audio(200), "b")
    exotel.advance()
    assert exotel.sizes == [320, 320]
    assert exotel.most_held_s == pytest.approx(0.02)


def test_after_a_clear_there_is_nothing_to_catch_up_with() -> None:
    """Nor after a resume that no pause came before."""
    exotel = start(options=NO_LEAD)
    say(exotel, audio(200), "cut")
    exotel.advance()
    exotel.playout.clear(exotel.now)
    for name in ("next", "last"):
        exotel.now += 0.07
        exotel.playout.resume()
        say(exotel, audio(20), f"{name} begins")
        say(exotel, audio(20), f"{name} goes on")
        exotel.advance()
        assert exotel.sizes[-1] == 320
        assert exotel.most_held_s == pytest.approx(0.02)
        exotel.run(0.1)


def test_a_mark_that_is_waited_for_does_not_delay_the_next_utterance() -> None:
    """The timer is for whatever comes first."""
    exotel = start()
    say(exotel, audio(100), "a")
    say(exotel, audio(1000), "b")
    exotel.run(0.5)
    assert exotel.held_until > exotel.now
    assert exotel.pcm("b") == audio(1000)[: 16 * 500]


def test_live_audio_that_came_late_is_caught_up_with() -> None:
    """Without a lead, a source's jitter does not become a delay that stays."""
    exotel = start(options=NO_LEAD)
    exotel.playout.add("", audio(20))
    exotel.advance()
    exotel.now = START + 0.05
    exotel.playout.add("", audio(20))
    exotel.playout.add("", audio(20))
    exotel.advance()
    assert exotel.sizes == [320, 640]
    assert exotel.most_held_s <= CATCH_UP_S + 0.02


def test_audio_that_runs_dry_goes_out_in_whole_blocks() -> None:
    """Where more is late, less than a chunk goes out just before the line falls silent."""
    exotel = start()
    exotel.playout.add("u", audio(270))
    exotel.run(1)
    assert exotel.sizes == [3200, 960]
    last, _ = exotel.media[-1]
    assert START + 0.15 < last < START + 0.2
    exotel.playout.add("u", audio(90, first=2161))
    exotel.playout.end("u")
    exotel.run(1)
    assert exotel.pcm() == audio(270) + audio(90, first=2161)
    assert exotel.sizes[-1] % 320 == 0


# ------------------------------------------------------------------ order


def test_utterances_are_played_in_the_order_they_were_begun() -> None:
    """A line whose audio is ready waits for the one before it whose audio is still made."""
    exotel = start()
    exotel.playout.begin("made")
    say(exotel, audio(100, first=5000), "ready")
    exotel.run(1)
    assert exotel.media == []
    assert exotel.playout.due(exotel.now) is None
    exotel.playout.add("made", audio(100))
    exotel.run(1)
    exotel.playout.end("made")
    exotel.run(3)
    assert [media.utterance for _, media in exotel.media] == ["made", "ready"]
    assert exotel.pcm("ready") == audio(100, first=5000)
    assert exotel.played == ["made", "ready"]


def test_audio_of_two_utterances_may_come_mixed() -> None:
    """Each sample stays with its own utterance."""
    exotel = start()
    for part in range(4):
        exotel.playout.add("a", audio(60, first=480 * part))
        exotel.playout.add("b", audio(60, first=10_000 + 480 * part))
    exotel.playout.end("b")
    exotel.playout.end("a")
    exotel.run(2)
    assert exotel.pcm("a") == b"".join(audio(60, first=480 * part) for part in range(4))
    assert exotel.pcm("b") == b"".join(audio(60, first=10_000 + 480 * part) for part in range(4))
    assert exotel.marks == ["a", "b"]


def test_a_discarded_utterance_lets_the_next_go() -> None:
    """One that will have no audio does not hold up what follows."""
    exotel = start()
    exotel.playout.begin("failed")
    say(exotel, audio(100), "next")
    exotel.playout.discard("failed")
    exotel.run(2)
    assert exotel.marks == exotel.played == ["next"]


def test_discarding_what_has_audio_or_is_unknown_changes_nothing() -> None:
    """Only an utterance without any audio can be forgotten."""
    exotel = start()
    say(exotel, audio(100))
    exotel.playout.discard("u")
    exotel.playout.discard("nobody")
    exotel.run(2)
    assert exotel.played == ["u"]


def test_only_an_open_utterance_without_audio_can_be_discarded() -> None:
    """One that has audio goes on; one that has ended still has its mark."""
    exotel = start()
    exotel.playout.add("words", audio(100))
    exotel.playout.discard("words")
    exotel.playout.end("words")
    say(exotel, b"", "nothing")
    exotel.playout.discard("nothing")
    exotel.run(2)
    assert exotel.pcm("words") == audio(100)
    assert exotel.marks == exotel.played == ["words", "nothing"]


def test_an_utterance_without_audio_is_played_after_those_before_it() -> None:
    """It has its mark, and by the clock it is never over before its predecessor."""
    exotel = start()
    say(exotel, audio(150), "words")
    say(exotel, b"", "nothing")
    exotel.run(3)
    assert exotel.marks == exotel.played == ["words", "nothing"]


def test_audio_after_the_end_is_dropped() -> None:
    """A provider that goes on after its last word is not heard, and blocks nobody."""
    exotel = start()
    say(exotel, audio(300))
    exotel.playout.add("u", audio(500))
    assert exotel.playout.held_ms == pytest.approx(300)
    exotel.run(2)
    say(exotel, audio(100), "next")
    exotel.run(2)
    assert exotel.pcm() == audio(300) + bytes(-len(audio(300)) % 320)
    assert exotel.played == ["u", "next"]


def test_audio_beyond_what_is_kept_is_dropped() -> None:
    """A provider that never stops fills no memory; what was sent makes room again."""
    exotel = start()
    piece = bytes(MAX_HELD_BYTES // 2)
    for _ in range(3):
        exotel.playout.add("u", piece)
    assert exotel.playout.held_ms == pytest.approx(MAX_HELD_BYTES / 16)
    exotel.advance()
    exotel.playout.add("u", audio(200))
    exotel.playout.add("u", audio(20))
    assert exotel.playout.held_ms == pytest.approx(MAX_HELD_BYTES / 16)


# ------------------------------------------------------------------ pause and resume


def test_a_pause_stops_the_feed_and_loses_nothing() -> None:
    """What Exotel holds plays on; then the first sample that was not sent comes."""
    exotel = start()
    say(exotel, audio(1000))
    exotel.run(0.25)
    exotel.playout.pause()
    before = len(exotel.media)
    assert exotel.playout.due(exotel.now) is None
    exotel.run(5)
    assert exotel.advance() == []
    assert len(exotel.media) == before
    exotel.playout.resume()
    exotel.run(2)
    assert exotel.pcm() == audio(1000)
    assert exotel.most_held_s <= 0.2 + 1e-5


def test_a_short_pause_is_nothing_to_catch_up_with() -> None:
    """Without a lead, a pause of 80 ms is not made up for after it."""
    exotel = start(options=NO_LEAD)
    say(exotel, audio(1000))
    exotel.run(0.1)
    exotel.playout.pause()
    exotel.run(0.08)
    exotel.playout.resume()
    exotel.advance()
    assert exotel.sizes[-1] == 320


def test_what_was_sent_is_counted_as_played_during_a_pause() -> None:
    """A pause holds back audio, not the marks of what is already at Exotel."""
    exotel = start()
    say(exotel, audio(100), "a")
    say(exotel, audio(1000), "b")
    exotel.advance()
    exotel.playout.pause()
    exotel.run(1)
    assert exotel.played == ["a"]
