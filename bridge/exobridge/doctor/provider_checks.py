"""The providers of the templates in use: what they declare, without starting them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.templates import ProviderUse, Template, provider_uses
from exobridge_providers.base import SttProvider, TtsProvider, VadProvider, speaks
from exobridge_providers.registry import create, provider_class


def look(case: Case) -> list[Finding]:
    """Each provider of each template in use, once."""
    findings: dict[Finding, None] = {}
    for name, template in case.in_use.items():
        uses = provider_uses(template)
        for use in uses:
            others = [each for each in uses if each.table == use.table and each is not use]
            findings.update(dict.fromkeys(_use(name, template, use, others)))
    return list(findings)


def _use(
    name: str, template: Template, use: ProviderUse, others: list[ProviderUse]
) -> Iterator[Finding]:
    try:
        provider = create(use.kind, use.name, use.options)
    except Exception as problem:  # a plugin's bug: the templates' loader has tried its options
        found = f"{use.kind} {use.name} cannot be made ({type(problem).__name__})"
        yield error("providers.installed", found, "Tell its author, or choose another.")
        return
    yield ok("providers.installed", f"{use.kind} {use.name} is installed and takes its options")
    yield from _key(use)
    rate = template.stream.sample_rate
    if isinstance(provider, SttProvider | TtsProvider):
        can = provider.capabilities
        yield _language(name, template.language, use, can.languages, others)
        yield _rate(use, rate, [each.sample_rate for each in can.formats])
    elif isinstance(provider, VadProvider):
        yield _rate(use, rate, list(provider.sample_rates))


def _key(use: ProviderUse) -> Iterator[Finding]:
    if not (variable := key_variable(use)):
        return
    if os.environ.get(variable, "").strip():
        yield ok("providers.key", f"{use.kind} {use.name} has its key in {variable}")
        return
    found = f"{use.kind} {use.name} has no key: the environment variable {variable} is not set"
    cure = f"Put {variable}=… into the environment or .env; the option api_key_env names another."
    yield error("providers.key", found, cure)


def key_variable(use: ProviderUse) -> str:
    """Where a provider looks for its vendor's key; empty: it wants none."""
    option = provider_class(use.kind, use.name).options_type.model_fields.get("api_key_env")
    return "" if option is None else str(use.options.get("api_key_env", option.default))


def _language(
    name: str, tag: str, use: ProviderUse, known: frozenset[str], others: list[ProviderUse]
) -> Finding:
    if speaks(known, tag):
        return ok("providers.language", f"{use.kind} {use.name} knows {tag}")
    found = f"{use.kind} {use.name} does not know {tag}, the language of {name}"
    if any(_knows(other, tag) for other in others):
        cure = "Calls pass it over, unless the dialogue switches to a language that it knows."
        return warning("providers.language", found, cure)
    return error(
        "providers.language",
        found,
        f"In {name}.toml choose another {use.kind}.provider, or one of its languages: "
        f'language = "{min(known)}"',
    )


def _knows(use: ProviderUse, tag: str) -> bool:
    try:
        provider = create(use.kind, use.name, use.options)
    except Exception:  # it has a finding of its own
        return False
    if not isinstance(provider, SttProvider | TtsProvider):
        return False
    return speaks(provider.capabilities.languages, tag)


def _rate(use: ProviderUse, rate: int, rates: list[int]) -> Finding:
    if not rates:
        found = f"{use.kind} {use.name} declares no sample rate that it takes"
        return error("providers.rate", found, "Tell its author, or choose another.")
    if rate in rates:
        return ok("providers.rate", f"{use.kind} {use.name} works at {rate} Hz")
    found = f"{use.kind} {use.name} works at {rates[0]} Hz: the line's {rate} Hz is resampled"
    return info("providers.rate", found)
