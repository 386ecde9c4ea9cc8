"""What the value of an environment variable must look like. Pure; each raises with a cure."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from exobridge.addresses import Network, read_networks
from exobridge.api_keys import ApiKey, read_keys
from exobridge.errors import ConfigError
from exobridge.numbers import NumberBook
from exobridge.provider_names import (
    dialogue_kind,
    known_names,
    listed,
    may_be_named,
    provider_list,
)
from exobridge.recordings.rules import Rules, read_rules
from exobridge.validation import wrong
from exobridge.webhooks.types import WEBHOOK_EVENTS
from exobridge_providers.dialogue.webhook_signature import signing_key
from exobridge_providers.registry import Kind

NEW_SECRET = (
    "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
    " and set EXOBRIDGE_SECRET to it."
)
MIN_SECRET_CHARS = 16
MAX_PUBLIC_URL_CHARS = 200
"""Exotel takes stream URLs of fewer than 600 characters; path and token need the rest."""

DATABASE_FILE = "exobridge.sqlite3"

CALLS_PER_WORKER = 100
"""A worker uses one core."""


def credential(value: SecretStr) -> SecretStr:
    """Part of an HTTP Basic header: printable ASCII, no space, no colon."""
    if not re.fullmatch(r"[!-9;-~]+", value.get_secret_value()):
        raise wrong(
            "holds characters that no Exotel credential has",
            "Copy it anew from Exotel's page of API settings.",
        )
    return value


def identifier(value: str) -> str:
    """One step of a URL's path at Exotel."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", value):
        raise wrong(
            "holds more than letters, digits, - and _",
            "Copy it anew from Exotel's dashboard, without quotes or URL.",
        )
    return value


def number_book(value: object) -> NumberBook:
    """``number=template`` pairs; a book that is one already stays as it is."""
    if isinstance(value, NumberBook):
        return value
    try:
        return NumberBook.parse(str(value))
    except ConfigError as error:
        problem, cure = error.problem, error.cure
    raise wrong(problem, cure)


def public_url(value: str) -> str:
    """An https URL, a path prefix allowed; without the slash at its end."""
    if problem := _url_problem(value):
        raise wrong(problem, "Write it like EXOBRIDGE_PUBLIC_URL=https://bot.example.com")
    return value.rstrip("/")


EXOTEL_REGIONS = {
    "singapore": "https://api.exotel.com",
    "mumbai": "https://api.in.exotel.com",
}
"""Exotel's API, by the region of the account."""


def exotel_api_url(value: str) -> str:
    """A region's name, or an https URL; the URL. Credentials are sent there."""
    if region := EXOTEL_REGIONS.get(value.lower()):
        return region
    if problem := _url_problem(value):
        raise wrong(
            problem,
            "Write it like EXOTEL_API_URL=mumbai, or singapore, or https://api.in.exotel.com.",
        )
    return value.rstrip("/")


def _url_problem(value: str) -> str:
    """Why this is no plain URL by https, which is not asked of loopback hosts; empty: it is one."""
    url = _split(value)
    if url is None or not url.hostname or url.scheme not in ("http", "https"):
        return "is no https URL"
    if "@" in url.netloc:
        return "holds a user's name or password"
    if url.query or url.fragment or "?" in value or "#" in value:
        return "holds more than scheme, host and path"
    if url.scheme == "http" and not is_loopback(url.hostname):
        return "is plain http, which is for loopback hosts only"
    if len(value) > MAX_PUBLIC_URL_CHARS:
        return f"is longer than {MAX_PUBLIC_URL_CHARS} characters"
    return ""


def is_loopback_url(url: str) -> bool:
    """Whether the host of this checked URL is this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def is_loopback(name: str) -> bool:
    """``localhost``, ``127.0.0.0/8`` or ``::1``."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult | None:
    if not re.fullmatch(r"[!-~]+", value):
        return None
    try:
        url = urlsplit(value)
        _ = url.port  # parsed, and refused, only when it is asked for
    except ValueError:
        return None
    return url


def secret(value: SecretStr) -> SecretStr:
    """Long enough not to be guessed, and fit to stand in a URL as it is."""
    text = value.get_secret_value()
    if len(text) < MIN_SECRET_CHARS:
        raise wrong(f"is shorter than {MIN_SECRET_CHARS} characters", NEW_SECRET)
    if not re.fullmatch(r"[A-Za-z0-9_.~-]+", text):
        raise wrong("cannot stand in a URL: only letters, digits and _ . ~ - can", NEW_SECRET)
    return value


def networks(value: object) -> tuple[Network, ...]:
    """Comma-separated addresses and networks; those that are read already stay as they are."""
    if isinstance(value, tuple):
        return cast(tuple[Network, ...], value)
    try:
        return read_networks(str(value))
    except ValueError as error:
        problem = f"cannot be used: {error}"
    raise wrong(
        problem, "List addresses and networks, comma-separated, like 203.0.113.7,10.0.0.0/8."
    )


def bearer_token(variable: str) -> Callable[[SecretStr], SecretStr]:
    """A check that a token is long enough not to be guessed, and fit for a ``Bearer`` header (RFC
    6750, section 2.1)."""
    cure = (
        "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        f" and set {variable} to it."
    )

    def checked(value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if len(text) < MIN_SECRET_CHARS:
            raise wrong(f"is shorter than {MIN_SECRET_CHARS} characters", cure)
        if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", text):
            raise wrong("cannot stand in a Bearer header", cure)
        return value

    return checked


def api_keys(value: object) -> tuple[ApiKey, ...]:
    """Comma-separated ``name:role:key``; keys that are read already stay as they are."""
    if isinstance(value, tuple):
        return cast(tuple[ApiKey, ...], value)
    try:
        return read_keys(str(value))
    except ValueError as error:
        problem = f"cannot be used: {error}"
    raise wrong(
        problem,
        "Write it like EXOBRIDGE_API_KEYS=reports:viewer:KEY,desk:operator:KEY; make a key with: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
    )


NEW_SIGNING_SECRET = (
    "Make one with: python3 -c 'import base64, secrets; "
    'print("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())\''
    " and set WEBHOOK_SIGNING_SECRET to it, here and where they are received."
)
MIN_SIGNING_BYTES = 24
MAX_WEBHOOK_URL_CHARS = 2000


def webhook_url(value: SecretStr) -> SecretStr:
    """Where webhooks go: https, or http to this machine; a query is allowed."""
    text = value.get_secret_value()
    url = _split(text)
    cure = "Write it like WEBHOOK_URL=https://crm.example.com/calls"
    if url is None or not url.hostname or url.scheme not in ("http", "https"):
        raise wrong("is no https URL", cure)
    if "@" in url.netloc:
        raise wrong("holds a user's name or password", "The signature says who sends; " + cure)
    if "#" in text:
        raise wrong("holds a fragment, which is never sent", cure)
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise wrong("is plain http, which is for loopback hosts only", cure)
    if len(text) > MAX_WEBHOOK_URL_CHARS:
        raise wrong(f"is longer than {MAX_WEBHOOK_URL_CHARS} characters", cure)
    return value


def webhook_secret(value: SecretStr) -> SecretStr:
    """A secret as Standard Webhooks has it (``whsec_`` and base64), or a text."""
    text = value.get_secret_value()
    try:
        key = signing_key(text)
    except ValueError as error:
        problem = str(error)
    else:
        problem = "" if re.fullmatch(r"[!-~]+", text) else "holds spaces, or more than ASCII"
        if len(key) < MIN_SIGNING_BYTES:
            problem = f"is shorter than {MIN_SIGNING_BYTES} bytes"
    if problem:
        raise wrong(problem, NEW_SIGNING_SECRET)
    return value


def webhook_events(value: object) -> tuple[str, ...]:
    """Comma-separated types of webhooks; those that are read already stay as they are."""
    if isinstance(value, tuple):
        return cast(tuple[str, ...], value)
    named = [name.strip() for name in str(value).split(",")]
    if not set(named) <= set(WEBHOOK_EVENTS):
        raise wrong("names a type that is not sent", f"Known: {', '.join(WEBHOOK_EVENTS)}.")
    return tuple(name for name in WEBHOOK_EVENTS if name in named)


def data_dir(value: Path) -> Path:
    """A directory, or a path where one can be made."""
    if value.exists() and not value.is_dir():
        raise wrong("is no directory", "Write it like EXOBRIDGE_DATA_DIR=./data")
    if "?" in str(value):
        raise wrong("holds a ?, which the database's URL cannot", "Choose another path.")
    return value


def wire_dir(value: Path) -> Path:
    """A directory, or a path where one can be made."""
    if value.exists() and not value.is_dir():
        raise wrong("is no directory", "Write it like EXOBRIDGE_WIRE_DIR=./wire")
    return value


def database_url(value: SecretStr) -> SecretStr:
    """An SQLite file by its asynchronous driver, which is put in where the URL names none."""
    url = re.fullmatch(
        r"sqlite(?:\+aiosqlite)?:///(?!:memory:|file:)(.+)", value.get_secret_value()
    )
    if url is None:
        raise wrong(
            "is no URL of an SQLite file, the only kind of database there is so far",
            "Write it like DATABASE_URL=sqlite+aiosqlite:////var/lib/exobridge/calls.sqlite3, "
            "or unset it.",
        )
    if "?" in url[1]:
        raise wrong("has options behind a ?, and there are none", "Leave the ? and them out.")
    return SecretStr(f"sqlite+aiosqlite:///{url[1]}")


def default_database_url(fields: dict[str, Any]) -> SecretStr:
    """A file in the data directory."""
    return SecretStr(f"sqlite+aiosqlite:///{fields['data_dir'] / DATABASE_FILE}")


def recordings_url(value: str) -> str:
    """A folder, ``file:///path``, or a bucket, ``s3://bucket/prefix``."""
    url = _split(value)
    cure = "Write it like RECORDINGS_URL=s3://bucket/recordings or file:///var/lib/recordings"
    if url is None or url.scheme not in ("file", "s3") or url.query or url.fragment:
        raise wrong("is no file: or s3: URL", cure)
    if "@" in url.netloc:
        raise wrong("holds a user's name or password", cure)
    if url.scheme == "file" and (url.netloc or not url.path.startswith("/")):
        raise wrong("names no absolute path", cure)
    if url.scheme == "s3" and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", url.netloc):
        raise wrong("names no bucket", cure)
    return value


def recording_hosts(value: object) -> Rules:
    """Comma-separated hosts; rules that are read already stay as they are."""
    if isinstance(value, Rules):
        return value
    try:
        return read_rules(str(value))
    except ValueError as error:
        problem = f"cannot be used: {error}"
    raise wrong(problem, "List hosts, comma-separated, like *.exotel.com,127.0.0.1:9000.")


def host(value: str) -> str:
    """An address or a name to listen on."""
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", value) or re.fullmatch(r"[^:]*:[0-9]*", value):
        raise wrong(
            "is no address or host name by itself",
            "Write it like EXOBRIDGE_HOST=0.0.0.0; the port is EXOBRIDGE_PORT.",
        )
    return value


def provider(kind: Kind) -> Callable[[str], str]:
    """A check that a provider of this name is there."""

    def checked(value: str) -> str:
        if not may_be_named(kind, value):
            known = ", ".join(known_names(kind))
            raise wrong(f"there is no such {kind} provider", f"Known: {known}.")
        return value

    return checked


def providers(kind: Kind) -> Callable[[str], str]:
    """A check that providers of these names, comma-separated, are there."""
    is_there = provider(kind)

    def checked(value: str) -> str:
        names = listed(provider_list(value))
        for name in names:
            is_there(name)
            if len(names) > 1 and kind is Kind.DIALOGUE and dialogue_kind(name) is Kind.REALTIME:
                problem = f"{name} hears and speaks for itself: nothing stands in for it"
                raise wrong(problem, "Name it alone, or dialogues only.")
        return ",".join(names)

    return checked


def lower_case(value: object) -> object:
    """``JSON`` is meant as ``json``."""
    return value.lower() if isinstance(value, str) else value


def upper_case(value: object) -> object:
    """``debug`` is meant as ``DEBUG``."""
    return value.upper() if isinstance(value, str) else value


def default_max_calls(fields: dict[str, Any]) -> int:
    """Of the whole server."""
    return CALLS_PER_WORKER * int(fields["workers"])


def default_outbound_reserve(fields: dict[str, Any]) -> int:
    """A tenth of all calls at once, at least one, and never all."""
    max_calls = int(fields["max_calls"])
    return min(max(1, max_calls // 10), max_calls - 1)


def workers(value: object) -> object:
    """``auto`` is one for each core."""
    return cores() if isinstance(value, str) and value.lower() == "auto" else value


def cores() -> int:
    """CPUs this process may run on. A container's CPU quota is not seen here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
