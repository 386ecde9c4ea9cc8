"""What can be refused of numbers. No number stands in any text unmasked."""

from __future__ import annotations

from typing import Literal

from exobridge.errors import ExobridgeError

Kind = Literal[
    "no-number",
    "bad-value",
    "unknown-number",
    "known-number",
    "read-only",
    "unknown-template",
    "last-number",
    "no-account",
    "not-in-account",
    "no-flow",
]


class NumberError(ExobridgeError):
    """Something is not done with a number.

    Args:
        kind: A word for programs.
        detail: What is wrong, as a sentence.
        cure: What to do, as a sentence; empty where there is nothing.
        field: Which of what was given is wrong; empty: none of it.
    """

    def __init__(self, kind: Kind, detail: str, cure: str = "", field: str = "") -> None:
        self.kind: Kind = kind
        self.detail = detail
        self.cure = cure
        self.field = field
        super().__init__(f"{detail} {cure}".strip())
