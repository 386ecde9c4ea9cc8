"""Lines rendered ahead, with the fake text-to-speech provider, on a loop whose clock jumps."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exobridge.call.failover.circuits import provider_key
from exobridge.call.prompts import HURRY_SECONDS, RENDER_SECONDS, Prompts
from exobridge.provider_pool import ProviderPool
from exobridge.templates.models import Template
from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import rms_dbfs
from exobridge_providers.base import (
    TtsCapabilities,
    TtsConfig,
    TtsProvider,
    TtsSession,
)
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeTts, FakeTtsSession
from tests.virtual_time import virtual_time

FAKE = "exobridge_providers.testing.fakes:FakeTts"
TEXT = "Hello, how can I help you?"


class CrashingTts(TtsProvider):
    """A provider with a bug. Unrealistic in that it fails at the first step, always."""

    capabilities = TtsCapabilities(formats=(pcm16(8000),))

    async def open(self, config: TtsConfig) -> TtsSession:
        raise ZeroDivisionError("secret words")


class ClingingSession(FakeTtsSession):
    """A session that never closes. Unrealistic in that nothing else is wrong with it."""

    async def aclose(self) -> None:
        await super().aclose()
        await asyncio.Event().wait()


class ClingingTts(FakeTts):
    """A provider of such sessions."""

    async def open(self, config: TtsConfig) -> TtsSession:
        return ClingingSession(self._options, config)


class Studio:
    """Prompts, and the provider behind them."""

    def __init__(self, prompts: Prompts, pool: ProviderPool) -> None:
        self.prompts = prompts
        self.pool = pool

    async def provider(self, template: Template) -> FakeTts:
        return await self.pool.get(Kind.TTS, template.tts.provider, template.tts.options, FakeTts)

    async def sessions(self, template: Template) -> int:
        return len((await self.provider(template)).sessions)


@asynccontextmanager
async def studio(max_bytes: int = 10_000_000) -> AsyncGenerator[Studio]:
    pool = ProviderPool()
    prompts = Prompts(pool, max_bytes)
    yield Studio(prompts, pool)
    await prompts.aclose()
    await pool.aclose()


def template(provider: str = FAKE, language: str = "en-IN", **options: Any) -> Template:
    return Template.model_validate(
        {"language": language, "tts": {"provider": provider, "options": options}}
    )


@virtual_time
async def test_a_line_is_rendered_once_and_then_ready() -> None:
    """At the line's rate, though the provider makes another."""
    async with studio() as s:
        tts = template(sample_rates=[24000])
        assert s.prompts.ready(tts, TEXT, 8000) is None
        audio = await s.prompts.render(tts, TEXT, 8000)
        assert len(audio) == len(TEXT) * 60 * 16
        assert rms_dbfs(audio) > -20
        assert s.prompts.ready(tts, TEXT, 8000) is audio
        assert await s.prompts.render(tts, TEXT, 8000) is audio
        assert await s.sessions(tts) == 1
        assert s.prompts.wanted == {"rendered": 1, "cached": 2, "failed": 0}
        assert s.prompts.characters == {FAKE: len(TEXT)}
        assert s.prompts.kept_bytes == len(audio)


@virtual_time
async def test_however_many_ask_at_once_it_is_rendered_once() -> None:
    """All get the same audio."""
    async with studio() as s:
        tts = template(delay_ms=500)
        lines = [s.prompts.render(tts, TEXT, 8000) for _ in range(20)]
        audios = await asyncio.gather(*lines)
        assert all(audio is audios[0] for audio in audios)
        assert await s.sessions(tts) == 1


@virtual_time
async def test_whoever_goes_takes_the_line_from_nobody() -> None:
    """A call that hangs up does not cancel what another waits for."""
    async with studio() as s:
        tts = template(delay_ms=500)
        first, second = (asyncio.create_task(s.prompts.render(tts, TEXT, 8000)) for _ in range(2))
        await asyncio.sleep(0.1)
        first.cancel()
        assert await second
        assert first.cancelled()
        assert await s.sessions(tts) == 1


@virtual_time
async def test_a_line_is_another_line_in_another_voice() -> None:
    """Text, rate, language, provider and its options: each makes a line of its own."""
    async with studio() as s:
        tts = template()
        await s.prompts.render(tts, TEXT, 8000)
        assert s.prompts.ready(tts, "Goodbye.", 8000) is None
        assert s.prompts.ready(tts, TEXT, 16000) is None
        assert s.prompts.ready(template(language="hi-IN"), TEXT, 8000) is None
        assert s.prompts.ready(template(frequency_hz=300), TEXT, 8000) is None


@virtual_time
async def test_the_cache_is_bounded_in_bytes() -> None:
    """The line that was not used for longest goes first; one that is too big is not kept."""
    async with studio(max_bytes=3 * 10 * 60 * 16) as s:
        tts = template()
        for letter in "abc":
            await s.prompts.render(tts, letter * 10, 8000)
        assert s.prompts.ready(tts, "a" * 10, 8000)
        await s.prompts.render(tts, "d" * 10, 8000)
        kept = [letter for letter in "abcd" if s.prompts.ready(tts, letter * 10, 8000)]
        assert kept == ["a", "c", "d"]
        assert len(await s.prompts.render(tts, "e" * 31, 8000)) == 31 * 60 * 16
        assert s.prompts.ready(tts, "e" * 31, 8000) is None


@virtual_time
@pytest.mark.parametrize("fault", ["die", "trouble"])
async def test_a_failure_is_not_cached(fault: str) -> None:
    """All who waited are told; the next who asks has it rendered anew."""
    async with studio() as s:
        tts = template(fault=fault)
        lines = [s.prompts.render(tts, TEXT, 8000) for _ in range(3)]
        failures = await asyncio.gather(*lines, return_exceptions=True)
        assert all(isinstance(failure, ProviderUnavailableError) for failure in failures)
        assert s.prompts.ready(tts, TEXT, 8000) is None
        with pytest.raises(ProviderUnavailableError):
            await s.prompts.render(tts, TEXT, 8000)
        assert await s.sessions(tts) == 2
        assert s.prompts.wanted == {"rendered": 0, "cached": 0, "failed": 2}
        assert not s.prompts.characters


@virtual_time
async def test_a_provider_that_says_nothing_is_given_up() -> None:
    """After 15 s, as an error that may pass."""
    async with studio() as s:
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ProviderUnavailableError, match="no audio within 15 s") as caught:
            await s.prompts.render(template(fault="hang"), TEXT, 8000)
        assert asyncio.get_running_loop().time() - begun == pytest.approx(RENDER_SECONDS)
        assert caught.value.provider == FAKE
        assert caught.value.retryable


@virtual_time
async def test_a_failure_that_nobody_waits_for_any_more_is_no_trouble() -> None:
    """The task's exception is looked at, and the loop has nothing to complain of."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    async with studio() as s:
        waiting = asyncio.create_task(s.prompts.render(template(fault="hang"), TEXT, 8000))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(RENDER_SECONDS)
        del waiting
        gc.collect()
        assert complaints == []


@virtual_time
async def test_a_bug_in_a_provider_is_a_providers_failure() -> None:
    """Its own message, which may hold anything, is not repeated."""
    async with studio() as s:
        name = f"{__name__}:CrashingTts"
        with pytest.raises(ProviderError, match="ZeroDivisionError") as caught:
            await s.prompts.render(template(provider=name), TEXT, 8000)
        assert "secret" not in str(caught.value)


@virtual_time
@pytest.mark.parametrize(
    ("language", "options"),
    [("en-IN", {"sample_rates": []}), ("hi-IN", {"languages": ["en"]}), ("en-IN", {"pitch": 3})],
)
async def test_what_a_provider_cannot_do_is_told(language: str, options: dict[str, Any]) -> None:
    """No PCM16, another language, an unknown option."""
    async with studio() as s:
        with pytest.raises(ProviderError):
            await s.prompts.render(template(language=language, **options), TEXT, 8000)


@virtual_time
async def test_a_session_that_does_not_close_costs_no_line() -> None:
    """The audio is there, a little later."""
    async with studio() as s:
        name = f"{__name__}:ClingingTts"
        assert await s.prompts.render(template(provider=name), TEXT, 8000)


@virtual_time
async def test_halved_samples_are_no_noise() -> None:
    """A provider that cuts samples in two loses them, and nothing else."""
    async with studio() as s:
        audio = await s.prompts.render(template(fault="odd", sample_rates=[8000]), TEXT, 8000)
        clean = await s.prompts.render(template(sample_rates=[8000]), TEXT, 8000)
        assert rms_dbfs(audio) == pytest.approx(rms_dbfs(clean), abs=0.1)


@virtual_time
async def test_closing_stops_what_is_rendered() -> None:
    """No task is left, and who waits is told by cancellation."""
    pool = ProviderPool()
    prompts = Prompts(pool)
    waiting = asyncio.create_task(prompts.render(template(fault="hang"), TEXT, 8000))
    await asyncio.sleep(1)
    await prompts.aclose()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await pool.aclose()


class SpareTts(FakeTts):
    """Another name for the fake."""


SPARE = "tests.call.test_prompts:SpareTts"


def two(first: dict[str, Any], second: dict[str, Any] | None = None) -> Template:
    """A template with two providers."""
    options = {FAKE: first, SPARE: second or {}}
    return Template.model_validate({"tts": {"provider": f"{FAKE},{SPARE}", "options": options}})


@virtual_time
async def test_a_line_is_rendered_by_the_first_provider_that_works() -> None:
    """One that fails, or takes long, is not waited for; what another made is kept as well."""
    for options, limit_s in (({"fault": "open"}, 0.0), ({"fault": "hang"}, HURRY_SECONDS)):
        async with studio() as s:
            tts = two(options)
            begun = asyncio.get_running_loop().time()
            audio = await s.prompts.render(tts, TEXT, 8000)
            assert asyncio.get_running_loop().time() - begun == pytest.approx(limit_s, abs=0.01)
            assert s.prompts.ready(tts, TEXT, 8000) is audio
            assert s.prompts.characters == {SPARE: len(TEXT)}
            assert s.prompts.wanted == {"rendered": 1, "cached": 1, "failed": 0}


@virtual_time
async def test_when_nobody_can_render_a_line_the_last_ones_error_is_told() -> None:
    """All were asked."""
    async with studio() as s:
        with pytest.raises(ProviderUnavailableError) as caught:
            await s.prompts.render(two({"fault": "hang"}, {"fault": "hang"}), TEXT, 8000)
        assert str(caught.value) == f"no audio within {RENDER_SECONDS:.0f} s"


@virtual_time
async def test_a_provider_whose_circuit_is_open_is_asked_last() -> None:
    """Three lines find out, the fourth goes to the other at once."""
    async with studio() as s:
        tts = two({"fault": "hang"})
        for number in range(3):
            await s.prompts.render(tts, f"{number}", 8000)
        begun = asyncio.get_running_loop().time()
        await s.prompts.render(tts, TEXT, 8000)
        assert asyncio.get_running_loop().time() - begun < 0.1


@virtual_time
async def test_a_provider_that_is_well_again_renders_its_lines_anew() -> None:
    """Until then the other's are said."""
    async with studio() as s:
        tts = two({"sample_rates": [8000]})
        first = tts.tts.choices()[0]
        key = provider_key(Kind.TTS, first.name, first.options)
        s.pool.circuits.failed(key, ProviderAuthError("no"))
        spare = await s.prompts.render(tts, TEXT, 8000)
        assert s.prompts.ready(tts, TEXT, 8000) is spare
        assert s.prompts.characters == {SPARE: len(TEXT)}
        await asyncio.sleep(40)
        assert s.prompts.ready(tts, TEXT, 8000) is spare
        await asyncio.sleep(0.1)
        own = s.prompts.ready(tts, TEXT, 8000)
        assert own is not None
        assert own is not spare
        assert s.prompts.characters == {SPARE: len(TEXT), FAKE: len(TEXT)}
        assert s.prompts.kept_bytes == len(own) + len(spare)


@virtual_time
async def test_a_provider_that_does_not_know_the_language_is_not_at_fault() -> None:
    """It is passed over, and not asked for this language again."""
    async with studio() as s:
        tts = two({"languages": ["hi"]})
        for number in range(4):
            audio = await s.prompts.render(tts, f"{number}", 8000)
            assert s.prompts.ready(tts, f"{number}", 8000) is audio
        await asyncio.sleep(0.1)
        assert s.prompts.wanted == {"rendered": 4, "cached": 4, "failed": 0}
        first = tts.tts.choices()[0]
        key = provider_key(Kind.TTS, first.name, first.options)
        assert s.pool.circuits.of(key).admits(asyncio.get_running_loop().time())


@virtual_time
async def test_each_of_several_voices_is_its_providers() -> None:
    """Lines are kept by voice."""
    async with studio() as s:
        plain = two({})
        voiced = plain.model_copy(update={"tts": plain.tts.model_copy(update={"voice": "asha"})})
        await s.prompts.render(plain, TEXT, 8000)
        assert s.prompts.ready(voiced, TEXT, 8000) is None
