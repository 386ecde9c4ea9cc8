"""What a template's rules decided of a call, as the record keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exobridge.call.events import JSON


@dataclass(frozen=True, slots=True, order=True)
class Routed:
    """The decision; empty where no rule decided.

    Attributes:
        entry: The template whose rules were asked: the number's, while the call has another.
        rule: The rule that decided.
        language: BCP-47 tag; empty: the template's.
        say: What the bot says first, or last if it turns the call away; empty: the template's.
        body: The applet that the answer names; empty: the answer is the template's.
        variables: Names and values, over the template's constants.
    """

    entry: str = ""
    rule: str = ""
    language: str = ""
    say: str = ""
    body: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    def data(self) -> dict[str, JSON]:
        """For an event."""
        return {
            "entry": self.entry,
            "rule": self.rule,
            "language": self.language,
            "say": self.say,
            "body": self.body,
            "variables": dict(self.variables),
        }

    @classmethod
    def read(cls, data: JSON) -> Routed:
        """Of an event's data; an older release has told nothing."""
        if not isinstance(data, Mapping):
            return cls()
        variables = data.get("variables")
        pairs = variables.items() if isinstance(variables, Mapping) else ()
        texts = {
            name: value
            for name in ("entry", "rule", "language", "say", "body")
            if isinstance(value := data.get(name), str)
        }
        return cls(**texts, variables=tuple(sorted((name, str(value)) for name, value in pairs)))


NOT_ROUTED = Routed()
"""No rule decided."""
