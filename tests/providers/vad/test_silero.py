"""Voice activity in batches, with the real network and with ones that fail or block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import numpy as np
import pytest

from exobridge_codecs.pcm import to_float
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.vad.lanes import Lane, Window
from exobridge_providers.vad.session import SileroSession
from exobridge_providers.vad.silero import Batcher, SileroOptions, SileroVad
from exobridge_providers.vad.silero_model import SileroModel, new_state
from tests.providers.conftest import Speech

pytestmark = pytest.mark.speech

FRAME_BYTES = 320
WINDOW_BYTES = 512
SENTENCE = "Hello, I would like to know where my order is."


class Call:
    """A session and all it reported."""

    def __init__(self) -> None:
        self.results: list[tuple[float, float]] = []
        self.failures: list[ProviderError] = []

    def on_voice(self, end_ms: float, probability: float) -> None:
        """Note a result."""
        self.results.append((end_ms, probability))

    def has(self, count: int) -> bool:
        """Whether so many results came."""
        return len(self.results) == count

    @property
    def ends(self) -> list[float]:
        """Milliseconds."""
        return [end_ms for end_ms, _ in self.results]


def _one_by_one(model: SileroModel, pcm: bytes, sample_rate: int) -> list[float]:
    """What the network says of a stream alone, window by window."""
    size, before = sample_rate * 32 // 1000, sample_rate * 4 // 1000
    samples = np.concatenate((np.zeros(before, np.float32), to_float(pcm)))
    state, probabilities = new_state(), list[float]()
    for start in range(0, len(samples) - before - size + 1, size):
        window = samples[None, start : start + before + size]
        probability, state = model.run(window, state, sample_rate)
        probabilities.append(float(probability[0]))
    return probabilities


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - results are plain calls, there is no event to wait for
            await asyncio.sleep(0.002)


@asynccontextmanager
async def _provider(options: SileroOptions) -> AsyncGenerator[SileroVad]:
    provider = SileroVad(options)
    await provider.start()
    yield provider
    await provider.aclose()


@pytest.mark.parametrize("sample_rate", [8000, 16_000])
async def test_a_batch_of_fifty_says_what_each_would_say_alone(
    silero: SileroModel, speech: Speech, sample_rate: int
) -> None:
    """Fifty calls, each at another place of the sentence, in batches of at most 32."""
    whole = speech(SENTENCE, sample_rate) * 2
    frame = FRAME_BYTES * sample_rate // 8000
    starts = [index * frame for index in range(50)]
    assert len(whole) > starts[-1] + 40 * frame
    async with _provider(SileroOptions(interval_ms=1, max_batch=32, backlog_ms=10_000)) as vad:
        calls = [Call() for _ in starts]
        sessions = [vad.open(sample_rate, call.on_voice, call.failures.append) for call in calls]
        for offset in range(0, 40 * frame, frame):
            for session, start in zip(sessions, starts, strict=True):
                session.send(whole[start + offset : start + offset + frame])
            await asyncio.sleep(0.001)
        await _until(lambda: all(len(call.results) == 25 for call in calls))  # 800 ms
        for session in sessions:
            session.close()
    for call, start in zip(calls, starts, strict=True):
        alone = _one_by_one(silero, whole[start : start + 40 * frame], sample_rate)
        assert call.ends == [32.0 * (number + 1) for number in range(25)]
        assert np.allclose([each for _, each in call.results], alone, atol=1e-3)
        assert not call.failures


async def test_a_new_call_starts_without_the_memory_of_an_old_one(
    silero: SileroModel, speech: Speech
) -> None:
    """A place in the arrays is used again, its state is not."""
    audio = speech(SENTENCE, 8000)[: 20 * WINDOW_BYTES]
    async with _provider(SileroOptions(interval_ms=1)) as vad:
        calls = [Call(), Call()]
        for call in calls:
            session = vad.open(8000, call.on_voice, call.failures.append)
            session.send(audio)
            await _until(partial(call.has, 20))
            session.close()
    assert calls[0].results == calls[1].results
    alone = _one_by_one(silero, audio, 8000)
    assert np.allclose([each for _, each in calls[1].results], alone, atol=1e-3)


async def test_calls_of_both_rates_are_served_together(speech: Speech) -> None:
    """A batch holds one rate; neither starves."""
    async with _provider(SileroOptions(interval_ms=1, max_batch=2)) as vad:
        calls = {rate: [Call() for _ in range(3)] for rate in (8000, 16_000)}
        for rate, group in calls.items():
            for call in group:
                session = vad.open(rate, call.on_voice, call.failures.append)
                session.send(speech(SENTENCE, rate)[:rate])  # half a second
        await _until(
            lambda: all(len(each.results) == 15 for group in calls.values() for each in group)
        )
        for group in calls.values():
            for call in group:
                assert max(probability for _, probability in call.results) > 0.5


class Gate:
    """An inference that blocks until it is let through, and says 0.25 to everything."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.batches: list[list[Window]] = []

    def __call__(self, lane: Lane, windows: Sequence[Window], /) -> list[float]:
        self.batches.append(list(windows))
        self.entered.set()
        self.open.wait(10)
        return [0.25] * len(windows)


def _open(batcher: Batcher, call: Call) -> SileroSession:
    return batcher.open(8000, call.on_voice, call.failures.append)


async def test_a_backlog_drops_the_oldest_and_keeps_the_time_right() -> None:
    """While the network is stuck two seconds come; the last 200 ms are judged, at their time, and
    as a stream that starts anew."""
    gate, call = Gate(), Call()
    batcher = Batcher(gate, SileroOptions(interval_ms=1, backlog_ms=200))
    session = _open(batcher, call)
    session.send(bytes(WINDOW_BYTES))
    await asyncio.to_thread(gate.entered.wait)
    for _ in range(100):
        session.send(bytes(FRAME_BYTES))
    gate.open.set()
    await _until(lambda: bool(call.ends) and call.ends[-1] > 2000)
    assert call.ends[0] == 32
    assert call.ends[-1] == 2016  # of 2032 ms sent, in whole windows
    assert len(call.ends) <= 1 + 7
    assert np.allclose(np.diff(call.ends[1:]), 32)
    fresh = [window.fresh for [window] in gate.batches]
    assert fresh == [True, True, *[False] * (len(fresh) - 2)]
    await batcher.aclose()


async def test_no_result_comes_after_close_even_from_a_batch_under_way() -> None:
    """The other call of the same batch gets its own."""
    gate, closed, kept = Gate(), Call(), Call()
    batcher = Batcher(gate, SileroOptions(interval_ms=5))
    sessions = [_open(batcher, closed), _open(batcher, kept)]
    for session in sessions:
        session.send(bytes(WINDOW_BYTES))
    await asyncio.to_thread(gate.entered.wait)
    sessions[0].close()
    gate.open.set()
    await _until(lambda: bool(kept.results))
    assert len(gate.batches) == 1
    assert len(gate.batches[0]) == 2
    assert closed.results == []
    await batcher.aclose()


async def test_a_failing_inference_is_told_once_to_every_open_call() -> None:
    """Also to those that were not in the batch; a call opened later is served again."""
    broken = True

    def infer(lane: Lane, windows: Sequence[Window], /) -> list[float]:
        if broken:
            raise RuntimeError("secret")
        return [0.5] * len(windows)

    batcher = Batcher(infer, SileroOptions(interval_ms=1))
    calls = [Call(), Call()]
    sessions = [_open(batcher, call) for call in calls]
    sessions[0].send(bytes(3 * WINDOW_BYTES))
    await _until(lambda: all(call.failures for call in calls))
    for session in sessions:
        session.send(bytes(WINDOW_BYTES))
    broken = False
    later = Call()
    _open(batcher, later).send(bytes(2 * WINDOW_BYTES))
    await _until(lambda: len(later.results) == 2)
    for call in calls:
        [error] = call.failures
        assert "secret" not in str(error)
        assert error.provider == "silero"
        assert call.results == []
    await batcher.aclose()


async def test_a_receiver_that_fails_costs_only_itself() -> None:
    """Its error goes to the loop's handler; the call beside it gets its results."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: reported.append(context.get("exception"))
    )
    error = ValueError("a bug of the host")

    def fail(end_ms: float, probability: float) -> None:
        raise error

    gate = Gate()
    gate.open.set()
    batcher = Batcher(gate, SileroOptions(interval_ms=1))
    good = Call()
    batcher.open(8000, fail, list[ProviderError]().append).send(bytes(WINDOW_BYTES))
    _open(batcher, good).send(bytes(WINDOW_BYTES))
    await _until(lambda: bool(good.results))
    assert reported == [error]
    await batcher.aclose()


async def test_windows_of_a_tick_go_through_together_in_bounded_batches() -> None:
    """Seven calls, at most three windows at once: three batches without a pause between."""
    gate = Gate()
    gate.open.set()
    batcher = Batcher(gate, SileroOptions(interval_ms=5, max_batch=3))
    calls = [Call() for _ in range(7)]
    for call in calls:
        _open(batcher, call).send(bytes(WINDOW_BYTES))
    await _until(lambda: all(call.results for call in calls))
    assert [len(batch) for batch in gate.batches] == [3, 3, 1]
    await batcher.aclose()


async def test_a_call_that_is_behind_catches_up_without_waiting_for_the_timer() -> None:
    """Sixty windows that wait are one tick's work; at one a tick they would take twelve seconds,
    longer than the ten that this waits."""
    gate, call = Gate(), Call()
    gate.open.set()
    batcher = Batcher(gate, SileroOptions(interval_ms=200, backlog_ms=2000))
    _open(batcher, call).send(bytes(60 * WINDOW_BYTES))
    await _until(partial(call.has, 60))
    assert len(gate.batches) == 60
    await batcher.aclose()


async def test_nothing_runs_while_there_is_nothing_to_do() -> None:
    """No timer is set without a whole window, and no thread stays after the end."""
    gate, call = Gate(), Call()
    before = {thread.ident for thread in threading.enumerate()}
    batcher = Batcher(gate, SileroOptions(interval_ms=1))
    session = _open(batcher, call)
    session.send(bytes(WINDOW_BYTES - 2))
    await asyncio.sleep(0.02)
    assert gate.batches == []
    session.send(bytes(2))
    session.close()  # what was due is not due any more
    await asyncio.sleep(0.02)
    assert gate.batches == []
    await batcher.aclose()
    left = [thread.name for thread in threading.enumerate() if thread.ident not in before]
    assert not [name for name in left if name.startswith("exobridge")]


async def test_other_rates_and_a_provider_not_started_are_refused() -> None:
    """Each with the reason."""
    call = Call()
    with pytest.raises(ProviderConfigError, match="not started"):
        SileroVad(SileroOptions()).open(8000, call.on_voice, call.failures.append)
    async with _provider(SileroOptions()) as vad:
        with pytest.raises(ProviderConfigError, match="24000"):
            vad.open(24_000, call.on_voice, call.failures.append)
