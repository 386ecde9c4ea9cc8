"""What was most likely meant by a key that no table of a template has."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from exobridge.templates.models import Template


def hint(path: Sequence[str | int]) -> str:
    """A sentence for the reader; empty where the last key of ``path`` is known, or nothing can be
    said of it."""
    table = _table_at(path[:-1])
    if table is None or not path or str(path[-1]) in table.model_fields:
        return ""
    key, keys = str(path[-1]), list(table.model_fields)
    if below := [name for name, inner in _tables_in(table) if key in inner.model_fields]:
        names = " or ".join(_written([*path[:-1], name]) for name in below)
        return f"It belongs under {names}."
    near = difflib.get_close_matches(key, keys, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(keys)}."


def _table_at(path: Sequence[str | int]) -> type[BaseModel] | None:
    """The table that a path leads to; of a list, or of tables by name, one of them."""
    found: Any = Template
    for step in path:
        table = _table(found)
        if table is None:
            found = get_args(found)[-1] if get_args(found) else None
        elif (field := table.model_fields.get(str(step))) is not None:
            found = field.annotation
        # else: [texts.hi] has the keys of [texts]
    return _table(found)


def _table(annotation: Any) -> type[BaseModel] | None:
    """The table itself, and none of which there are several."""
    if get_origin(annotation) in (list, tuple, dict):
        return None
    inner = [annotation, *get_args(annotation)]  # ``Hours | None``
    return next((t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)), None)


def _tables_in(table: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The tables right below one, by name; ``NAME`` stands for a name of the reader's."""
    for name, field in table.model_fields.items():
        if get_origin(field.annotation) is dict:
            inner, name = _table(get_args(field.annotation)[-1]), f"{name}.NAME"
        else:
            inner = _table(field.annotation)
        if inner is not None:
            yield name, inner


def _written(path: Sequence[str | int]) -> str:
    """A table's name as it is written: ``[routes.when]`` is that of the rule above it."""
    return f"[{'.'.join(step for step in path if isinstance(step, str))}]"
