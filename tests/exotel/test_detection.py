"""Which audio a stream carries, found out rung by rung."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.detection import MULAW_8K, WAIT_MS, Decision, FormatDetector
from exobridge.exotel.messages import Media, MediaFormat
from exobridge_codecs.formats import AudioFormat, pcm16

START_MS = 5000.0
"""When ``start`` came; the clock does not begin at 0."""

PCM_8K, PCM_16K, PCM_24K = pcm16(8000), pcm16(16000), pcm16(24000)
FORMATS = [MULAW_8K, PCM_8K, PCM_16K, PCM_24K]

SAMPLE = MediaFormat("base64", 8000, 128_000)
"""What is copied from Exotel's sample, whatever the audio is."""

NOTHING = MediaFormat()

Shown = tuple[Media, float]
"""A frame, and when it came, in milliseconds after ``start``."""


def shown(
    audio: AudioFormat,
    frame_ms: int = 20,
    count: int = 5,
    *,
    first_ms: int = 0,
    stamped: bool = True,
    jitter_ms: Sequence[float] = (0,),
) -> list[Shown]:
    """Frames of one size, that each come when their audio has been spoken."""
    payload = bytes(audio.bytes_per_ms * frame_ms)
    return [
        (
            Media(payload, first_ms + index * frame_ms if stamped else None, "S"),
            first_ms + (index + 1) * frame_ms + jitter_ms[index % len(jitter_ms)],
        )
        for index in range(count)
    ]


def decisions(stated: MediaFormat, frames: Iterable[Shown]) -> list[Decision]:
    """All that is decided on these frames, in order."""
    detector = FormatDetector(stated, START_MS)
    found = [detector.observe(media, START_MS + at_ms) for media, at_ms in frames]
    return [decision for decision in found if decision is not None]


def final(stated: MediaFormat, frames: Iterable[Shown]) -> Decision:
    """What these frames settle; they must."""
    (*_, last) = decisions(stated, frames)
    assert last.final
    return last


def expired(stated: MediaFormat) -> Decision:
    """What is decided when no frame comes in time."""
    detector = FormatDetector(stated, START_MS)
    assert detector.expire(detector.deadline_ms - 0.01) is None
    decision = detector.expire(detector.deadline_ms)
    assert decision is not None
    assert decision is detector.decision
    return decision


# ------------------------------------------------------------------ what is stated


@pytest.mark.parametrize(
    "encoding",
    [
        "audio/x-mulaw",
        "audio/x-mulaw;rate=8000",
        "mulaw",
        "ulaw",
        "pcmu",
        "audio/pcmu",
        "g711_ulaw",
    ],
)
def test_a_name_of_mulaw_decides_at_once(encoding: str) -> None:
    """It stands above all that is measured, and no frame is waited for."""
    detector = FormatDetector(MediaFormat(encoding, 16000, 256_000), START_MS)
    expected = Decision(MULAW_8K, f"media_format says {encoding}", final=True)
    assert detector.settled
    for media, at_ms in shown(PCM_16K):
        assert detector.observe(media, START_MS + at_ms) is None
    assert detector.expire(START_MS + 1000) is None
    assert detector.decision == expected


@pytest.mark.parametrize(
    "encoding", ["", "base64", "raw", "raw/slin", "audio/x-l16", "linear16", "pcm", "alaw", "law"]
)
def test_no_other_name_decides(encoding: str) -> None:
    """The literal ``base64`` and all the rest say nothing of the audio."""
    detector = FormatDetector(MediaFormat(encoding, 8000, None), START_MS)
    assert not detector.settled
    assert detector.decision is None
    assert final(MediaFormat(encoding, 8000, 128_000), shown(MULAW_8K)).format == MULAW_8K


@pytest.mark.parametrize(
    ("bit_rate", "audio"),
    [(64_000, MULAW_8K), (128_000, PCM_8K), (256_000, PCM_16K), (384_000, PCM_24K)],
)
def test_bit_rates(bit_rate: int, audio: AudioFormat) -> None:
    """Without a measurement the bit rate decides, whatever ``sample_rate`` says."""
    for sample_rate in (None, 8000, 24000):
        decision = expired(MediaFormat("base64", sample_rate, bit_rate))
        assert decision == Decision(audio, f"bit_rate says {bit_rate // 1000} kbps", final=False)


@pytest.mark.parametrize("bit_rate", [None, 0, 8, 96_000, 1_411_000, 10**14])
@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000])
def test_sample_rates(sample_rate: int, bit_rate: int | None) -> None:
    """A bit rate that means nothing leaves it to the sample rate, as PCM16."""
    decision = expired(MediaFormat("raw", sample_rate, bit_rate))
    expected = f"sample_rate says {sample_rate} Hz"
    assert decision == Decision(pcm16(sample_rate), expected, final=False)


@pytest.mark.parametrize("sample_rate", [None, 0, 11025, 44100, 10**14])
def test_pcm_at_8_khz_is_the_last_resort(sample_rate: int | None) -> None:
    """So is a rate that Exotel does not have."""
    assert expired(MediaFormat("", sample_rate)) == Decision(
        PCM_8K, "nothing was said", final=False
    )


# ------------------------------------------------------------------ what is measured


@pytest.mark.parametrize("stated", [NOTHING, SAMPLE, MediaFormat("raw", 24000, 384_000)])
@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("frame_ms", [10, 20, 30, 33, 60, 100])
@pytest.mark.parametrize("audio", FORMATS)
def test_the_measurement_wins(
    audio: AudioFormat, frame_ms: int, stamped: bool, stated: MediaFormat
) -> None:
    """By timestamps or by arrival, in frames of any length, whatever is stated."""
    decision = final(stated, shown(audio, frame_ms, stamped=stamped))
    assert decision == Decision(audio, f"measured {audio.bytes_per_ms} bytes/ms", final=True)


@pytest.mark.parametrize("stated", [SAMPLE, NOTHING])
def test_two_frames_are_enough_to_confirm(stated: MediaFormat) -> None:
    """Where the timestamps say what was taken for granted, the wait is over; a third settles it."""
    first, second, third, *_ = shown(PCM_8K)
    assert decisions(stated, [first]) == []
    confirmed = Decision(PCM_8K, "measured 16 bytes/ms", final=False)
    assert decisions(stated, [first, second]) == [confirmed]
    settled = Decision(PCM_8K, "measured 16 bytes/ms", final=True)
    assert decisions(stated, [first, second, third]) == [confirmed, settled]


def test_a_contradiction_needs_two_intervals() -> None:
    """The third frame settles that ``128kbps`` is not true, well within the wait."""
    detector = FormatDetector(SAMPLE, START_MS)
    first, second, third, *_ = shown(MULAW_8K)
    for media, at_ms in (first, second):
        assert detector.observe(media, START_MS + at_ms) is None
    media, at_ms = third
    assert at_ms < WAIT_MS
    decision = detector.observe(media, START_MS + at_ms)
    assert decision == Decision(MULAW_8K, "measured 8 bytes/ms", final=True)


@pytest.mark.parametrize("stated", [SAMPLE, NOTHING, MediaFormat("raw", 16000, 256_000)])
@pytest.mark.parametrize("lost", range(1, 5))
@pytest.mark.parametrize("audio", FORMATS)
def test_a_lost_frame_does_not_settle_it(
    audio: AudioFormat, lost: int, stated: MediaFormat
) -> None:
    """A gap makes PCM16 look like μ-law, or 16 kHz like 8; one such interval is no proof."""
    frames = shown(audio, count=8)
    del frames[lost]
    assert final(stated, frames).format == audio


def test_timestamps_win_over_arrival() -> None:
    """Frames held back by the network are still of the length they say."""
    late = [(media, 500.0 + index) for index, (media, _) in enumerate(shown(MULAW_8K))]
    assert final(SAMPLE, late).format == MULAW_8K
    doubled = [(media, at_ms * 2) for media, at_ms in shown(PCM_8K)]
    assert final(SAMPLE, doubled).format == PCM_8K


def test_timestamps_are_rounded() -> None:
    """A frame of 33¼ ms is not of a whole number of milliseconds."""
    frames = [(Media(bytes(266), index * 133 // 4), 0.0) for index in range(6)]
    assert final(SAMPLE, frames).format == MULAW_8K


def test_timestamps_that_do_not_begin_at_zero() -> None:
    """Only their differences are looked at."""
    frames = [
        (Media(media.payload, 10**9 + index * 20), at_ms)
        for index, (media, at_ms) in enumerate(shown(PCM_16K))
    ]
    assert final(SAMPLE, frames).format == PCM_16K


@pytest.mark.parametrize(
    "stamps",
    [
        [None] * 6,
        [0] * 6,
        [100, 80, 60, 40, 20, 0],
        [0, 1, 2, 3, 4, 5],
        [0, 160_000, 320_000, 480_000, 640_000, 800_000],
        [0, None, 20, None, 40, None],
    ],
)
@pytest.mark.parametrize("audio", FORMATS)
def test_useless_timestamps(audio: AudioFormat, stamps: Sequence[int | None]) -> None:
    """Absent, constant, backwards, counting frames or samples: then the arrival is measured."""
    frames = [
        (Media(media.payload, stamp), at_ms)
        for (media, at_ms), stamp in zip(shown(audio, count=6), stamps, strict=True)
    ]
    assert final(NOTHING, frames) == Decision(
        audio, f"measured {audio.bytes_per_ms} bytes/ms", final=True
    )


@pytest.mark.parametrize("audio", FORMATS)
def test_arrival_that_shakes(audio: AudioFormat) -> None:
    """A few milliseconds of jitter do not hide the format."""
    frames = shown(audio, stamped=False, jitter_ms=(0, 2, -1, 1.5, -2))
    assert final(SAMPLE, frames).format == audio


def test_one_interval_of_arrivals_is_not_enough() -> None:
    """The network makes one of any length; the strings do when the time is up."""
    frames = [(Media(bytes(320), None), at_ms) for at_ms in (10.0, 30.0, 31.0, 71.0, 72.0, 130.0)]
    assert decisions(SAMPLE, frames) == [Decision(PCM_8K, "bit_rate says 128 kbps", final=False)]
    assert decisions(NOTHING, frames[:5]) == []


def test_frames_that_came_before_start() -> None:
    """Held frames are shown all at once: their timestamps are what is measured."""
    frames = [(media, 0.0) for media, _ in shown(MULAW_8K)]
    assert final(SAMPLE, frames).format == MULAW_8K
    unstamped = [(Media(media.payload, None), 0.0) for media, _ in frames]
    assert decisions(SAMPLE, unstamped) == []


def test_frames_of_uneven_size_say_nothing() -> None:
    """Whether a timestamp tells a frame's begin or its end is not known."""
    sizes = (160, 320, 480, 320, 160, 320)
    frames = [(Media(bytes(size), index * 20), 20.0) for index, size in enumerate(sizes)]
    assert decisions(SAMPLE, frames) == []


def test_empty_frames_say_nothing() -> None:
    """There is no audio in them to be measured."""
    frames = [(Media(b"", index * 20), index * 20.0) for index in range(6)]
    assert decisions(NOTHING, frames) == []


# ------------------------------------------------------------------ how long it takes


def test_the_wait_is_120_ms() -> None:
    """A frame at the deadline decides from the strings; one before it does not."""
    detector = FormatDetector(SAMPLE, START_MS)
    assert detector.deadline_ms == START_MS + 120
    assert detector.observe(Media(bytes(320), None), START_MS + 119.9) is None
    decision = detector.observe(Media(bytes(320), None), START_MS + 120)
    assert decision == Decision(PCM_8K, "bit_rate says 128 kbps", final=False)
    assert detector.expire(START_MS + 200) is None
    assert not detector.settled


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("frame_ms", [20, 30, 33])
@pytest.mark.parametrize("audio", FORMATS)
def test_short_frames_are_measured_within_the_wait(
    audio: AudioFormat, frame_ms: int, stamped: bool
) -> None:
    """What the first outbound chunk is made in is right from the start."""
    frames = shown(audio, frame_ms, stamped=stamped)
    *_, last = told = decisions(SAMPLE, [item for item in frames if item[1] < WAIT_MS])
    assert {decision.format for decision in told} == {audio}
    assert last.final


def test_a_late_correction() -> None:
    """Frames of 100 ms are measured after the wait: the first decision is overruled once."""
    stated, measured = decisions(SAMPLE, shown(MULAW_8K, 100, count=10))
    assert stated == Decision(PCM_8K, "bit_rate says 128 kbps", final=False)
    assert measured == Decision(MULAW_8K, "measured 8 bytes/ms", final=True)


def test_a_late_confirmation() -> None:
    """A measurement that agrees with what was decided makes it final."""
    stated, measured = decisions(SAMPLE, [(m, at + 120) for m, at in shown(PCM_8K, 100)])
    assert (stated.format, stated.final) == (PCM_8K, False)
    assert (measured.format, measured.final) == (PCM_8K, True)


def test_frames_that_never_agree() -> None:
    """After fifty of them what the strings say stands, and no more is looked at."""
    frames = [(Media(bytes(100 + index), index * 20), 20.0 * index) for index in range(80)]
    stated, last = decisions(MediaFormat("base64", 16000, 256_000), frames)
    assert (stated.format, stated.final) == (PCM_16K, False)
    assert last == Decision(PCM_16K, "bit_rate says 256 kbps", final=True)


# ------------------------------------------------------------------ anything at all


_MEDIA = st.builds(
    Media,
    st.one_of(st.binary(max_size=4), st.sampled_from([160, 320, 640, 960, 1600]).map(bytes)),
    st.one_of(st.none(), st.integers(0, 10**15), st.integers(0, 50).map(lambda n: n * 20)),
)
_STATED = st.builds(
    MediaFormat,
    st.sampled_from(["", "base64", "raw", "audio/x-mulaw"]),
    st.one_of(st.none(), st.integers(0, 10**15), st.sampled_from([8000, 16000, 24000])),
    st.one_of(st.none(), st.integers(0, 10**15), st.sampled_from([64_000, 128_000, 256_000])),
)
_STEPS = st.one_of(st.floats(0, 300), st.sampled_from([0.0, 20.0, 100.0]))


@given(_STATED, st.lists(st.tuples(_MEDIA, _STEPS), max_size=60))
def test_any_frames_end_in_one_decision(
    stated: MediaFormat, steps: Sequence[tuple[Media, float]]
) -> None:
    """Whatever comes, there is a decision at the deadline; it changes at most once, and a final one
    never."""
    detector = FormatDetector(stated, START_MS)
    now = START_MS
    told = [detector.decision] if detector.decision else []
    for media, step in steps:
        now += step
        decision = detector.observe(media, now)
        if decision is not None:
            told.append(decision)
        assert detector.decision == (told[-1] if told else None)
        assert detector.decision is not None or now < detector.deadline_ms
    if decision := detector.expire(max(now, detector.deadline_ms)):
        told.append(decision)
    assert 1 <= len(told) <= 2
    assert [decision.final for decision in told[:-1]] in ([], [False])
    assert detector.decision == told[-1]
    assert detector.settled == told[-1].final
    assert all(decision.format in FORMATS for decision in told)
    if len(steps) >= 50:
        assert detector.settled


@given(st.sampled_from(FORMATS), st.sampled_from([10, 20, 40, 100]), st.integers(0, 10**9))
def test_real_streams_are_recognised(audio: AudioFormat, frame_ms: int, first_ms: int) -> None:
    """Wherever the stream is when it is first heard."""
    frames = shown(audio, frame_ms, first_ms=first_ms)
    assert final(SAMPLE, [(media, at_ms - first_ms) for media, at_ms in frames]).format == audio
