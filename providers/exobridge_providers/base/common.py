"""What all kinds of providers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

AnyOptions = Mapping[str, Any]
"""Options as they stand in TOML, before they are validated."""


class Options(BaseModel):
    """Base of a provider's options, the ``[stt.options]`` table of a template.

    Unknown keys are refused, and a refused value is not repeated in the message (it may be a key).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def wrong_option(problem: str, *path: str) -> PydanticCustomError:
    """What a model's own validator raises, to say which of its keys is wrong.

    Args:
        problem: Without the value: it may be a key.
        path: From the model to the option.
    """
    return PydanticCustomError("wrong_option", "{problem}", {"problem": problem, "path": path})


class Provider:
    """What all kinds have in common.

    Class attributes:
        options_type: The model its options are read into.

    Attributes:
        offline: ``start`` and all sessions do without a network. It may depend on the options.
    """

    options_type: ClassVar[type[Options]] = Options
    offline: bool = False

    def __init__(self, options: Options) -> None:
        del options

    async def start(self) -> None:
        """Load what every call needs. Called once, before the first session.

        Raises:
            ProviderError: It cannot work here; the message names the cure.
        """

    async def aclose(self) -> None:
        """Release what ``start`` took. All sessions have been closed before."""
