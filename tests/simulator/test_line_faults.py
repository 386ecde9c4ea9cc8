"""What goes wrong on a line: when things arrive, which marks come back, how audio is cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.stream import ExotelStream, Phase
from exobridge.simulator.line_faults import (
    Cutter,
    LineFaults,
    Marks,
    Odd,
    OddFrame,
    Stall,
    Try,
    Way,
    entries,
    excuse,
    odd_text,
)
from exobridge.simulator.playout import Playout
from exobridge.simulator.wire import Dialect, FrameWriter, Identity
from exobridge_codecs.formats import pcm16

PCM = pcm16(8000)
WHO = Identity("call", "stream", "account", "leg", "09811122233", "08047112233")
stalls = st.builds(Stall, st.integers(0, 5000), st.integers(1, 3000))


def test_a_line_takes_its_time() -> None:
    """What is sent arrives after the delay, and waits for the end of a stall."""
    way = Way(100, 0, (Stall(1000, 500),), 0)
    assert [way.arrives(at) for at in (0, 850, 900, 1399, 1400)] == [100, 950, 1500, 1500, 1500]
    assert Way(0, 0, (Stall(1000, 500),), 0).arrives(1499) == 1500


def test_jitter_differs_from_frame_to_frame_and_not_from_run_to_run() -> None:
    """It is the seed's, and no more than what it is at most."""

    def late(seed: int) -> list[float]:
        way = Way(0, 100, (), seed)
        return [way.arrives(at) - at for at in range(0, 20_000, 1000)]

    assert late(7) == late(7) != late(8)
    assert len(set(late(7))) == 20
    assert max(late(7)) <= 100


@given(
    st.floats(0, 500),
    st.floats(0, 500),
    st.lists(stalls, max_size=3),
    st.lists(st.floats(0, 8000), max_size=50),
    st.integers(),
)
def test_nothing_overtakes_and_nothing_comes_early(
    delay: float, jitter: float, stalled: list[Stall], times: list[float], seed: int
) -> None:
    """However long each frame takes, their order is kept, and none takes less than the delay."""
    way = Way(delay, jitter, tuple(sorted(stalled, key=lambda stall: stall.at_ms)), seed)
    sent = sorted(times)
    arrived = [way.arrives(at) for at in sent]
    assert arrived == sorted(arrived)
    assert all(there >= at + delay for at, there in zip(sent, arrived, strict=True))


@given(st.lists(st.integers(1, 700), min_size=1, max_size=4), st.lists(st.binary(max_size=900)))
def test_cut_audio_is_the_same_audio(sizes: list[int], parts: list[bytes]) -> None:
    """Cut anew, no byte is lost, added or moved; what does not fill a payload is held."""
    cutter = Cutter(tuple(sizes), PCM.bytes_per_ms)
    found = [piece for part in parts for piece in cutter.take(part)]
    whole, cut = b"".join(parts), b"".join(audio for audio, _ in found)
    assert cut == whole[: len(cut)]
    assert len(whole) - len(cut) < max(sizes)
    assert [len(audio) for audio, _ in found] == [
        sizes[at % len(sizes)] for at in range(len(found))
    ]


def test_a_line_is_slow_if_anything_arrives_late() -> None:
    """By a delay, by jitter or in a stall; on the way back nothing is held up here."""
    for slow in (
        LineFaults(delay_ms=1),
        LineFaults(jitter_ms=1),
        LineFaults(stalls=(Stall(1, 1),)),
    ):
        assert slow.slow
    assert not LineFaults(return_delay_ms=300).slow


def test_cut_audio_is_stamped_with_its_own_time() -> None:
    """Payloads of 100 bytes of PCM at 8 kHz begin 6.25 ms apart."""
    cutter = Cutter((100,), PCM.bytes_per_ms)
    assert [at_ms for _, at_ms in cutter.take(bytes(500))] == [0, 6, 12, 18, 25]


def marked(faults: LineFaults) -> Marks:
    """Six marks, 20 ms of audio before each."""
    playout = Playout(PCM)
    for name in "abcdef":
        playout.receive(0, bytes(320))
        playout.mark(0, name)
    return Marks(playout, faults)


def test_marks_come_back_when_they_are_due() -> None:
    """Without faults a mark returns when what precedes it has been played."""
    marks = marked(LineFaults())
    assert marks.next_ms() == 20
    assert [marks.due(at) for at in (0, 20, 79, 500)] == [[], ["a"], ["b", "c"], ["d", "e", "f"]]
    assert (marks.next_ms(), marks.lost) == (None, 0)


@pytest.mark.parametrize(("every", "kept"), [(1, ""), (2, "ace"), (3, "abde")])
def test_some_marks_are_lost(every: int, kept: str) -> None:
    """Of every so many the last does not come back, ever."""
    marks = marked(LineFaults(lost_marks=every))
    assert "".join(marks.due(1000)) == kept
    assert marks.lost == 6 - len(kept)
    assert marks.due(10_000) == []


def test_late_marks_keep_their_order() -> None:
    """Each comes back so much later than it was due."""
    marks = marked(LineFaults(late_marks_ms=300))
    assert marks.due(20) == []
    assert marks.due(40) == []
    assert marks.next_ms() == 60  # the next one is noticed before the first is returned
    assert marks.due(320) == ["a"]
    assert [marks.due(at) for at in (340, 619)] == [["b"], []]
    assert marks.next_ms() == 620
    assert marks.due(620) == ["c", "d", "e", "f"]


@pytest.mark.parametrize("odd", list(Odd))
def test_an_odd_frame_changes_nothing_for_a_reader(odd: Odd) -> None:
    """exobridge's reader stays where it is, and makes no event of any of them."""
    writer = FrameWriter(PCM, WHO, Dialect())
    stream = ExotelStream()
    stream.receive(writer.connected())
    stream.receive(writer.start({}))
    text = odd_text(odd, writer, lambda: writer.start({}))
    assert stream.receive(text) == ()
    assert stream.phase is Phase.STREAMING
    assert stream.counters.ignored + stream.counters.misplaced + stream.counters.bad == 1


def test_only_the_broken_ones_are_no_json_objects() -> None:
    """The other odd frames are events, each with its name."""
    writer = FrameWriter(PCM, WHO, Dialect())
    for odd in set(Odd) - {Odd.NO_JSON, Odd.NO_OBJECT, Odd.EMPTY}:
        assert json.loads(odd_text(odd, writer, lambda: writer.start({})))["event"]


def test_what_went_wrong_is_told_once_each() -> None:
    """A timeline shows what happened until the stream's end, and no more."""
    faults = LineFaults(
        tries=(Try.CUT,),
        delay_ms=80,
        stalls=(Stall(500, 200), Stall(9000, 1)),
        odd_frames=(OddFrame(100, Odd.START),),
        payload_bytes=(100, 7),
        reset_at_ms=2000,
    )
    told = [
        (each.at_ms, each.label, each.detail, each.until_ms) for each in entries(faults, 2, 2000, 3)
    ]
    assert told == [
        (0, "handshake cut off", "", None),
        (0, "frames late", "80 ms to the server", None),
        (0, "payloads cut anew", "100, 7 bytes", None),
        (100, "odd frame", "start", None),
        (500, "line stalled", "", 700),
        (2000, "connection reset", "", None),
        (2000, "marks lost", "3", None),
    ]
    assert [each.label for each in entries(faults, 1)] == ["handshake cut off"]
    more = LineFaults(tries=(Try.CUT, Try.UNHEARD), handshake_delay_ms=700, half_open_at_ms=40)
    assert [(each.at_ms, each.label, each.detail) for each in entries(more, 1, 2000)] == [
        (0, "handshake cut off", ""),
        (0, "handshake late", "700 ms"),
        (40, "half-open", "nothing is sent or read"),
    ]
    assert entries(LineFaults(), 1, 5000) == ()


@pytest.mark.parametrize(
    ("faults", "excused"),
    [
        (LineFaults(reset_at_ms=5), True),
        (LineFaults(half_open_at_ms=5), True),
        (LineFaults(stalls=(Stall(5, 100),)), True),
        (LineFaults(tries=(Try.CUT,)), True),
        (LineFaults(tries=(Try.UNREACHED,)), True),
        (LineFaults(reset_at_ms=500), False),
        (LineFaults(handshake_delay_ms=50, tries=(Try.WELL,)), False),
        (
            LineFaults(delay_ms=50, payload_bytes=(317,), odd_frames=(OddFrame(5, Odd.FOREIGN),)),
            False,
        ),
        (LineFaults(), False),
    ],
)
def test_only_a_line_that_broke_or_fell_silent_excuses_a_server(
    faults: LineFaults, excused: bool
) -> None:
    """All else it has to bear, and what was still to come when the stream ended."""
    assert excuse(entries(faults, 1, until_ms=100)) is excused
