"""The templates: whether they load, and what a caller would meet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from exobridge.call.plan import is_realtime
from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.errors import ConfigError
from exobridge.provider_names import dialogue_kind
from exobridge.settings import Settings
from exobridge.templates import Template, Templates, is_open, load_templates
from exobridge.templates.loader import SHIPPED
from exobridge.templates.provider_table import Choice
from exobridge_providers.registry import provider_class

CODE_OF_THE_USER = ("python", "webhook")
"""Dialogues of whose answers nothing is known."""

_TRANSFER = re.compile(r'"transfer":(?!false|null)|"actions":\[[^\]]*"transfer"')
"""In options as JSON, their defaults included."""

_INSTALL = re.compile(r" \((pip install [^)]+)\)")


def load(settings: Settings) -> tuple[Templates | None, list[Finding]]:
    """The templates, or what is wrong with any of them."""
    try:
        templates = load_templates(settings.templates_dir, settings)
    except ConfigError as problem:
        return None, [_as_finding(each) for each in (problem, *problem.also)]
    if settings.templates_dir is None and any(Path("templates").glob("*.toml")):
        found = "there are templates in ./templates, and they are not read"
        cure = "EXOBRIDGE_TEMPLATES_DIR=./templates"
        return templates, [warning("templates.load", found, cure)]
    where = f"of {settings.templates_dir}" if settings.templates_dir else "of exobridge"
    return templates, [ok("templates.load", f"{len(templates)} templates {where} can be used")]


def _as_finding(problem: ConfigError) -> Finding:
    about = "providers.installed" if problem.where.endswith(".provider") else "templates.load"
    install = _INSTALL.search(problem.problem)
    cure = f"{install[1]} (or choose another provider)" if install else problem.cure
    return error(about, f"{problem.where}: {_INSTALL.sub('', problem.problem)}", cure)


def look(case: Case) -> list[Finding]:
    """What the templates hold that are in use, and which are not."""
    findings = [
        finding for name, template in case.in_use.items() for finding in _template(name, template)
    ]
    unused = sorted(set(case.templates or ()) - set(case.in_use) - set(SHIPPED))
    if unused:
        found = f"no number has {', '.join(unused)}"
        cure = f"To use one: EXOTEL_NUMBERS=…,+91…={unused[0]}"
        findings.append(info("templates.unused", found, cure))
    return findings


def _template(name: str, template: Template) -> Iterator[Finding]:
    yield from _greeting(name, template)
    yield from _hours(name, template)
    yield from _recording(name, template)
    if who := _who_transfers(template):
        yield info(
            "templates.transfer",
            f"{name} may hand callers to a human ({who})",
            "Put a Connect applet after the Voicebot applet in Exotel's flow: it dials the human.",
        )


def _recording(name: str, template: Template) -> Iterator[Finding]:
    if not template.recording.own:
        return
    if template.recording.consent.strip():
        yield ok("templates.recording", f"{name} tells its callers that they are recorded")
    else:
        found = f"{name} records its calls and does not say so"
        cure = f'In {name}.toml: [recording] consent = "This call is recorded."'
        yield warning("templates.recording", found, cure)


def _greeting(name: str, template: Template) -> Iterator[Finding]:
    if is_realtime(template.dialogue.provider):
        return
    if template.greeting.strip():
        yield ok("templates.greeting", f"{name} greets its callers")
    else:
        found = f"{name} has no greeting: callers hear silence and hang up"
        yield warning("templates.greeting", found, f'In {name}.toml: greeting = "Hello, …"')


def _hours(name: str, template: Template) -> Iterator[Finding]:
    if template.hours is None:
        yield ok("templates.hours", f"{name} is open at all hours")
    elif is_open(template.hours, datetime.now(UTC)):
        yield ok("templates.hours", f"{name} is open now ({template.hours.timezone})")
    else:
        found = f"{name} is closed now ({template.hours.timezone}): a test call would be refused"
        yield info("templates.hours", found)


def _who_transfers(template: Template) -> str:
    """The dialogues that may ask for a transfer."""
    choices = template.dialogue.choices()
    return ", ".join(choice.name for choice in choices if _transfers(choice))


def _transfers(choice: Choice) -> bool:
    if choice.name in CODE_OF_THE_USER:
        return True
    kind = dialogue_kind(choice.name)
    options = provider_class(kind, choice.name).options_type.model_validate(dict(choice.options))
    return _TRANSFER.search(options.model_dump_json(fallback=str)) is not None
