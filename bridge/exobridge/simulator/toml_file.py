"""Reads the simulator's TOML files: every problem is named with its line, its key and its cure."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from exobridge.errors import ConfigError
from exobridge.simulator.toml_lines import TomlPath, line_of
from exobridge.validation import PLAIN_WORDS, Problem, problems

MAX_BYTES = 1_000_000
"""Size of the largest file."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class FileKind(Generic[Model]):
    """A sort of file.

    Attributes:
        model: What stands in it.
        several: What several of them are called.
        reference: What is said where there is nothing better: where its keys are explained.
        lists: Lists of tables, whose entries a message counts: ``step 2``.
        missing: What to do about a table that is missing, by its name.
    """

    model: type[Model]
    several: str
    reference: str
    lists: frozenset[str]
    missing: Mapping[str, str] = field(default_factory=dict[str, str])

    def read(self, path: Path) -> tuple[Model, str]:
        """A file, and its text.

        Raises:
            ConfigError: Everything that is wrong with it.
        """
        text = self._text(path)
        try:
            return self.model.model_validate(tomllib.loads(text)), text
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(
                str(path), f"is no TOML: {error}", "See https://toml.io for the form."
            ) from None
        except ValidationError as error:
            found = problems(error)
        raise self.errors(path, text, found)

    def errors(self, path: Path, text: str, found: Sequence[Problem]) -> ConfigError:
        """One error of all problems (at least one)."""
        return ConfigError.of([self._error(path, text, problem) for problem in found])

    def _text(self, path: Path) -> str:
        try:
            if path.stat().st_size > MAX_BYTES:
                cure = f"Split it into several {self.several}."
                raise ConfigError(str(path), "is larger than 1 MB", cure)
            return path.read_text("utf-8")
        except UnicodeDecodeError:
            raise ConfigError(str(path), "is not written in UTF-8", "Save it as UTF-8.") from None
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
            raise ConfigError(str(path), problem, "Check what it is and who may read it.") from None

    def _error(self, path: Path, text: str, problem: Problem) -> ConfigError:
        place = _look_up(self.model, self._written(problem.path))
        where = f"{path}, line {line_of(text, place.keys)}"
        rest = list(place.keys)
        while len(rest) > 1 and rest[0] in self.lists and isinstance(rest[1], int):
            where += f", {rest[0]} {rest[1] + 1}"
            rest = rest[2:]
        key = Problem(tuple(rest), "").dotted
        cure = problem.cure or self._cure(problem, place)
        return ConfigError(f"{where}: {key}" if key else where, problem.problem, cure)

    def _written(self, path: Sequence[str | int]) -> TomlPath:
        """The path with its numbers as such: a model's own validator names them as texts."""
        keys: list[str | int] = []
        for step in path:
            in_list = bool(keys) and keys[-1] in self.lists
            keys.append(int(step) if in_list and str(step).isdecimal() else step)
        return tuple(keys)

    def _cure(self, problem: Problem, place: _Place) -> str:
        if len(place.keys) == 1 and place.keys[0] in self.missing:
            return self.missing[str(place.keys[0])]
        if problem.problem in _TYPE_PROBLEMS:
            return f"Its type is one of {', '.join(place.types)}."
        if problem.problem != PLAIN_WORDS["extra_forbidden"] or place.table is None:
            return self.reference
        known = [info.alias or name for name, info in place.table.model_fields.items()]
        near = difflib.get_close_matches(str(place.keys[-1]), known, n=1)
        return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."


_TYPE_PROBLEMS = (PLAIN_WORDS["union_tag_invalid"], PLAIN_WORDS["union_tag_not_found"])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a path leads.

    Attributes:
        keys: The path without what pydantic adds to it, the ``type`` of a table of several types.
        table: The one that the last key stands in, if that is known.
        types: Those that a table there can have.
    """

    keys: TomlPath
    table: type[BaseModel] | None
    types: tuple[str, ...]


def _look_up(model: type[BaseModel], path: TomlPath) -> _Place:
    found: Any = model
    table: type[BaseModel] | None = model
    keys: list[str | int] = []
    for step in path:
        kinds = _kinds(found)
        if len(kinds) > 1 and step in kinds:
            found = kinds[str(step)]
            continue
        keys.append(step)
        table = next(iter(kinds.values())) if len(kinds) == 1 else None
        found = None if len(kinds) > 1 else _inside(table or found, step)
    return _Place(tuple(keys), table, tuple(_kinds(found)))


def _kinds(annotation: Any) -> dict[str, type[BaseModel]]:
    """The tables that may stand there, by their ``type``."""
    annotation = _bare(annotation)
    inner = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    tables = [each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)]
    return {_type_of(each): each for each in tables}


def _type_of(table: type[BaseModel]) -> str:
    kind = table.model_fields.get("type")
    return str(get_args(kind.annotation)[0]) if kind is not None else ""


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _inside(annotation: Any, step: str | int) -> Any:
    """What stands under a key of a table, or is an entry of a list or of tables by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        names = {info.alias or name: info.annotation for name, info in fields.items()}
        return names.get(str(step))
    inner = get_args(_bare(annotation))
    return inner[-1] if inner else None
