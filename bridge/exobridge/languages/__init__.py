"""What the words of a language say about whose turn it is: data, one TOML file a language.

A file is named by the language's ISO 639 code and has five lists, in every script that people write
the language in:

* ``backchannels``: said while the other goes on talking ("haan", "I see"); they are no turn.
* ``interruptions``: what interrupts alone, however short ("stop", "ruko").
* ``goes_on``: what a sentence does not end with ("and", "my").
* ``whole``: what a turn ends with that is over ("no", "thank you").
* ``digits``: the names of the digits.

People in India mix languages, so English and Hindi backchannels and interruptions count in every
language, and English says with each how a sentence ends.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_EVERYWHERE = ("en", "hi")
"""Languages whose backchannels and interruptions are heard on every line."""


@dataclass(frozen=True, slots=True)
class Language:
    """The lists, as they count for one language. See the module."""

    backchannels: frozenset[str]
    interruptions: frozenset[str]
    goes_on: frozenset[str]
    whole: frozenset[str]
    digits: frozenset[str]


def codes() -> list[str]:
    """The languages there is data for."""
    names = (entry.name for entry in files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@lru_cache(maxsize=64)
def language(tag: str) -> Language:
    """What counts for a BCP-47 tag; for a language without data, what counts everywhere."""
    code = tag.split("-")[0].lower()
    own = _read(code if code in codes() else _EVERYWHERE[0])
    others = [_read(other) for other in _EVERYWHERE]
    english = others[0]
    backchannels = frozenset[str]().union(*(other.backchannels for other in others))
    interruptions = frozenset[str]().union(*(other.interruptions for other in others))
    # Where languages disagree about a word, the call's own decides.
    return Language(
        backchannels=own.backchannels | (backchannels - own.interruptions),
        interruptions=own.interruptions | (interruptions - own.backchannels),
        goes_on=own.goes_on | (english.goes_on - own.whole),
        whole=own.whole | (english.whole - own.goes_on),
        digits=own.digits | english.digits,
    )


@lru_cache(maxsize=64)
def _read(code: str) -> Language:
    lists = tomllib.loads(files(__name__).joinpath(f"{code}.toml").read_text("utf-8"))
    return Language(**{name: frozenset(entries) for name, entries in lists.items()})
