"""What is known of each registered provider without starting it: what it declares, whether it can
be imported here, and which keys it wants."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, is_dataclass
from importlib.metadata import entry_points
from typing import Any, cast

from pydantic_core import to_jsonable_python

from exobridge_providers.base import Provider, RealtimeProvider, VadProvider
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import BUILT_IN, Kind, names, provider_class

OURS = "exobridge"
"""The package that built-in providers come with."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One provider.

    Attributes:
        kind, name: As in the registry.
        package: Its distribution.
        problem: Why it cannot be used here, with the cure; empty: it can be imported.
        offline: It does without a network, whatever its options.
        keys: The environment variables that its options name by default.
        capabilities: What it declares, by the names of the contract.
    """

    kind: Kind
    name: str
    package: str
    problem: str = ""
    offline: bool = False
    keys: tuple[str, ...] = ()
    capabilities: dict[str, Any] = field(default_factory=dict[str, Any])

    def missing_keys(self) -> list[str]:
        """Those of its keys that are not set now."""
        return [name for name in self.keys if not os.environ.get(name, "").strip()]

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` tells it; a key's value is never in it."""
        missing = self.missing_keys()
        return {
            "kind": str(self.kind),
            "name": self.name,
            "package": self.package,
            "problem": self.problem,
            "offline": self.offline,
            "keys": [{"variable": name, "is_set": name not in missing} for name in self.keys],
            "capabilities": {name: plain_value(value) for name, value in self.capabilities.items()},
        }


def registered(kind: Kind | None = None) -> list[Facts]:
    """All registered providers, or those of a kind: built-in ones first, each by its name."""
    kinds = list(Kind) if kind is None else [kind]
    return [facts(each, name) for each in kinds for name in _ordered(each)]


def _ordered(kind: Kind) -> list[str]:
    return sorted(names(kind), key=lambda name: (name not in BUILT_IN[kind], name))


def facts(kind: Kind, name: str) -> Facts:
    """One; whatever is wrong with it is told in ``problem``."""
    package = _package(kind, name)
    try:
        found = provider_class(kind, name)
        return Facts(
            kind,
            name,
            package,
            offline=found.offline,
            keys=_keys(found),
            capabilities=_capabilities(found),
        )
    except ProviderError as error:
        cause = error.__cause__
        if not isinstance(cause, TypeError | ValueError):
            return Facts(kind, name, package, problem=str(error))
    except Exception as error:  # of a package that is imported: anything
        cause = error
    # Raised by the package itself, in words that may hold anything: its type has to do.
    problem = f"it cannot be imported ({type(cause).__name__}). Tell the author of {package}"
    return Facts(kind, name, package, problem=problem)


def _package(kind: Kind, name: str) -> str:
    if name in BUILT_IN[kind]:
        return OURS
    found = {
        entry.dist.name if entry.dist else "?"
        for entry in entry_points(group=f"exobridge.{kind}", name=name)
    }
    return ", ".join(sorted(found))


def _keys(found: type[Provider]) -> tuple[str, ...]:
    return tuple(
        str(info.default)
        for option, info in found.options_type.model_fields.items()
        if option.endswith("_env") and info.default
    )


def _capabilities(found: type[Provider]) -> dict[str, Any]:
    known = getattr(found, "capabilities", None)
    if known is not None and is_dataclass(known):
        return {each.name: getattr(known, each.name) for each in fields(known)}
    if issubclass(found, VadProvider | RealtimeProvider):
        return {"sample_rates": getattr(found, "sample_rates", ())}
    return {}


def plain_value(value: object) -> Any:
    """A capability as JSON writes it."""
    if isinstance(value, frozenset):
        return sorted(cast(frozenset[str], value))
    return to_jsonable_python(value)
