"""The keys of a table that name providers: one, or several that stand in for each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import AfterValidator, Field, model_validator

from exobridge.provider_names import listed, provider_list
from exobridge.templates.table import Table
from exobridge.validation import wrong


@dataclass(frozen=True, slots=True)
class Choice:
    """One provider of a table.

    Attributes:
        voice: Of text-to-speech; empty: the provider's default.
    """

    name: str
    options: Mapping[str, Any]
    voice: str = ""


ProviderList = Annotated[str, AfterValidator(provider_list)]
"""Names of providers, comma-separated, the preferred first."""


class ProviderTable(Table):
    """A table whose ``provider`` may name several. Then ``options`` holds a table for each, by
    name.

    Class attributes:
        table: Its name in a template.
    """

    table: ClassVar[str]
    provider: ProviderList
    options: dict[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def names(self) -> tuple[str, ...]:
        """The providers, the preferred first."""
        return listed(self.provider)

    def choices(self) -> tuple[Choice, ...]:
        """The providers with what each is given, the preferred first."""
        names = self.names
        if len(names) == 1:
            return (Choice(names[0], self.options),)
        return tuple(Choice(name, self.options.get(name, {})) for name in names)

    @model_validator(mode="after")
    def _options_of_each(self) -> Self:
        names = self.names
        if len(names) == 1:
            return self
        for key, value in cast(dict[str, object], self.options).items():
            if key not in names:
                tables = ", ".join(map(self._options_of, names))
                raise wrong(
                    "is none of the table's providers, of which there are several",
                    f"Give each a table of its own options: {tables}",
                    "options",
                    key,
                )
            if not isinstance(value, dict):
                cure = f"Write its options below {self._options_of(key)}."
                raise wrong("must be a table", cure, "options", key)
        return self

    def _options_of(self, name: str) -> str:
        return f"[{self.table}.options.{_quoted(name)}]"


def _quoted(name: str) -> str:
    """A name as a key of TOML."""
    return f'"{name}"' if ":" in name or "." in name else name
