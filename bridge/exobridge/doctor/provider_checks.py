"""The providers of the templates in use: what they declare, without starting them."""

from __future__ import annotations

from collections.abc import Iterator

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok
from exobridge.templates import ProviderUse, Template, provider_uses
from exobridge_providers.base import SttProvider, TtsProvider, VadProvider, speaks
from exobridge_providers.registry import create


def look(case: Case) -> list[Finding]:
    """Each provider of each template in use, once."""
    findings: dict[Finding, None] = {}
    for name, template in case.in_use.items():
        for use in provider_uses(template):
            findings.update(dict.fromkeys(_use(name, template, use)))
    return list(findings)


def _use(name: str, template: Template, use: ProviderUse) -> Iterator[Finding]:
    try:
        provider = create(use.kind, use.name, use.options)
    except Exception as problem:  # a plugin's bug: the templates' loader has tried its options
        found = f"{use.kind} {use.name} cannot be made ({type(problem).__name__})"
        yield error("providers.installed", found, "Tell its author, or choose another.")
        return
    yield ok("providers.installed", f"{use.kind} {use.name} is installed and takes its options")
    rate = template.stream.sample_rate
    if isinstance(provider, SttProvider | TtsProvider):
        can = provider.capabilities
        yield _language(name, template.language, use, can.languages)
        yield _rate(use, rate, [each.sample_rate for each in can.formats])
    elif isinstance(provider, VadProvider):
        yield _rate(use, rate, list(provider.sample_rates))


def _language(name: str, tag: str, use: ProviderUse, known: frozenset[str]) -> Finding:
    if speaks(known, tag):
        return ok("providers.language", f"{use.kind} {use.name} knows {tag}")
    return error(
        "providers.language",
        f"{use.kind} {use.name} does not know {tag}, the language of {name}",
        f"In {name}.toml choose another {use.kind}.provider, or one of its languages: "
        f'language = "{min(known)}"',
    )


def _rate(use: ProviderUse, rate: int, rates: list[int]) -> Finding:
    if not rates:
        found = f"{use.kind} {use.name} declares no sample rate that it takes"
        return error("providers.rate", found, "Tell its author, or choose another.")
    if rate in rates:
        return ok("providers.rate", f"{use.kind} {use.name} works at {rate} Hz")
    found = f"{use.kind} {use.name} works at {rates[0]} Hz: the line's {rate} Hz is resampled"
    return info("providers.rate", found)
