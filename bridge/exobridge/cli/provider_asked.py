"""What ``exobridge provider check`` was asked for, looked at before anything runs or connects."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from pydantic import ValidationError

from exobridge.cli.provider_facts import facts
from exobridge.validation import PLAIN_WORDS, Problem, problems
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.registry import Kind, names, provider_class
from exobridge_providers.testing.cases import VendorCase, case

SPEECH = (Kind.STT, Kind.TTS)
LIVE = {
    "language": SPEECH,
    "text": SPEECH,
    "audio": (Kind.STT,),
    "voice": (Kind.TTS,),
    "ear": (Kind.TTS,),
}
"""Options that are about the real vendor, and the kinds that have a use for them."""
NOBODY = "none"
"""No ear."""


def options_of(given: Sequence[str]) -> dict[str, Any]:
    """``key=value`` as in a template: the value in TOML, or a text without its quotes."""
    options: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not (key and equals):
            raise typer.BadParameter("write key=value", param_hint="--option")
        try:
            options[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            options[key] = value
    return options


def kinds_of(name: str, kind: Kind | None, *, live: bool) -> list[Kind]:
    """Which of the providers of a name are meant: those of speech, where there are any."""
    kinds = [each for each in ([kind] if kind else Kind) if name in names(each)]
    if not kinds:
        known = sorted({each for listed in ([kind] if kind else Kind) for each in names(listed)})
        raise typer.BadParameter(_unknown(name, known), param_hint="NAME")
    speech = [each for each in kinds if each in SPEECH]
    if live and not speech:
        raise typer.BadParameter(f"is for {' and '.join(SPEECH)}", param_hint="--live")
    return speech or kinds


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"there is none; known: {', '.join(known)}{meant}"


def refuse_idle_flags(given: Sequence[str], kinds: Sequence[Kind], ear: str, *, live: bool) -> None:
    """Options of ``--live`` that would be ignored, and an ear that there is not."""
    for flag in LIVE:
        if flag not in given:
            continue
        if not live:
            raise typer.BadParameter("needs --live", param_hint=f"--{flag}")
        if not set(kinds) & set(LIVE[flag]):
            raise typer.BadParameter(f"is for {LIVE[flag][0]} alone", param_hint=f"--{flag}")
    known = names(Kind.STT)
    if ear not in (NOBODY, *known) and ":" not in ear:
        raise typer.BadParameter(_unknown(ear, [*known, NOBODY]), param_hint="--ear")


def refuse_unusable(
    kinds: Sequence[Kind], name: str, options: Mapping[str, Any], *, live: bool
) -> None:
    """What keeps a provider of these kinds from being made.

    Raises:
        ProviderConfigError: One cannot be imported, has a fake that cannot be, or does not take
            the options.
    """
    several = "; give --kind" if len(kinds) > 1 else ""
    for kind in kinds:
        if problem := facts(kind, name).problem:
            raise ProviderConfigError(f"{kind} {name}: {problem}", provider=name)
        faked = None if live else fake_of(kind, name)
        wanted = {**(faked.options if faked else {}), **options}
        try:
            provider_class(kind, name).options_type.model_validate(wanted)
        except ValidationError as error:
            known = sorted(provider_class(kind, name).options_type.model_fields)
            told = "; ".join(_told(each, known) for each in problems(error))
            raise ProviderConfigError(
                f"options of the {kind} provider {name!r}: {told}{several}", provider=name
            ) from None


def fake_of(kind: Kind, name: str) -> VendorCase | None:
    """The fake of a plugin's vendor; ``None``: it has none.

    Raises:
        ProviderConfigError: It cannot be had.
    """
    try:
        return case(kind, name)
    except (ImportError, AttributeError, AssertionError) as error:
        raise ProviderConfigError(f"the fake of {name!r} cannot be had: {error}") from error
    except Exception as error:  # of a package that is imported: anything, in any words
        raise ProviderConfigError(
            f"the fake of {name!r} cannot be had ({type(error).__name__})"
        ) from None


def _told(problem: Problem, known: Sequence[str]) -> str:
    words = f"{problem.dotted or 'together'}: {problem.problem}"
    if problem.problem == PLAIN_WORDS["missing"]:
        return f"{words}; give it with --option {problem.path[0]}=..."
    if problem.problem == PLAIN_WORDS["extra_forbidden"]:
        near = difflib.get_close_matches(str(problem.path[-1]), known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
        return f"{words}; {meant}"
    return f"{words} (--option {problem.path[0]}=...)" if problem.path else words
