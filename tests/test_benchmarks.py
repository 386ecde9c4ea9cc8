"""The benchmarks measure what they say."""

from __future__ import annotations

import asyncio
import base64
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from exobridge.demo_share import Delays, Share
from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from tests.benchmarks import generator, media, page, sums, vendors
from tests.benchmarks.catalogue import BENCHES, DEFAULT, FLOORS, Options
from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.generator import Figures, Load
from tests.benchmarks.processes import tree, usage
from tests.benchmarks.report import VOID, Results, plain_report
from tests.benchmarks.servers import Kind, serving
from tests.benchmarks.talker import FRAME_BYTES, mark, utterance
from tests.simulator.servers import Bot, BotLine, bot_server

needs_compiler = pytest.mark.skipif(
    generator.compiler() is None, reason="the load generator is written in C: no compiler here"
)

ROUND: Figures = {"lost": 0, "p99_ms": 2.0, "us_per_pair": 20.0, "calls": 200}


def test_medians_are_taken_of_each_figure() -> None:
    """One round in which the machine was busy elsewhere changes nothing."""
    rounds = [{"a": 1.0, "b": 9.0}, {"a": 50.0, "b": 8.0}, {"a": 2.0, "b": 7.0}]
    assert sums.medians(rounds) == {"a": 2.0, "b": 8.0}


def test_a_ratio_is_to_the_floor_of_the_same_round() -> None:
    """A machine that slows down between the rounds slows both."""
    rounds, floors = [{"cost": 30.0}, {"cost": 60.0}], [{"cost": 20.0}, {"cost": 40.0}]
    assert [each["ratio"] for each in sums.with_ratio(rounds, floors, "cost")] == [1.5, 1.5]


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.999, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    """The smallest that so large a share does not exceed."""
    assert sums.percentile([float(number) for number in range(1, 101)], share) == value


def test_a_slope_is_that_of_the_line_through_all_samples() -> None:
    """Noise around a line of 2 in 1 is 20 in 10."""
    noise = [0.3, -0.3, -0.3, 0.3]
    points = [(float(x), 5 + 2.0 * x + noise[x]) for x in range(4)]
    assert sums.slope(points, 10.0) == pytest.approx(20.0)


@pytest.mark.parametrize("limit", [1, 37, 100, 435, 1316])
def test_the_search_for_the_most_calls_ends_near_the_limit(limit: int) -> None:
    """Within 5 % of it, and never above."""
    assert limit * 0.95 - 1 <= sums.most(lambda calls: calls <= limit, 100, 20_000) <= limit


def test_the_search_for_the_most_calls_ends_where_nothing_holds() -> None:
    """Not even one call is a result too."""
    assert sums.most(lambda calls: False, 100, 20_000) == 0


def test_the_markers_survive_mulaw() -> None:
    """No byte of theirs is the second zero of mu-law, which comes back as the first."""
    audio = b"".join(mark(number) for number in range(0, 0xFFFFFFF, 0x11111))
    assert pcm_to_mulaw(mulaw_to_pcm(audio)) == audio


def test_each_part_of_an_answer_has_its_own_percentiles() -> None:
    """One slow answer in twenty-one changes none; what no vendor took is exobridge's own."""
    shares = [
        Share(total, 160, Delays(350, model, 100, 200))
        for total, model in [(1250, 400)] * 19 + [(1300, 400), (9000, 8150)]
    ]
    found = vendors.figures(shares)
    assert found.pop("answers") == 21
    parts = {"total": 1250, "silence": 160, "stt": 350, "model": 400, "words": 100, "tts": 200}
    p50 = {f"{name}_p50_ms": value for name, value in {**parts, "own": 40}.items()}
    p95 = {f"{name}_p95_ms": value for name, value in {**parts, "total": 1300, "own": 40}.items()}
    assert found == p50 | p95


# ------------------------------------------------------------------ reports


def results(floor_p99_ms: float = 1.0) -> Results:
    """A run of two rounds of the floors and of every row."""
    floors = {bench.name: [{**ROUND, "p99_ms": floor_p99_ms}] * 2 for bench in FLOORS}
    return Results(Options(), floors | {bench.name: [ROUND] * 2 for bench in BENCHES})


def test_the_rows_that_are_run_when_none_is_named_exist() -> None:
    """And no name stands for two."""
    names = [bench.name for bench in (*FLOORS, *BENCHES)]
    assert set(DEFAULT) < set(names)
    assert len(names) == len(set(names))


def test_a_report_has_every_row_that_was_run() -> None:
    """With its ratio to the floor, where it has one."""
    text = plain_report(results())
    lines = [line.split("  ", 1) for line in text.splitlines()]
    assert {bench.says for bench in (*FLOORS, *BENCHES)} < {first for first, *_ in lines}
    assert VOID not in text
    assert "1.00" in next(rest[0] for first, *rest in lines if first == BENCHES[0].says)


def test_a_page_says_what_was_run_on_what() -> None:
    """The rows, the machine, and how to do it again."""
    text = page.page(results())
    assert all(f"| {bench.says} |" in text for bench in BENCHES)
    assert "Linux" in text
    assert "make bench-all" in text


def test_a_run_on_a_machine_that_was_not_fit_is_void() -> None:
    """A report says so, and no page is made of it."""
    assert VOID in plain_report(results(floor_p99_ms=11.0))
    with pytest.raises(BenchmarkError, match="void"):
        page.page(results(floor_p99_ms=11.0))


def test_a_generator_that_was_the_limit_is_named() -> None:
    """The figures are its own then."""
    busy = Results(Options(), {BENCHES[0].name: [{**ROUND, "busy": 0.9}]})
    assert f"80% of its core: {BENCHES[0].says}." in plain_report(busy)
    assert "of its core" not in plain_report(results())


# ------------------------------------------------------------------ processes


def test_a_process_is_seen_with_what_it_started() -> None:
    """This one is at the head of its own tree, and uses something."""
    assert tree(os.getpid())[0] == os.getpid()
    assert os.getpid() in tree(os.getppid())
    mine = usage([os.getpid()])
    assert mine.cpu_s > 0
    assert mine.rss_kb > 1000
    assert mine.fds > 2
    assert mine.threads >= 1


def test_a_process_that_has_ended_uses_nothing() -> None:
    """It may end between two looks."""
    assert usage([2**22 + 1]).rss_kb == 0


def test_a_server_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of what it wrote stands in the error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        pytest.raises(BenchmarkError, match="No such option"),
        serving(Kind(arguments=("--no-such-option",))),
    ):
        pass


# ------------------------------------------------------------------ the generator


def test_without_a_compiler_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any server is started."""
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(BenchmarkError, match="install one"):
        generator.build(tmp_path)


async def heard(line: BotLine) -> AsyncIterator[bytes]:
    """The audio of each frame of the caller's, until it hangs up."""
    while True:
        yield base64.b64decode((await line.next("media"))["media"]["payload"])


async def put(load: Load, url: str) -> Figures:
    """What the generator says of a bot."""
    command = [str(generator.build()), *load.arguments(int(url.rpartition(":")[2]))]
    return await asyncio.to_thread(generator.run, command, load.seconds)


async def cuts_anew(line: BotLine) -> None:
    """Returns all, in chunks of another size, with markers across their joints."""
    rest = b""
    async for audio in heard(line):
        rest += audio
        while len(rest) >= 149:
            await line.play(rest[:149])
            rest = rest[149:]


async def swallows(line: BotLine) -> None:
    """Returns every second frame."""
    swallow = False
    async for audio in heard(line):
        if not (swallow := not swallow):
            await line.play(audio)


async def stutters(line: BotLine) -> None:
    """Returns every frame twice."""
    async for audio in heard(line):
        await line.play(audio)
        await line.play(audio)


async def drops_the_first(line: BotLine) -> None:
    """Returns all, and closes the stream of the first call."""
    async for audio in heard(line):
        if line.stream_sid == "bench0":
            await line.socket.close()
            return
        await line.play(audio)


async def pauses(line: BotLine) -> None:
    """Speaks with a gap in the middle of each of two utterances."""
    speech = utterance(20)
    half = len(speech) // 2
    for _ in range(2):
        await line.play(speech[:half])
        await asyncio.sleep(0.4)  # 200 ms of speech, then 200 ms of nothing
        await line.play(speech[half:])
        await asyncio.sleep(0.4)
    await line.until_gone()


async def runs_ahead(line: BotLine) -> None:
    """Sends two seconds at once, and leaves out some frames in the middle."""
    speech = utterance(200)
    await line.play(speech[: 100 * FRAME_BYTES])
    await asyncio.sleep(0.3)
    await line.play(speech[110 * FRAME_BYTES :])
    await line.until_gone()


async def is_silent(line: BotLine) -> None:
    """Only listens."""
    await line.until_gone()


BOTS: dict[str, tuple[Bot, Load]] = {
    "pcm16": (cuts_anew, Load(3, 0.4, warm_up_s=0.1, rush=True)),
    "mulaw": (cuts_anew, Load(3, 0.4, warm_up_s=0.1, rush=True, mulaw=True)),
    "swallows": (swallows, Load(2, 0.4, warm_up_s=0.1, rush=True)),
    "stutters": (stutters, Load(1, 0.4, warm_up_s=0.1, rush=True)),
    "drops": (drops_the_first, Load(2, 0.4, warm_up_s=0.1, rush=True)),
    "pauses": (pauses, Load(1, 1.2, warm_up_s=0.0, talk=20, rush=True)),
    "runs ahead": (runs_ahead, Load(1, 1.5, warm_up_s=0.0, talk=200, rush=True)),
    "silent": (is_silent, Load(2, 0.4, warm_up_s=0.0, talk=20, rush=True)),
}
"""Bots, and what the generator does to each."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def measured() -> dict[str, Figures]:
    """What the generator says of each of them, all at once."""

    async def one(bot: Bot, load: Load) -> Figures:
        async with bot_server(bot) as url:
            return await put(load, url)

    found = await asyncio.gather(*(one(*each) for each in BOTS.values()))
    return dict(zip(BOTS, found, strict=True))


@needs_compiler
@pytest.mark.parametrize("encoding", ["pcm16", "mulaw"])
def test_audio_is_matched_however_it_is_cut(measured: dict[str, Figures], encoding: str) -> None:
    """Every frame is found."""
    figures = measured[encoding]
    assert figures["sent"] == figures["received"] == 3 * 20
    assert figures["lost"] == figures["strays"] == 0


@needs_compiler
def test_what_does_not_come_back_is_lost(measured: dict[str, Figures]) -> None:
    """Every second frame, of a bot that swallows those."""
    assert measured["swallows"]["sent"] == 2 * 20
    assert measured["swallows"]["lost"] == 2 * 10


@needs_compiler
def test_what_comes_back_twice_is_a_stray(measured: dict[str, Figures]) -> None:
    """And is not counted again."""
    assert measured["stutters"]["received"] == 20
    assert measured["stutters"]["strays"] == 20


@needs_compiler
def test_a_call_that_the_server_ends_is_lost_from_there(measured: dict[str, Figures]) -> None:
    """The others go on."""
    assert measured["drops"]["closed"] == 1
    assert measured["drops"]["lost"] == 20


@needs_compiler
def test_a_gap_in_the_speech_is_late_by_its_length(measured: dict[str, Figures]) -> None:
    """At the caller's ear, whose buffer had run dry; the first chunk of an utterance is not."""
    figures = measured["pauses"]
    assert figures["lost"] == 0
    assert 1 <= figures["gaps"] <= 2
    assert figures["max_ms"] > 100


@needs_compiler
def test_speech_that_comes_ahead_is_not_late(measured: dict[str, Figures]) -> None:
    """What was still to be played when a chunk came is told, and frames that are left out."""
    figures = measured["runs ahead"]
    assert figures["gaps"] == 0
    assert figures["lost"] == 10
    assert 0 < figures["slack_min_ms"] < 2000


@needs_compiler
def test_a_call_that_hears_nothing_has_lost_all(measured: dict[str, Figures]) -> None:
    """A silent bot is not a perfect one."""
    figures = measured["silent"]
    assert figures["silent"] == 2
    assert figures["lost"] == figures["sent"] == 2 * 20


@needs_compiler
async def test_a_server_that_takes_no_call_ends_the_run() -> None:
    """With what the server said."""
    closed = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    async with closed:
        with pytest.raises(BenchmarkError, match="handshake"):
            await put(Load(1, 0.4), f"ws://127.0.0.1:{port}")


@needs_compiler
def test_the_bridge_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five calls for a second through the real server: nothing is lost, and it costs something."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with serving(media.ROWS[0].with_room_for(5).kind) as server:
        figures = media.under_load(server, Load(5, 1.0, warm_up_s=0.2))
    assert figures["sent"] == figures["received"] == 5 * 50
    assert figures["us_per_pair"] > 0
    assert not list(tmp_path.iterdir()), "a run that went well leaves nothing"
