"""The secrets: how hard they are to guess, and whether one serves for two things. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from pydantic import SecretStr

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.setting_checks import NEW_SECRET, is_loopback_url
from exobridge.settings import Settings

MIN_BITS = 64.0
"""Shannon's measure of a secret's own letters; a random one of 16 hexadecimal digits has about
55, one of ``secrets.token_urlsafe(32)`` about 200."""


def look(case: Case) -> list[Finding]:
    """Everything about the secrets of the settings."""
    settings = case.settings
    return [*_webhook(settings), *_strength(settings), *_shared(settings), *_exotel(case)]


def _webhook(settings: Settings) -> Iterator[Finding]:
    if settings.secret is not None:
        yield ok("secrets.webhook", "EXOBRIDGE_SECRET is set: only who has it is served")
    elif settings.allowed_networks:
        yield ok("secrets.webhook", "no secret is set: ALLOWED_NETWORKS decides who is served")
    elif settings.public_url and not is_loopback_url(settings.public_url):
        yield error("secrets.webhook", "a public URL is set and no secret", NEW_SECRET)
    else:
        found = "no secret is set: only this machine is served, and Exotel is not"
        yield info("secrets.webhook", found, NEW_SECRET)


def _strength(settings: Settings) -> Iterator[Finding]:
    ours = (
        ("EXOBRIDGE_SECRET", settings.secret),
        ("METRICS_TOKEN", settings.metrics_token),
        ("EXOBRIDGE_API_KEY", settings.api_key),
        *_named_keys(settings),
    )
    for name, secret in ours:
        if secret is None:
            continue
        if bits(secret.get_secret_value()) < MIN_BITS:
            cure = NEW_SECRET.replace("EXOBRIDGE_SECRET", name)
            yield warning("secrets.strength", f"{name} is easy to guess: few letters vary", cure)
        else:
            yield ok("secrets.strength", f"{name} is hard to guess")


def _named_keys(settings: Settings) -> list[tuple[str, SecretStr]]:
    return [(f"{key.name} of EXOBRIDGE_API_KEYS", key.secret) for key in settings.api_keys]


def bits(secret: str) -> float:
    """How many bits the letters of a secret vary by; an upper bound, as a word is easier to guess
    than its letters."""
    counts = Counter(secret).values()
    return -sum(count * math.log2(count / len(secret)) for count in counts)


def _shared(settings: Settings) -> Iterator[Finding]:
    named: tuple[tuple[str, SecretStr | None], ...] = (
        ("EXOBRIDGE_SECRET", settings.secret),
        ("METRICS_TOKEN", settings.metrics_token),
        ("EXOBRIDGE_API_KEY", settings.api_key),
        *_named_keys(settings),
        ("EXOTEL_API_KEY", settings.exotel_api_key),
        ("EXOTEL_API_TOKEN", settings.exotel_api_token),
    )
    by_value: dict[str, list[str]] = {}
    for name, secret in named:
        if secret is not None:
            by_value.setdefault(secret.get_secret_value(), []).append(name)
    for names in by_value.values():
        if names == ["EXOTEL_API_KEY", "EXOTEL_API_TOKEN"]:
            found = "EXOTEL_API_KEY and EXOTEL_API_TOKEN are the same: one was pasted twice"
            yield error(
                "secrets.shared", found, "Copy both anew from Exotel's page of API settings."
            )
        elif len(names) > 1:
            found = f"{' and '.join(names)} are the same: who learns one has the other"
            yield warning("secrets.shared", found, NEW_SECRET.replace("EXOBRIDGE_SECRET", names[0]))


def _exotel(case: Case) -> Iterator[Finding]:
    settings = case.settings
    if settings.exotel_api_key is None:
        yield info("secrets.exotel", "no key and token of Exotel's API: answering needs none")
        return
    if settings.exotel_sid is None:
        yield warning(
            "secrets.exotel",
            "EXOTEL_API_KEY is set and EXOTEL_SID is not: the API cannot be asked",
            "Set EXOTEL_SID to the account's SID, from Exotel's page of API settings.",
        )
        return
    pasted = {settings.exotel_sid} & set(settings.secrets())
    if pasted:
        yield error(
            "secrets.exotel",
            "EXOTEL_SID holds the key or the token",
            "Set EXOTEL_SID to the account's SID, from Exotel's page of API settings.",
        )
    else:
        yield ok("secrets.exotel", "key, token and SID are set")
