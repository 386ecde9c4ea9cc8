"""What the words of a language say about whose turn it is, and what a bot says in it where nobody
wrote it: data, one TOML file a language.

A file is named by the language's ISO 639 code and has six lists, in every script that people write
the language in:

* ``backchannels``: said while the other goes on talking ("haan", "I see"); they are no turn.
* ``interruptions``: what interrupts alone, however short ("stop", "ruko").
* ``greetings``: what one says as a call begins ("hello?"); while the bot says its first line they
  are no turn either.
* ``goes_on``: what a sentence does not end with ("and", "my").
* ``whole``: what a turn ends with that is over ("no", "thank you").
* ``digits``: the names of the digits.

Its table ``lines`` holds what a template says in this language by default, in a template's own
tables. English has none: its lines are the defaults of ``exobridge.templates.models``.

People in India mix languages, so English and Hindi backchannels, interruptions and greetings
count in every language, and English says with each how a sentence ends.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any

_EVERYWHERE = ("en", "hi")
"""Languages whose backchannels, interruptions and greetings are heard on every line."""


@dataclass(frozen=True, slots=True)
class Language:
    """The lists, as they count for one language. See the module."""

    backchannels: frozenset[str]
    interruptions: frozenset[str]
    greetings: frozenset[str]
    goes_on: frozenset[str]
    whole: frozenset[str]
    digits: frozenset[str]


def codes() -> list[str]:
    """The languages there is data for."""
    names = (entry.name for entry in files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def code_of(tag: str) -> str:
    """The ISO 639 code of a BCP-47 tag."""
    return tag.split("-")[0].lower()


@lru_cache(maxsize=64)
def lines(code: str) -> dict[str, Any]:
    """What a template says by default in a language, as its tables; nothing where it is English."""
    return _read(code).get("lines", {}) if code in codes() else {}


@lru_cache(maxsize=64)
def language(tag: str) -> Language:
    """What counts for a BCP-47 tag; for a language without data, what counts everywhere."""
    code = code_of(tag)
    own = _lists(code if code in codes() else _EVERYWHERE[0])
    others = [_lists(other) for other in _EVERYWHERE]
    english = others[0]
    backchannels = frozenset[str]().union(*(other.backchannels for other in others))
    interruptions = frozenset[str]().union(*(other.interruptions for other in others))
    greetings = own.greetings.union(*(other.greetings for other in others))
    # Where languages disagree about a word, the call's own decides.
    return Language(
        backchannels=own.backchannels | (backchannels - own.interruptions),
        interruptions=own.interruptions | (interruptions - own.backchannels),
        greetings=greetings,
        goes_on=own.goes_on | (english.goes_on - own.whole),
        whole=own.whole | (english.whole - own.goes_on),
        digits=own.digits | english.digits,
    )


@lru_cache(maxsize=64)
def _lists(code: str) -> Language:
    data = _read(code)
    return Language(**{field.name: frozenset(data[field.name]) for field in fields(Language)})


def _read(code: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(f"{code}.toml").read_text("utf-8"))
