"""Between pydantic's errors and ours: a problem and its cure, and never the refused value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

PLAIN_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "there is no such key",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "frozen_set_type": "must be a list",
    "union_tag_invalid": "has a type that there is not",
    "union_tag_not_found": "has no type",
}
"""pydantic's words speak of Python's types; the reader writes TOML or an environment."""

FOLLOWS_FROM_ANOTHER = "default_factory_not_called"
"""pydantic could not make a default, as the field it is made from was refused."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: Keys and list positions from the top of what was validated.
        problem: What is wrong.
        cure: A sentence, or empty where only the caller can know it.
    """

    path: tuple[str | int, ...]
    problem: str
    cure: str = ""

    @property
    def dotted(self) -> str:
        """The path as it would be written: ``hours.mon[0]``."""
        return dotted(self.path)


def dotted(path: Sequence[str | int]) -> str:
    """Keys joined by dots, list positions in brackets."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(parts).removeprefix(".")


def wrong(problem: str, cure: str, *path: str) -> PydanticCustomError:
    """What a validator raises: a problem, its cure, and, in a model's own validator, the key."""
    context = {"problem": problem, "cure": cure, "path": path}
    return PydanticCustomError("wrong", "{problem}", context)


def problems(error: ValidationError) -> list[Problem]:
    """Everything that a failed validation found, without the values."""
    return [
        Problem(
            path=(*_written(found["loc"]), *found.get("ctx", {}).get("path", ())),
            problem=PLAIN_WORDS.get(found["type"]) or _lower_first(_own_words(found["msg"])),
            cure=found.get("ctx", {}).get("cure", ""),
        )
        for found in error.errors(include_input=False, include_url=False)
        if found["type"] != FOLLOWS_FROM_ANOTHER
    ]


def _written(path: Sequence[str | int]) -> Sequence[str | int]:
    """Without pydantic's own last step for "the key itself"."""
    return path[:-1] if path and path[-1] == "[key]" else path


def _own_words(message: str) -> str:
    """Without what pydantic puts before the words of a validator."""
    return message.removeprefix("Value error, ")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
