"""Where calls go beside the bot: a template's rules, its applications, the people it hands to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.numbers import NumberBook
from exobridge.routing.faults import faults, tables
from exobridge.templates import Template, is_open
from exobridge.templates.routing import RouteTable, WhenTable

ENDPOINTS = frozenset({"answer", "passthru", "greeting"})
"""Those that ask a template's rules."""


def look(case: Case) -> list[Finding]:
    """What the templates in use name must be there."""
    return [
        finding
        for name, template in case.in_use.items()
        for finding in (
            *_rules(name, template),
            *_applications(name, template),
            *_targets(name, template, case.book),
        )
    ]


def _rules(name: str, template: Template) -> Iterator[Finding]:
    if not template.routes:
        return
    never = list(unreachable(template.routes))
    for rule, before in never:
        found = f"{name}: rule {rule} never decides, as {before} before it holds for every call"
        yield warning("templates.routes", found, f"Move it above {before}, or remove it.")
    if not never:
        names = ", ".join(dict.fromkeys(rule.name for rule in template.routes))
        found = f"{name} has the rules {names}: an applet's ?rule= names one of these"
        yield ok("templates.routes", found)


def unreachable(routes: Sequence[RouteTable]) -> Iterator[tuple[str, str]]:
    """Names of the rules that never decide, each with that of the rule before it that does."""
    taken: dict[str, str] = {}  # endpoints, each with the rule that takes all of its calls
    for rule in routes:
        asked = {rule.when.endpoint} if rule.when.endpoint else ENDPOINTS
        if asked <= taken.keys():
            yield rule.name, taken[min(asked)]
        elif rule.when == WhenTable(endpoint=rule.when.endpoint):
            taken |= dict.fromkeys(asked - taken.keys(), rule.name)


def _applications(name: str, template: Template) -> Iterator[Finding]:
    faulty = set[str]()
    for fault in faults(template):
        faulty.add(fault.table)
        found = f"{name}: [{fault.table}] {fault.error}"
        yield error("templates.applications", found, f"Set it, or mend [{fault.table}].")
    named = [table for table, each in tables(template) if each.url]
    if template.lookup.hook:
        named.append("lookup")
    for table in sorted({*named} - faulty):
        yield ok("templates.applications", f"{name}: [{table}] has all that it needs")


def _targets(name: str, template: Template, book: NumberBook) -> Iterator[Finding]:
    transfer, now = template.transfer, datetime.now(UTC)
    for target, table in transfer.targets.items():
        whom = f"{name}: target {target}"
        if any(book.is_set and book.template_for(number) for number in table.numbers):
            found = f"{whom} rings an ExoPhone of yours: a bot would answer the caller"
            yield warning("templates.targets", found, "Name the telephones of people there.")
        elif not is_open(table.hours, now):
            yield info("templates.targets", f"{whom} is closed now: a test call comes back")
        else:
            count = len(table.numbers)
            found = f"{whom} has {count} number{'' if count == 1 else 's'}, and is open now"
            yield ok("templates.targets", found)
    if not transfer.names_somebody:
        return
    for target in sorted(_named_by_a_script(template)):
        if transfer.find(target, now).problem == "unknown":
            found = f'{name}: the script hands over to "{target}", whom [transfer] does not name'
            cure = f"Add [transfer.targets.{target}] with its numbers, or correct the script."
            yield warning("templates.targets", found, cure)


def _named_by_a_script(template: Template) -> set[str]:
    """Targets that the ``scripted`` dialogue's options name; what a model names is not known."""
    options = [
        choice.options for choice in template.dialogue.choices() if choice.name == "scripted"
    ]
    return {target for each in options for target in _transfers(each)}


def _transfers(options: object) -> Iterator[str]:
    """Every text below a key ``transfer``, however deep."""
    if isinstance(options, list):
        for each in cast(list[object], options):
            yield from _transfers(each)
    elif isinstance(options, dict):
        for key, value in cast(dict[str, Any], options).items():
            if key == "transfer" and isinstance(value, str):
                yield value
            else:
                yield from _transfers(value)
