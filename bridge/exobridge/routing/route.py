"""What a template's rules decide of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

LOOKUP_FAILED = "lookup failed"
"""Stands for a rule's name where the look-up failed and ``lookup.on_failure`` decided. No rule can
be called so."""

Branch = Literal["a", "b", "error"]
"""Of a Passthru applet: 200 takes branch A, 302 takes branch B, 503 its path "On Error"."""


@dataclass(frozen=True, slots=True)
class Route:
    """One decision. Whatever is empty stays as the template has it.

    Attributes:
        rule: Name of the rule that decided; empty: none did.
        template: Goes on with this template.
        language: BCP-47 tag of the conversation.
        variables: For texts and for the dialogue; over the constants of the template.
        body: An applet's name or URL, for an applet that reads the answer's body.
        say: What a Greeting applet says, or the bot in place of its greeting; no variables in it.
        refuse: ``closed``, ``busy`` or ``unknown``: the bot does not take the call.
    """

    rule: str = ""
    branch: Branch = "a"
    template: str = ""
    language: str = ""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str = ""
    say: str = ""
    refuse: str = ""
