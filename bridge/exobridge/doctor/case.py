"""What the checks are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from exobridge.doctor.aside import aside
from exobridge.doctor.finding import Finding
from exobridge.doctor.kept import Kept
from exobridge.exophones import OwnNumber, listing
from exobridge.numbers import NumberBook
from exobridge.settings import Settings
from exobridge.templates import Template, Templates, in_use

OFFLINE = "--offline asks nothing beyond this machine"
"""Why something is left out."""


def _say_nothing(what: str) -> None:
    del what


@dataclass(frozen=True, slots=True)
class Scope:
    """How far the checks go.

    Attributes:
        fast: No provider is started.
        offline: Nothing beyond this machine is asked.
        online: Exotel's API is asked with the account's credentials.
        exotel_url: Where that API is; empty: where the settings say.
    """

    fast: bool = False
    offline: bool = False
    online: bool = False
    exotel_url: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One installation.

    Attributes:
        settings: What can be read of them: a variable that is wrong counts as not set.
        templates: ``None``: they cannot be loaded.
        variables: The environment and ``.env``.
        tell: Told what takes its time.
        kept: What the database knows.
    """

    settings: Settings
    templates: Templates | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    scope: Scope = Scope()
    tell: Callable[[str], None] = _say_nothing
    kept: Kept = field(default_factory=Kept)

    @property
    def numbers(self) -> list[OwnNumber]:
        """Our ExoPhones."""
        return listing(self.settings.numbers.entries, self.kept.numbers, self.kept.visits)

    @property
    def book(self) -> NumberBook:
        """The numbers that somebody answers for, as a server that is started now has them."""
        served = {own.number: own.template for own in self.numbers if own.template is not None}
        is_set = served or self.settings.numbers.is_set
        return NumberBook(served) if is_set else self.settings.numbers

    @property
    def exotel_url(self) -> str:
        """Where Exotel's API is."""
        return self.scope.exotel_url or self.settings.exotel_api_url

    @property
    def in_use(self) -> dict[str, Template]:
        """The templates that calls may have, by name: those of numbers, and those that name the
        number that they call from."""
        templates = self.templates or {}
        numbers = [name for name in self.book.templates if name in templates]
        calling = [name for name, each in templates.items() if each.outbound.caller_id]
        names = sorted(in_use([*numbers, *calling], templates))
        return {name: templates[name] for name in names if name in templates}


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: As messages name it.
        run: Looks; what it raises becomes a finding.
        seconds: How long it may take.
        needs_templates: Left out while the templates cannot be loaded.
    """

    name: str
    run: Callable[[Case], Awaitable[list[Finding]]]
    seconds: float = 5.0
    needs_templates: bool = False


def blocking(
    look: Callable[[Case], list[Finding]],
) -> Callable[[Case], Awaitable[list[Finding]]]:
    """A check that reads files and the like, run beside the loop."""

    async def run(case: Case) -> list[Finding]:
        return await aside(lambda: look(case))

    return run
