"""Both sides on one time line, in milliseconds and samples."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exobridge.own_recording.mix import AHEAD_MS, LOST_LOOKS, Mix
from exobridge_codecs.pcm import to_int16

RATE = 8000


def pcm(value: int, ms: float) -> bytes:
    """A level, for so long."""
    return np.full(round(ms * RATE / 1000), value, "<i2").tobytes()


def sides(stereo: bytes) -> tuple[list[int], list[int]]:
    """The caller's samples and the bot's."""
    both = to_int16(stereo).reshape(-1, 2)
    return both[:, 0].tolist(), both[:, 1].tolist()


def runs(samples: list[int]) -> list[tuple[int, float]]:
    """Each level and for how many milliseconds it lasts."""
    found: list[tuple[int, float]] = []
    for sample in samples:
        if found and found[-1][0] == sample:
            found[-1] = (sample, found[-1][1] + 1000 / RATE)
        else:
            found.append((sample, 1000 / RATE))
    return [(value, round(ms, 3)) for value, ms in found]


def test_the_caller_is_left_and_the_bot_right_each_at_its_time() -> None:
    """What is heard together stands together."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 300))
    mix.play(100, pcm(2, 50))
    caller, bot = sides(mix.take(300))
    assert runs(caller) == [(1, 300)]
    assert runs(bot) == [(0, 100), (2, 50), (0, 150)]


def test_the_caller_begins_where_the_first_sample_was_spoken() -> None:
    """Silence stands before it."""
    mix = Mix(RATE, heard_from_ms=40)
    mix.hear(pcm(1, 60))
    assert runs(sides(mix.take(100))[0]) == [(0, 40), (1, 60)]


def test_what_is_not_certain_is_not_given_out() -> None:
    """Neither what the bot will be heard to say, nor a time of which the caller's audio has not
    come."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 100))
    mix.play(0, pcm(2, 400))
    assert runs(sides(mix.take(200))[1]) == [(2, 100)]
    mix.hear(pcm(1, 200))
    assert runs(sides(mix.take(150))[1]) == [(2, 50)]
    assert runs(sides(mix.take(300))[1]) == [(2, 150)]


def test_a_cut_takes_away_what_would_have_been_heard_after_it() -> None:
    """And what is said next begins at its own time."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 500))
    mix.play(0, pcm(2, 400))
    mix.cut(120)
    mix.play(300, pcm(3, 100))
    assert runs(sides(mix.take(500))[1]) == [(2, 120), (0, 180), (3, 100), (0, 100)]


def test_chunks_follow_each_other_without_a_gap_of_rounding() -> None:
    """A time that is off by less than a joint makes neither a click nor an overlap."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 300))
    for at_ms in (0, 101, 199):
        mix.play(at_ms, pcm(2, 100))
    assert runs(sides(mix.take(300))[1]) == [(2, 300)]


def test_a_chunk_that_comes_too_late_loses_its_beginning() -> None:
    """What was given out as silence stays so, and the rest is in its place."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 200))
    mix.take(100)
    mix.play(50, pcm(2, 100))
    assert runs(sides(mix.take(200))[1]) == [(2, 50), (0, 50)]


def test_audio_that_was_lost_is_replaced_by_silence() -> None:
    """The caller lags for longer than a held-up line can explain: what comes then is in its
    place."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 1000))
    stereo = mix.take(1000)
    for second in range(LOST_LOOKS):
        mix.hear(pcm(1, 1000) if second else b"")
        stereo += mix.take(2000 + second * 1000)
    caller, _ = sides(stereo)
    end = (1 + LOST_LOOKS) * 1000
    assert sum(ms for value, ms in runs(caller) if value == 0) == 1000
    assert len(caller) == end * RATE // 1000


def test_audio_that_was_held_up_is_not_lost() -> None:
    """It comes in a burst, and nothing is put between."""
    mix = Mix(RATE)
    stereo = b""
    for second in range(1, LOST_LOOKS):
        stereo += mix.take(second * 1000)
    mix.hear(pcm(1, LOST_LOOKS * 1000))
    stereo += mix.take(LOST_LOOKS * 1000)
    assert runs(sides(stereo)[0]) == [(1, LOST_LOOKS * 1000)]


def test_a_line_that_caught_up_meanwhile_lost_nothing() -> None:
    """It was held up for a second, caught up, and is held up again: all of it is late, none is
    lost."""
    mix = Mix(RATE)
    stereo = b""
    for second in range(1, 3 * LOST_LOOKS):
        late = second % 3 != 0
        mix.hear(b"" if late else pcm(1, 3000))
        stereo += mix.take(second * 1000)
    heard = 3000 * (3 * LOST_LOOKS // 3 - 1)
    assert runs(sides(stereo)[0]) == [(1, heard)]


def test_frames_on_their_way_are_not_lost() -> None:
    """The caller's audio is always a little behind the clock."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 940))
    stereo = mix.take(1000)
    for second in range(2, 3 * LOST_LOOKS):
        mix.hear(pcm(1, 1000))
        stereo += mix.take(second * 1000)
    assert runs(sides(stereo)[0]) == [(1, 1000 * (3 * LOST_LOOKS - 1) - 60)]


def test_a_caller_faster_than_time_is_bounded() -> None:
    """What goes far beyond the clock is left out."""
    mix = Mix(RATE)
    for _ in range(100):
        mix.hear(pcm(1, 1000))
        mix.take(0)
    assert len(sides(mix.finish(200_000))[0]) == AHEAD_MS * RATE / 1000


def test_the_end_is_where_the_stream_ended() -> None:
    """What the bot had sent and nobody heard is not in it; a side that is shorter is silent."""
    mix = Mix(RATE)
    mix.hear(pcm(1, 100))
    mix.play(50, pcm(2, 400))
    caller, bot = sides(mix.finish(200))
    assert runs(caller) == [(1, 100), (0, 100)]
    assert runs(bot) == [(0, 50), (2, 150)]


Step = st.one_of(
    st.tuples(st.just("hear"), st.integers(0, 4000)),
    st.tuples(st.just("play"), st.integers(-500, 8000), st.integers(0, 4000)),
    st.tuples(st.just("cut"), st.integers(-500, 8000)),
    st.tuples(st.just("take"), st.integers(0, 9000)),
)


@given(st.lists(Step, max_size=40))
def test_whatever_comes_both_sides_stay_equally_long(steps: list[tuple[str, int, int]]) -> None:
    """No order of calls fails, and no more is given out than the clock has run."""
    mix, latest, given_out = Mix(RATE), 0, 0
    for name, *numbers in steps:
        match name:
            case "hear":
                mix.hear(bytes(2 * numbers[0]))
            case "play":
                mix.play(numbers[0], bytes(2 * numbers[1]))
            case "cut":
                mix.cut(numbers[0])
            case _:
                latest = max(latest, numbers[0])
                given_out += len(mix.take(numbers[0]))
    given_out += len(mix.finish(latest))
    assert given_out % 4 == 0
    assert given_out / 4 <= latest * RATE / 1000
