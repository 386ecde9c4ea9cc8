"""What ``exobridge provider new`` writes: a package for each kind, of a vendor that does not exist.

The modules are checked and run here as they stand. In the copy the vendor's name and the imports
are changed (:func:`package_of`), and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

KINDS = ("stt", "tts")
"""Those that there is a skeleton of."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_NAME = 40
_OWN_IMPORT = re.compile(r"^from exobridge_providers\.skeleton\.\w+\.(.+\n)", re.MULTILINE)


def wrong_name(name: str) -> str:
    """What is wrong with the name of a provider; empty: nothing."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        return f"begins with a letter, and holds a-z, 0-9 and single hyphens, {_MAX_NAME} at most"
    return ""


def package_of(kind: str, name: str) -> dict[str, str]:
    """The files of a package: their texts by their paths.

    Args:
        kind: One of :data:`KINDS`.
        name: The provider's; see :func:`wrong_name`.
    """
    top = resources.files(__name__) / kind
    return {_named(path, name): _named(text, name) for path, text in _files(top, "")}


def _files(folder: Traversable, above: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        path = f"{above}{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{path}/")
        elif path != "__init__.py" and path != "tests/__init__.py":  # they are for these modules
            yield path, entry.read_text("utf-8")


def _named(text: str, name: str) -> str:
    words = name.split("-")
    if own := "".join(f"from {line}" for line in _OWN_IMPORT.findall(text)):
        # The package's own modules come after those of others.
        text = _OWN_IMPORT.sub("", text).replace("\n\n\n", f"\n\n{own}\n\n", 1)
    text = text.replace("skylark_", f"{'_'.join(words)}_")
    text = text.replace("SKYLARK_", f"{'_'.join(words).upper()}_")
    text = text.replace("Skylark", "".join(word.capitalize() for word in words))
    return text.replace("skylark", name)
