"""Which fake stands in for which plugin's vendor.

A package outside the tree names its own by an entry point, whose group is ``exobridge.fakes.`` and
the kind, and whose name is the provider's::

    [project.entry-points."exobridge.fakes.stt"]
    acme = "acme_exobridge.fake:CASE"
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from typing import Any

from exobridge_providers.base import Provider
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.fake_vendor import KEY_VARIABLE, FakeVendor


@dataclass(frozen=True, slots=True)
class VendorCase:
    """How a plugin is made to talk to the fake of its vendor.

    Attributes:
        kind, name: The plugin's, in the registry.
        fake: Makes the vendor.
        path: Of the endpoint at the fake; the plugin's ``url`` is the fake's with this behind it.
        language: A BCP-47 tag that the plugin knows.
        options: Further options of the plugin's: short waits, say.
    """

    kind: Kind
    name: str
    fake: Callable[[], FakeVendor]
    path: str
    language: str = "en-IN"
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def having(self, options: Mapping[str, Any]) -> VendorCase:
        """The same with further options of the plugin's."""
        return replace(self, options={**self.options, **options})

    def provider(self, vendor: FakeVendor, **options: Any) -> Provider:
        """The plugin, not yet started, pointed at a vendor that listens.

        Raises:
            ProviderConfigError: It does not take these options.
        """
        given = {
            "url": f"{vendor.url}{self.path}",
            "api_key_env": KEY_VARIABLE,
            **self.options,
            **options,
        }
        return create(self.kind, self.name, given)


@contextmanager
def key_in_environment(vendor: FakeVendor) -> Generator[None]:
    """Puts a fake's key where the plugin looks for it when it starts."""
    before = os.environ.get(KEY_VARIABLE)
    os.environ[KEY_VARIABLE] = vendor.key
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(KEY_VARIABLE, None)
        else:
            os.environ[KEY_VARIABLE] = before


_VENDORS = "exobridge_providers.testing.vendors"

BUILT_IN: dict[Kind, dict[str, str]] = {
    Kind.STT: {
        "elevenlabs": f"{_VENDORS}.elevenlabs_scribe:CASE",
        "deepgram": f"{_VENDORS}.deepgram_nova:CASE",
        "deepgram-flux": f"{_VENDORS}.deepgram_flux:CASE",
        "soniox": f"{_VENDORS}.soniox_stt:CASE",
        "assemblyai": f"{_VENDORS}.assemblyai:CASE",
        "sarvam": f"{_VENDORS}.sarvam_realtime:CASE",
        "sarvam-legacy": f"{_VENDORS}.sarvam_legacy:CASE",
    },
    Kind.TTS: {
        "openai": f"{_VENDORS}.openai_speech:CASE",
        "elevenlabs": f"{_VENDORS}.elevenlabs_tts:CASE",
        "deepgram": f"{_VENDORS}.deepgram_aura:CASE",
        "deepgram-flux": f"{_VENDORS}.deepgram_flux_tts:CASE",
        "cartesia": f"{_VENDORS}.cartesia_tts:CASE",
        "smallest": f"{_VENDORS}.smallest_tts:CASE",
        "sarvam": f"{_VENDORS}.sarvam_bulbul:CASE",
    },
}


def case(kind: Kind, name: str) -> VendorCase | None:
    """The case of a plugin; ``None``: it has none, for it works without a vendor, or its package
    brings no fake.

    Raises:
        ImportError: Its module cannot be imported.
    """
    target = BUILT_IN.get(kind, {}).get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        found = getattr(importlib.import_module(module), attribute)
    else:
        entries = list(entry_points(group=f"exobridge.fakes.{kind}").select(name=name))
        if not entries:
            return None
        found = entries[0].load()
    assert isinstance(found, VendorCase), f"{target or name} is no VendorCase"
    return found


def cases(kind: Kind) -> list[VendorCase]:
    """Those of the built-in plugins."""
    return [found for name in BUILT_IN.get(kind, {}) if (found := case(kind, name)) is not None]
