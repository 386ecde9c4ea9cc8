"""Whole calls, whose own recording is laid beside what both sides heard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from exobridge.call.events import EventKind
from exobridge.simulator import BargeIn, CallPlan, CallReport, Exotel, Say
from exobridge.store.recordings import Recording
from exobridge_codecs.formats import Encoding
from exobridge_codecs.wav import Wav, parse_wav
from tests.own_recording.sound import parts
from tests.server import ECHO, LINE, QUICK, Server, bot, serving, until

NEAR_MS = 100
"""What both sides may differ by: one hears when it is sent, the other when it comes, on a machine
that does other things too."""

LONG = "This answer is so long that somebody will surely speak into it before it has ended."
RECORDED = {"own": True, "consent": "This call is recorded."}

TEMPLATES = {
    "plain": bot(recording={"own": True}),
    "consent": bot(recording=RECORDED),
    "cut": bot(
        recording={"own": True},
        tts={"options": {"ms_per_char": 40}},
        dialogue={"options": {"script": [[{"text": LONG}]] * 2}},
        stt={"options": {"script": ["one", "no, two"]}},
    ),
    "wide": bot(recording={"own": True}, stream={"encoding": "pcm16", "sample_rate": 16000}),
    "echo": ECHO + "recording = {own = true}\n",
    "off": bot(),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call, and what was stored of it."""

    report: CallReport
    rows: Sequence[Recording]
    wav: Wav | None
    events: Sequence[EventKind]
    said: Sequence[str]


async def stored(server: Server, call_sid: str) -> list[Recording]:
    """The recordings of a call, once the record tells of one: a row stands before its event."""

    async def is_there() -> bool:
        events = await server.bridge.store.events(call_sid)
        return any(event.kind is EventKind.RECORDING for event in events)

    await until(is_there)
    return await server.bridge.store.recordings.of_call(call_sid)


async def content(server: Server, row: Recording) -> bytes:
    """A recording's bytes."""
    return b"".join([part async for part in server.bridge.recordings.storage.read(row.location)])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    """All of them on one server."""
    folder = tmp_path_factory.mktemp("recorded")
    numbers = {name: f"+9180471{index}" for index, name in enumerate(TEMPLATES, start=12_000)}
    book = ",".join(f"{number}={name}" for name, number in numbers.items())
    async with serving(folder, TEMPLATES, EXOTEL_NUMBERS=book) as server, Exotel() as exotel:
        found = await asyncio.gather(
            *(call(server, exotel, name, number) for name, number in numbers.items())
        )
    left = list((folder / "data" / "own-recordings").iterdir())
    assert left == []
    return dict(zip(numbers, found, strict=True))


async def call(server: Server, exotel: Exotel, name: str, number: str) -> Recorded:
    """Place one call, and wait for what is stored of it."""
    script = (Say(LINE), BargeIn(LINE, 1000)) if name == "cut" else (Say(LINE),)
    plan = CallPlan(url=server.url, called=number, script=script, patience=QUICK)
    if name == "plain":
        plan = replace(plan, encoding=Encoding.MULAW)
    report = await exotel.call(plan)
    await server.until_over(report.call_sid)
    rows = [] if name == "off" else await stored(server, report.call_sid)
    wav = parse_wav(await content(server, rows[0])) if rows else None
    events = await server.bridge.store.events(report.call_sid)
    turns = await server.bridge.store.turns(report.call_sid)
    return Recorded(report, rows, wav, [e.kind for e in events], [turn.text for turn in turns])


def near(ours: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> bool:
    """The same parts, at nearly the same times."""
    return len(ours) == len(theirs) and all(
        abs(one - other) <= NEAR_MS
        for our, their in zip(ours, theirs, strict=True)
        for one, other in zip(our, their, strict=True)
    )


@pytest.mark.parametrize("name", ["plain", "consent", "cut", "wide", "echo"])
def test_both_sides_stand_where_they_were_heard(recorded: dict[str, Recorded], name: str) -> None:
    """The caller's words left, the bot's right, at the times at which the caller spoke and heard
    them."""
    one = recorded[name]
    assert one.wav is not None
    assert one.report.tracks is not None
    assert len(one.wav.channels) == 2
    rate = one.report.sample_rate
    assert one.wav.sample_rate == rate
    caller, bot_side = one.wav.channels
    heard = [parts(track, rate) for track in (caller, bot_side)]
    meant = [parts(one.report.tracks.caller(), rate), parts(one.report.tracks.bot(), rate)]
    assert near(heard[0], meant[0]), (heard, meant)
    assert near(heard[1], meant[1]), (heard, meant)


def test_an_interruption_is_heard_as_one(recorded: dict[str, Recorded]) -> None:
    """The bot's answer ends where the caller cut it, not where it was sent up to."""
    wav = recorded["cut"].wav
    assert wav is not None
    answer = parts(wav.channels[1])[1]
    assert answer[1] - answer[0] < 40 * len(LONG) / 2


def test_the_consent_line_comes_first(recorded: dict[str, Recorded]) -> None:
    """It opens the call, in one utterance with the greeting."""
    assert recorded["consent"].said[0] == "This call is recorded. Hello there."
    wav = recorded["consent"].wav
    assert wav is not None
    caller, bot_side = map(parts, wav.channels)
    # 22 and 12 characters of 20 ms; a busy machine may leave a gap.
    opening = sum(end - begin for begin, end in bot_side if end <= caller[0][0])
    assert 600 <= opening <= 800


def test_what_is_stored_is_in_the_record(recorded: dict[str, Recorded]) -> None:
    """One row with what the file is, and one event."""
    one = recorded["plain"]
    (row,) = one.rows
    assert one.wav is not None
    assert (row.source, row.name, row.media_type) == ("own", one.report.stream_sid, "audio/wav")
    assert (row.channels, row.sample_rate) == (2, 8000)
    assert row.duration_ms == pytest.approx(one.wav.duration_ms, abs=1)
    assert list(one.events).count(EventKind.RECORDING) == 1


def test_telephone_sound_takes_a_byte_a_sample(recorded: dict[str, Recorded]) -> None:
    """Narrow lines are kept in μ-law, wide ones as they are."""
    for name, sample_bytes in (("plain", 1), ("consent", 1), ("wide", 2)):
        (row,) = recorded[name].rows
        assert row.duration_ms is not None
        assert row.sample_rate is not None
        audio = row.duration_ms * row.sample_rate * 2 * sample_bytes / 1000
        assert row.bytes == pytest.approx(audio, abs=200)


def test_nothing_is_recorded_unasked(recorded: dict[str, Recorded]) -> None:
    """A template that does not say so leaves no sound."""
    assert EventKind.RECORDING not in recorded["off"].events
