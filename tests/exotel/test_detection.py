"""Which audio a stream carries, found out rung by rung."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.detection import FRAMES_SHOWN, WAIT_MS, Decision, FormatDetector
from exobridge.exotel.evidence import MULAW_8K
from exobridge.exotel.messages import Media, MediaFormat, Started, decode
from exobridge.simulator.wire import Dialect, FrameWriter, Identity, Ids, Keys
from exobridge_codecs.formats import AudioFormat, pcm16
from tests.exotel.noise import noise

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
    level: int = 300,
    jitter_ms: Sequence[float] = (0,),
) -> list[Shown]:
    """Frames of one size, that each come when their audio has been spoken."""
    payload = noise(audio, frame_ms, level)
    return [
        (
            Media(payload, first_ms + index * frame_ms if stamped else None, "S"),
            first_ms + (index + 1) * frame_ms + jitter_ms[index % len(jitter_ms)],
        )
        for index in range(count)
    ]


def long(frame_ms: int) -> int:
    """So many frames that even the arrival alone has settled the format."""
    return 6 * max(5, math.ceil(400 / frame_ms))


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
    stated = MediaFormat(encoding, 8000, 128_000)
    assert final(stated, shown(MULAW_8K, count=long(20))).format == MULAW_8K


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


@pytest.mark.parametrize("level", [0, 300])
@pytest.mark.parametrize("stated", [NOTHING, SAMPLE, MediaFormat("raw", 24000, 384_000)])
@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("frame_ms", [10, 20, 33, 100])
@pytest.mark.parametrize("audio", FORMATS)
def test_the_measurement_wins(
    audio: AudioFormat, frame_ms: int, stamped: bool, stated: MediaFormat, level: int
) -> None:
    """By timestamps or by arrival, in frames of any length, silent or not, whatever is stated."""
    frames = shown(audio, frame_ms, long(frame_ms), stamped=stamped, level=level)
    decision = final(stated, frames)
    assert decision == Decision(audio, f"measured {audio.bytes_per_ms} bytes/ms", final=True)


@pytest.mark.parametrize("stated", [SAMPLE, NOTHING])
@pytest.mark.parametrize("level", [0, 300])
def test_two_frames_are_enough_to_confirm(stated: MediaFormat, level: int) -> None:
    """Where the timestamps say what was taken for granted, the wait is over."""
    first, second, *_ = shown(PCM_8K, level=level)
    assert decisions(stated, [first]) == []
    confirmed = Decision(PCM_8K, "measured 16 bytes/ms", final=False)
    assert decisions(stated, [first, second]) == [confirmed]


def test_a_contradiction_is_waited_for() -> None:
    """Silence in frames of 20 ms proves within the wait that ``128kbps`` is not true; with a sound
    in it, its second frame does."""
    measured = Decision(MULAW_8K, "measured 8 bytes/ms", final=False)
    *before, fourth = shown(MULAW_8K, count=4, level=0)
    assert decisions(SAMPLE, before) == []
    assert decisions(SAMPLE, [*before, fourth]) == [measured]
    assert fourth[1] < WAIT_MS
    assert decisions(SAMPLE, shown(MULAW_8K, count=2)) == [measured]


@pytest.mark.parametrize("audio", [PCM_16K, PCM_24K])
def test_a_rate_that_was_not_stated_is_found_within_the_wait(audio: AudioFormat) -> None:
    """What the first outbound chunk is made in is right from the start."""
    frames = [each for each in shown(audio, level=0) if each[1] < WAIT_MS]
    assert [told.format for told in decisions(SAMPLE, frames)] == [audio]


@pytest.mark.parametrize("level", [0, 300])
@pytest.mark.parametrize("audio", FORMATS)
def test_a_lost_frame_decides_nothing(audio: AudioFormat, level: int) -> None:
    """A gap makes PCM16 look like μ-law, or 16 kHz like 8; neither one nor two in a row do."""
    honest = MediaFormat("base64", audio.sample_rate, audio.bytes_per_ms * 8000)
    for lost in ({1}, {2}, {1, 3}, {2, 4}, {1, 4, 5}, {3, 4}):
        frames = shown(audio, count=long(20), level=level)
        kept = [frame for index, frame in enumerate(frames) if index not in lost]
        assert {told.format for told in decisions(honest, kept)} == {audio}, lost
        assert final(SAMPLE, kept).format == audio, lost


def test_silent_pcm_is_not_mulaw_for_all_its_gaps() -> None:
    """Every second frame is lost; what is heard and what is stated say PCM16."""
    frames = shown(PCM_8K, count=long(20), level=0)[::2]
    assert {told.format for told in decisions(SAMPLE, frames)} == {PCM_8K}


def test_timestamps_are_rounded() -> None:
    """A frame of 33¼ ms is not of a whole number of milliseconds."""
    frames = [(Media(b"\xff" * 266, index * 133 // 4), index * 33.25) for index in range(80)]
    assert final(SAMPLE, frames).format == MULAW_8K


def test_frames_that_came_before_start() -> None:
    """Held frames are shown all at once: their timestamps are what is measured."""
    frames = [(media, 0.0) for media, _ in shown(MULAW_8K, level=0)]
    assert [told.format for told in decisions(SAMPLE, frames)] == [MULAW_8K]
    unstamped = [(Media(media.payload, None), 0.0) for media, _ in frames]
    assert decisions(SAMPLE, unstamped) == []


def test_frames_of_uneven_size() -> None:
    """Whether a timestamp tells a frame's begin or its end is not known; the arrival does it."""
    dice, frames, at_ms = Random(1), list[Shown](), 0
    for _ in range(200):
        frame_ms = dice.choice((10, 20, 30, 40))
        at_ms += frame_ms
        frames.append((Media(noise(PCM_16K, frame_ms, 0), at_ms), float(at_ms)))
    assert final(SAMPLE, frames).format == PCM_16K
    sizes = (160, 320, 480, 320, 160, 320)
    stamped = [(Media(bytes(size), index * 20), 20.0) for index, size in enumerate(sizes)]
    assert decisions(SAMPLE, stamped) == []


def test_an_interval_that_fits_no_format() -> None:
    """It says nothing."""
    frames = [(Media(bytes(320), index * 26), 20.0) for index in range(6)]
    assert decisions(SAMPLE, frames) == []


def test_long_frames_without_timestamps_of_which_some_are_lost() -> None:
    """Every seventh of 200 ms: enough of them are measured at a time."""
    frames = shown(PCM_16K, 200, 50, stamped=False)
    assert final(SAMPLE, [each for at, each in enumerate(frames) if at % 7]).format == PCM_16K


def test_empty_frames_say_nothing() -> None:
    """There is no audio in them to be measured."""
    frames = [(Media(b"", index * 20), index * 20.0) for index in range(6)]
    assert decisions(NOTHING, frames) == []


@pytest.mark.parametrize("ids", Ids)
@pytest.mark.parametrize("keys", Keys)
@pytest.mark.parametrize("text_numbers", [True, False])
@pytest.mark.parametrize("audio", FORMATS)
def test_every_spelling_is_measured(
    audio: AudioFormat, text_numbers: bool, keys: Keys, ids: Ids
) -> None:
    """Strings and timestamps count however their keys and numbers are written."""
    identity = Identity("c", "s", "a", "l", "09811122233", "08047112233")
    writer = FrameWriter(audio, identity, Dialect(keys, text_numbers, ids))
    started = decode(writer.start({}))
    assert isinstance(started, Started)
    assert started.media_format.bit_rate == audio.bytes_per_ms * 8000
    payload = base64.b64encode(noise(audio, 20, 0)).decode()
    frames = [decode(writer.media(payload, index * 20)) for index in range(2)]
    told = decisions(
        started.media_format, [(each, 0.0) for each in frames if isinstance(each, Media)]
    )
    assert [each.format for each in told] == [audio]


# ------------------------------------------------------------------ timestamps that lie

LIES: dict[str, Callable[[int, int, AudioFormat], int | None]] = {
    "none": lambda _, __, ___: None,
    "every second one": lambda index, at_ms, _: at_ms if index % 2 else None,
    "always 0": lambda _, __, ___: 0,
    "backwards": lambda _, at_ms, __: 10**9 - at_ms,
    "frames": lambda index, _, __: index,
    "samples": lambda _, at_ms, audio: at_ms * audio.sample_rate // 1000,
    "twice too fast": lambda _, at_ms, __: at_ms * 2,
    "twice too slow": lambda _, at_ms, __: at_ms // 2,
    "three times too fast": lambda _, at_ms, __: at_ms * 3,
    "bytes, as if 8 kHz": lambda _, at_ms, audio: at_ms * audio.bytes_per_ms // 16,
    "shaken": lambda index, at_ms, _: at_ms + index * 7919 % 16,
}
DOUBLE_LIES = ("twice too slow", "bytes, as if 8 kHz")
"""Of μ-law they say what Exotel's sample says."""


@pytest.mark.parametrize("stated", ["honest", "sample"])
@pytest.mark.parametrize("level", [0, 300])
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("audio", FORMATS)
def test_timestamps_that_lie(audio: AudioFormat, lie: str, level: int, stated: str) -> None:
    """In the end the arrival tells; what is stated and what is heard agree with it or lie too."""
    dice = Random(f"{lie}/{audio}/{level}")
    honest = MediaFormat("base64", audio.sample_rate, audio.bytes_per_ms * 8000)
    frames = [
        (Media(media.payload, LIES[lie](index, index * 20, audio)), at_ms + dice.uniform(0, 30))
        for index, (media, at_ms) in enumerate(shown(audio, count=300, level=level))
        if dice.random() > 0.03
    ]
    frames.sort(key=lambda each: each[1])
    strings = honest if stated == "honest" else SAMPLE
    if (audio, lie, level, strings) in [(MULAW_8K, lie, 0, SAMPLE) for lie in DOUBLE_LIES]:
        pytest.skip("strings and timestamps agree in the same lie, and silence does not deny it")
    assert final(strings, frames).format == audio


def test_a_busy_machine_is_late() -> None:
    """Frames that come at half their speed for ten seconds are what they and the strings say."""
    for audio in FORMATS:
        honest = MediaFormat("base64", audio.sample_rate, audio.bytes_per_ms * 8000)
        slow = [(media, at_ms * 2) for media, at_ms in shown(audio, count=250, level=0)]
        assert {told.format for told in decisions(honest, slow)} == {audio}


# ------------------------------------------------------------------ what is heard


@pytest.mark.parametrize("audio", [MULAW_8K, PCM_8K])
@pytest.mark.parametrize("level", [30, 300, 3000])
def test_the_sound_tells_the_encoding(audio: AudioFormat, level: int) -> None:
    """When the time is up after one long frame, though the strings lie."""
    lie = MediaFormat("base64", 8000, 64_000 if audio == PCM_8K else 128_000)
    ((media, at_ms),) = shown(audio, 200, 1, level=level)
    assert decisions(lie, [(media, at_ms)]) == [
        Decision(audio, f"sounds like {audio.encoding}", final=False)
    ]


def test_two_witnesses_are_believed_against_the_third() -> None:
    """Whichever it is: strings that lie, timestamps that lie, or a sound that is a roar."""
    copied, stamps = MediaFormat("base64", 8000, 64_000), shown(PCM_8K)
    assert {told.format for told in decisions(copied, stamps)} == {PCM_8K}
    lying = [(Media(media.payload, index * 40), at) for index, (media, at) in enumerate(stamps)]
    assert {told.format for told in decisions(SAMPLE, lying)} <= {PCM_8K}
    roar = Media(bytes((0x80, 0x00)) * 80, 0)
    frames = [(Media(roar.payload, index * 20), index * 20.0) for index in range(8)]
    assert decisions(copied, frames)[-1].format == MULAW_8K


# ------------------------------------------------------------------ a bad line


@pytest.mark.parametrize("frame_ms", [10, 20, 33, 60, 100, 200])
@pytest.mark.parametrize("audio", FORMATS)
def test_no_bad_line_deceives(audio: AudioFormat, frame_ms: int) -> None:
    """Frames are lost and shaken, the line stalls, the stream begins late or all at once: a true
    string is never doubted, not for a moment, and a false one is found out in the end."""
    for seed in range(60):
        dice = Random(f"{audio}/{frame_ms}/{seed}")
        stated = dice.choice((SAMPLE, NOTHING, None))
        honest = MediaFormat("base64", audio.sample_rate, audio.bytes_per_ms * 8000)
        told = decisions(stated or honest, bad_line(audio, frame_ms, dice))
        assert told[-1].format == audio, seed
        if stated is None:
            assert {each.format for each in told} == {audio}, seed


def bad_line(audio: AudioFormat, frame_ms: int, dice: Random) -> list[Shown]:
    """Ten seconds: up to 5 % loss and 100 ms of jitter, a stall, a late start or a held one."""
    loss, jitter_ms = dice.uniform(0, 0.05), dice.choice((0, 10, 40, 100))
    stall_ms = dice.uniform(0, 3000)
    stalled_ms = stall_ms + dice.choice((0, 300, 1000))
    late_ms, held_ms = dice.choice(((0, 0), (0, 0), (2500, 0), (0, 800)))
    stamped, level = dice.random() < 0.8, dice.choice((0, 0, 5, 300, 3000))
    frames, last_ms = list[Shown](), 0.0
    for media, at_ms in shown(audio, frame_ms, 10_000 // frame_ms, stamped=stamped, level=level):
        came_ms = late_ms + max(0.0, at_ms - held_ms) + dice.uniform(0, jitter_ms)
        if stall_ms < came_ms < stalled_ms:
            came_ms = stalled_ms
        last_ms = max(last_ms, came_ms)
        if dice.random() >= loss:
            frames.append((media, last_ms))
    return frames


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


def test_a_late_correction() -> None:
    """Silence in frames of 100 ms is measured after the wait: the first decision is overruled."""
    stated, measured, last = decisions(SAMPLE, shown(MULAW_8K, 100, long(100), level=0))
    assert stated == Decision(PCM_8K, "bit_rate says 128 kbps", final=False)
    assert measured == Decision(MULAW_8K, "measured 8 bytes/ms", final=False)
    assert last == replace(measured, final=True)


def test_what_nobody_contradicts_is_settled_soon() -> None:
    """Half a second, then no frame is looked at; a stream whose strings lie is watched longer."""
    frames = shown(PCM_8K, count=long(20))
    assert decisions(SAMPLE, frames[:25])[-1].final
    assert not decisions(MediaFormat("base64", 8000, 64_000), frames[:25])[-1].final


def test_frames_that_never_agree() -> None:
    """After some seconds what the strings say stands, and no more is looked at."""
    frames = [
        (Media(bytes(10 + index % 3), index * 20), 20.0 * index)
        for index in range(FRAMES_SHOWN + 9)
    ]
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
    """Whatever comes, there is a decision at the deadline; only the last one is final."""
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
    assert told
    assert not any(decision.final for decision in told[:-1])
    assert detector.decision == told[-1]
    assert detector.settled == told[-1].final
    assert all(decision.format in FORMATS for decision in told)
