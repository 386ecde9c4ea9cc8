"""What a plugin does with the options that all plugins of vendors have."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import Kind
from exobridge_providers.testing.conformance.stage import SENTENCE, Stage
from exobridge_providers.testing.conformance.watch import until
from exobridge_providers.testing.contract.promises import promise
from exobridge_providers.testing.fake_vendor import FakeVendor
from exobridge_providers.vendor import VendorOptions

PARAMETER = "exobridge_extra"
VALUE = "sent-as-it-is"


async def extra(stage: Stage) -> None:
    """A parameter that neither knows is sent. A vendor may refuse it: that is the user's affair."""
    options = getattr(stage.provider, "options", None)
    if not isinstance(options, VendorOptions):
        return
    options.extra[PARAMETER] = VALUE
    vendor = stage.vendor
    with suppress(ProviderError):
        await _use(stage)
    promise(_came(vendor), "extra is sent to the vendor, in the query or in a message")
    await until(lambda: not vendor.open_connections, stage.limit_seconds)
    vendor.violations.clear()


async def _use(stage: Stage) -> None:
    """Until the parameter has come, or all has been said without it."""
    came, limit = partial(_came, stage.vendor), stage.limit_seconds
    if stage.kind is Kind.STT:
        hearing = await stage.hear()
        hearing.ask(SENTENCE)
        await until(lambda: came() or hearing.over or bool(hearing.answers), limit)
        await hearing.aclose()
    else:
        speaking = await stage.speak()
        await speaking.say("extra", SENTENCE)
        await until(lambda: came() or speaking.over or speaking.is_done("extra"), limit)
        await speaking.aclose()


def _came(vendor: FakeVendor) -> bool:
    if any(VALUE in each.query.get(PARAMETER, ()) for each in tuple(vendor.connections)):
        return True
    texts = (message for _, message in tuple(vendor.received) if isinstance(message, str))
    return any(PARAMETER in text and VALUE in text for text in texts)
