"""When the bot says "one moment"."""

from __future__ import annotations

from exobridge.call.filler import AGAIN_S, Filler


def said(filler: Filler, until: float, *, caller_speaking: bool = False) -> list[float]:
    """When fillers are said until then; each is followed by silence at once."""
    times: list[float] = []
    while (due := filler.due()) is not None and due <= until:
        if filler.tick(due, caller_speaking=caller_speaking):
            times.append(due)
            filler.silent(due)
    return times


def asked(after_s: float = 2.0) -> Filler:
    filler = Filler(after_s)
    filler.asked(100.0)
    return filler


def test_a_slow_answer_is_announced_twice_at_most() -> None:
    """First after the limit, then much later."""
    assert said(asked(), 1000) == [102.0, 102.0 + AGAIN_S]


def test_an_answer_in_time_needs_no_filler() -> None:
    """Nothing is due once audio is there; the next answer has fillers of its own."""
    filler = asked()
    assert not filler.tick(101.9, caller_speaking=False)
    filler.answered()
    assert said(filler, 1000) == []
    filler.asked(200.0)
    assert said(filler, 203) == [202.0]


def test_a_silence_in_the_middle_of_an_answer_is_filled_later() -> None:
    """The bot has just said something: a tool may take its time."""
    filler = asked()
    filler.answered()
    filler.silent(104.0)
    assert said(filler, 1000) == [104.0 + AGAIN_S, 104.0 + 2 * AGAIN_S]


def test_a_caller_who_speaks_is_not_talked_over() -> None:
    """The wait begins anew."""
    filler = asked()
    assert said(filler, 103, caller_speaking=True) == []
    assert said(filler, 104) == [104.0]


def test_without_a_limit_there_is_no_filler() -> None:
    """Neither before the answer nor in it."""
    filler = asked(0)
    assert filler.due() is None
    filler.silent(101.0)
    assert filler.due() is None
    assert not filler.tick(1000, caller_speaking=False)


def test_before_the_first_turn_nothing_is_filled() -> None:
    """The greeting's silence is the caller's."""
    filler = Filler(2.0)
    filler.silent(100.0)
    assert said(filler, 1000) == []
