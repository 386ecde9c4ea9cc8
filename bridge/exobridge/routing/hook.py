"""A function of the user's that is asked about a caller, in place of a URL."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

from exobridge_providers.dialogue.python_session import place
from exobridge_providers.errors import ProviderConfigError

Hook = Callable[[Mapping[str, Any]], Awaitable[object]]
"""Is given what a look-up's URL would be sent, and returns what it would answer, or ``None``."""

NAME = "lookup"


def imported(hook: str, path: str) -> Hook:
    """The function ``module:function`` names, looked for among what is installed and in ``path``.

    Raises:
        ProviderConfigError: It cannot be imported, or is no ``async def``.
    """
    module, _, name = hook.partition(":")
    folder = str(Path(path).resolve())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        found: object = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise ProviderConfigError(
            f"hook: {hook} could not be imported: {type(error).__name__}{place(error)}. It is "
            f"looked for among what is installed and in {folder}",
            provider=NAME,
        ) from error
    if not inspect.iscoroutinefunction(found):
        raise ProviderConfigError(f"hook: {hook} is no async def", provider=NAME)
    return cast(Hook, found)
