"""``[lists]``: callers by name of a list, written in the template or in a file beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo

from exobridge.numbers import normalise
from exobridge.validation import wrong

FOLDER = "folder"
"""Key of the validation's context: where the template's file is, as a ``Path``."""

MAX_NUMBERS = 100_000
"""Of one list; 0.5 s to read, and 15 MB."""

MAX_FILE = 16 * 1024 * 1024
"""Of a list's file, in bytes."""

FILE = "file:"
"""Begins an entry that is a file's name."""

_MOBILE = re.compile(r"(?:\+91|91|0)?([6-9][0-9]{9})")
"""Most of what such lists hold, read without a telephone book: a hundredfold faster."""


def _numbers(value: object, info: ValidationInfo) -> frozenset[str]:
    if not isinstance(value, list):
        raise wrong("must be a list", 'Write it like ["+919811122233", "file:vip.csv"].')
    found: set[str] = set()
    for position, entry in enumerate(cast(Iterable[Any], value), start=1):
        if isinstance(entry, str) and entry.startswith(FILE):
            found.update(_in_file(entry.removeprefix(FILE).strip(), info))
        elif isinstance(entry, str) and (number := _number(entry)):
            found.add(number)
        else:
            raise wrong(
                f"entry {position} is no phone number",
                'Write numbers like "+919811122233", and files like "file:vip.csv".',
            )
        if len(found) > MAX_NUMBERS:
            cure = "Ask a [lookup] where there are so many."
            raise wrong(f"holds more than {MAX_NUMBERS} numbers", cure)
    return frozenset(found)


def _number(text: str) -> str | None:
    text = text.strip()
    mobile = _MOBILE.fullmatch(text)
    return f"+91{mobile[1]}" if mobile else normalise(text)


def _in_file(name: str, info: ValidationInfo) -> Iterator[str]:
    """The numbers in the first column. A first line without one is the columns' names; empty lines
    and those that begin with ``#`` are passed over."""
    first = True
    for at, line in enumerate(_text(name, info).splitlines(), start=1):
        cell = re.split(r"[,;\t]", line, maxsplit=1)[0].strip().strip('"').strip()
        if not cell or cell.startswith("#"):
            continue
        if number := _number(cell):
            yield number
        elif not first or any(map(str.isdigit, cell)):
            cure = "Write one number a line, in the first column; # begins a comment."
            raise wrong(f"{name}, line {at}: there is no phone number", cure)
        first = False


def _text(name: str, info: ValidationInfo) -> str:
    context: Mapping[str, object] = info.context or {}
    folder = context.get(FOLDER)
    if not isinstance(folder, Path) or not name:
        raise wrong("names no file", 'Write it like "file:vip.csv"; it stands beside the template.')
    path, cure = folder / name, f"Put it beside the template, in {folder}."
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_FILE else None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no file can be called so"
        raise wrong(f"{name} cannot be read ({why})", cure) from None
    if content is None:
        problem = f"{name} has more than {MAX_FILE // 1024**2} MiB"
        raise wrong(problem, "Leave out all but the numbers.")
    try:
        # A byte-order mark is what spreadsheets begin with.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise wrong(f"{name} is not written in UTF-8", "Save it as UTF-8.") from None


ListName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Lists = Annotated[
    dict[ListName, Annotated[frozenset[str], BeforeValidator(_numbers), Field(strict=False)]],
    Field(max_length=50),
]
