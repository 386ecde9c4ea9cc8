"""What all kinds of providers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

AnyOptions = Mapping[str, Any]
"""Options as they stand in TOML, before they are validated."""


class Options(BaseModel):
    """Base of a provider's options, the ``[stt.options]`` table of a template.

    Unknown keys are refused, and a refused value is not repeated in the message (it may be a key).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Provider:
    """What all kinds have in common.

    Class attributes:
        options_type: The model its options are read into.
    """

    options_type: ClassVar[type[Options]] = Options

    def __init__(self, options: Options) -> None:
        del options

    async def start(self) -> None:
        """Load what every call needs. Called once, before the first session.

        Raises:
            ProviderError: It cannot work here; the message names the cure.
        """

    async def aclose(self) -> None:
        """Release what ``start`` took. All sessions have been closed before."""
