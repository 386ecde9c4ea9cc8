"""What every provider's ``open`` asks of its config."""

from __future__ import annotations

from exobridge_providers.base.stt import SttCapabilities, SttConfig
from exobridge_providers.base.tts import TtsCapabilities, TtsConfig
from exobridge_providers.errors import ProviderConfigError


def speaks(languages: frozenset[str], tag: str) -> bool:
    """Whether a provider's ``languages`` cover a BCP-47 tag: none means any, ``en`` every
    ``en-…``. Case does not count."""
    known = {language.lower() for language in languages}
    wanted = tag.lower()
    return not known or wanted in known or wanted.partition("-")[0] in known


def check_config(
    config: SttConfig | TtsConfig,
    capabilities: SttCapabilities | TtsCapabilities,
    provider: str,
) -> None:
    """What ``open`` asks of its config: a declared format and a declared language.

    Raises:
        ProviderConfigError: The config asks for something else.
    """
    if config.format not in capabilities.formats:
        known = ", ".join(f"{f.encoding} at {f.sample_rate} Hz" for f in capabilities.formats)
        raise ProviderConfigError(
            f"{provider} does not take {config.format.encoding} at {config.format.sample_rate} Hz; "
            f"it takes {known}",
            provider=provider,
        )
    if not speaks(capabilities.languages, config.language):
        raise ProviderConfigError(
            f"{provider} does not know the language {config.language!r}; it knows "
            f"{', '.join(sorted(capabilities.languages))}. Choose another provider for it",
            provider=provider,
        )
