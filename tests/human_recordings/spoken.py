"""The prompts as callers: what of their words is understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from exobridge_providers.base import SttProvider
from exobridge_providers.denoise import WebrtcDenoiser
from exobridge_providers.vad.silero_model import SileroModel
from tests.human_recordings.chain import hear
from tests.human_recordings.prompts import Prompt, prompts
from tests.human_recordings.sounds import in_pink_noise
from tests.human_recordings.wording import WordErrors, word_errors, words_of

MOST_ERRORS = 0.08
"""Highest word error rate of all prompts together."""
IN_NOISE = 12
"""Of so many prompts one is tried in noise too."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A noise, and what is done about it.

    Attributes:
        says: In words.
        snr_db: How much softer the noise is than the voice (RMS).
        denoise: Whether it is suppressed.
    """

    says: str
    snr_db: float
    denoise: bool


SETTINGS: Mapping[str, Setting] = {
    f"{snr}{'-denoised' if denoise else ''}": Setting(
        f"{snr} dB{', denoised' if denoise else ''}", snr, denoise
    )
    for snr in (20, 10, 5)
    for denoise in (False, True)
}


@dataclass(frozen=True, slots=True)
class Understood:
    """One prompt.

    Attributes:
        said: Its words, and those ``heard``.
        errors: The difference.
        segments: How many pieces the turn policy cut it into.
    """

    name: str
    said: str
    heard: str
    errors: WordErrors
    segments: int


async def understand(
    provider: SttProvider,
    model: SileroModel,
    prompt: Prompt,
    *,
    through: Callable[[bytes], bytes] = lambda pcm: pcm,
    clean: Callable[[bytes], bytes] | None = None,
) -> Understood:
    """One call by one prompt.

    Args:
        through: What happens to the sound before it reaches the line.
        clean: The host's noise suppression.
    """
    heard = await hear(provider, model, through(prompt.pcm()), clean=clean)
    said, found = words_of(prompt.said), words_of(heard.text)
    return Understood(
        prompt.name, " ".join(said), " ".join(found), word_errors(said, found), len(heard.segments)
    )


async def understand_all(provider: SttProvider, every: int = 1) -> list[Understood]:
    """One call by each prompt, or by one of so many."""
    model = SileroModel()
    return [await understand(provider, model, prompt) for prompt in prompts()[::every]]


async def understand_in_noise(provider: SttProvider, setting: Setting) -> list[Understood]:
    """One call by each prompt of the sample."""
    model = SileroModel()
    return [
        await understand(
            provider,
            model,
            prompt,
            through=lambda pcm: in_pink_noise(pcm, setting.snr_db),
            clean=WebrtcDenoiser() if setting.denoise else None,
        )
        for prompt in _sample()
    ]


def _sample() -> Sequence[Prompt]:
    return prompts()[::IN_NOISE]


def total(understood: Iterable[Understood]) -> WordErrors:
    """The errors of all."""
    return sum((each.errors for each in understood), WordErrors())
