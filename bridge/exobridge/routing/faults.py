"""What the tables of a template lack that ask and tell the user's applications."""

from __future__ import annotations

from dataclasses import dataclass

from exobridge.routing.applications import check_variables
from exobridge.routing.hook import imported
from exobridge.templates import Template
from exobridge.templates.routing import EndpointTable
from exobridge_providers.errors import ProviderConfigError


@dataclass(frozen=True, slots=True)
class Fault:
    """A table that cannot be used.

    Attributes:
        table: Its name: ``lookup``, ``log`` or ``transfer.lookup``.
        error: Why: a function that cannot be imported, an environment variable that is not set.
    """

    table: str
    error: str


def tables(template: Template) -> list[tuple[str, EndpointTable]]:
    """The tables that name an application, by name."""
    return [
        ("lookup", template.lookup),
        ("log", template.log),
        ("transfer.lookup", template.transfer.lookup),
    ]


def faults(template: Template) -> list[Fault]:
    """Everything that is wrong; a look-up's function is imported. Asks nobody."""
    found: list[Fault] = []
    lookup = template.lookup
    try:
        if lookup.hook:
            imported(lookup.hook, lookup.path)
    except ProviderConfigError as error:
        found.append(Fault("lookup", str(error)))
    for name, table in tables(template):
        try:
            check_variables(table, name)
        except ProviderConfigError as error:
            found.append(Fault(name, str(error)))
    return found
