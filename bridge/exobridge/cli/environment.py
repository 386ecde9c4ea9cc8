"""The environment that a command's own process, its providers and its workers see."""

from __future__ import annotations

import os
from collections.abc import Mapping

from exobridge.settings import Settings

NOT_PASSED_ON = "OTEL_"
"""OpenTelemetry's own variables belong in the process's environment, and there alone."""


def pass_on(variables: Mapping[str, str]) -> None:
    """Put what ``.env`` holds for others, such as the key of a provider, into the environment.

    Args:
        variables: The environment and ``.env``, as ``load_variables`` gives them.
    """
    ours = Settings.variables()
    for name, value in variables.items():
        if name not in ours and not name.startswith(NOT_PASSED_ON):
            os.environ[name] = value
