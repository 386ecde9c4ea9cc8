"""Reads the templates' files and checks all that can be known before a call."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from pydantic import ValidationError

from exobridge.errors import ConfigError
from exobridge.languages import code_of
from exobridge.numbers import DEFAULT_TEMPLATE, TEMPLATE_NAME
from exobridge.numbers import VARIABLE as NUMBERS_VARIABLE
from exobridge.provider_names import dialogue_kind, listed
from exobridge.settings import Settings
from exobridge.templates.hints import hint
from exobridge.templates.lists import FOLDER
from exobridge.templates.models import Template
from exobridge.templates.providers import provider_problems
from exobridge.templates.routing import named_pairs, named_templates
from exobridge.validation import Problem, problems
from exobridge_providers.registry import Kind

Templates: TypeAlias = Mapping[str, Template]
"""Templates by name. ``default`` and ``demo`` are always there."""

DIRECTORY_VARIABLE = "EXOBRIDGE_TEMPLATES_DIR"
SHIPPED = (DEFAULT_TEMPLATE, "demo")
NOT_WITH_REALTIME = ("stt", "audio", "turns", "texts", "voicemail")
LIMITS_NOT_WITH_REALTIME = ("warning_seconds", "idle_reprompts", "filler_ms")


@dataclass(frozen=True, slots=True)
class _Source:
    """One file, read but not yet checked. ``label`` is how messages name it; ``folder`` is where
    the files are that it names."""

    name: str
    label: str
    text: str
    own: bool
    folder: Path | None = None


def load_templates(directory: Path | None, settings: Settings) -> Templates:
    """All templates: the shipped ones, replaced and joined by the files of ``directory``.

    Where a file names no provider, the settings' one is filled in. Providers are checked, not
    started. A shipped template that answers for no number is not held to what is installed.

    Raises:
        ConfigError: Everything that is wrong in any file, with file, key and cure.
    """
    sources = {source.name: source for source in [*_shipped(), *_own(directory)]}
    templates: dict[str, Template] = {}
    errors: list[ConfigError] = []
    for name, source in sources.items():
        try:
            templates[name] = _template(source, settings)
        except ConfigError as error:
            errors.append(error)
    errors += _missing(settings, sources)
    errors += _missing_targets(templates, sources)
    if errors:
        raise ConfigError.of(errors)
    return MappingProxyType(templates)


def _shipped() -> list[_Source]:
    return [
        _Source(name, f"{name}.toml of exobridge", _shipped_text(name), own=False)
        for name in SHIPPED
    ]


def _shipped_text(name: str) -> str:
    return resources.files("exobridge.templates").joinpath(f"{name}.toml").read_text("utf-8")


def _own(directory: Path | None) -> list[_Source]:
    if directory is None:
        return []
    if not directory.is_dir():
        cure = f"Create {directory}, or unset {DIRECTORY_VARIABLE}."
        raise ConfigError(DIRECTORY_VARIABLE, "is no directory", cure)
    files = sorted(path for path in directory.glob("*.toml") if not path.name.startswith("."))
    return [_Source(path.stem, str(path), _read(path), True, directory) for path in files]


def _read(path: Path) -> str:
    if not TEMPLATE_NAME.fullmatch(path.stem):
        cure = "Use lower-case letters, digits, _ and -, like reception.toml."
        raise ConfigError(str(path), "the file's name cannot be a template's name", cure)
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not written in UTF-8", "Save it as UTF-8.") from None
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise ConfigError(str(path), problem, "Check what it is and who may read it.") from None


def _template(source: _Source, settings: Settings) -> Template:
    tables = _tables(source)
    if source.name == DEFAULT_TEMPLATE and not source.own:
        del tables["dialogue"]  # another DIALOGUE_PROVIDER takes its place
    _raise(source, _unused_tables(tables, settings))
    if "dialogue" not in tables and _is_english(tables):
        tables["dialogue"] = {"options": _reception(settings)}
    _fill_in(tables, settings)
    try:
        template = Template.model_validate(tables, context={FOLDER: source.folder})
    except ValidationError as error:
        found = [_with_cure(problem) for problem in problems(error)]
    else:
        in_use = source.own or source.name in settings.numbers.templates
        if not in_use or not (found := provider_problems(template)):
            return template
    raise _error(source, found)  # out here, so that no refused value hangs on as its context


def _tables(source: _Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        problem = f"is no TOML: {error}"
    raise ConfigError(source.label, problem, "See https://toml.io for the form.")


def _is_english(tables: Mapping[str, Any]) -> bool:
    language = tables.get("language", Template().language)
    return isinstance(language, str) and code_of(language) == "en"


def _reception(settings: Settings) -> dict[str, Any]:
    """Options of the dialogue in a template that says nothing of it: the script of the shipped
    reception, if ``DIALOGUE_PROVIDER`` names scripts."""
    script: dict[str, Any] = tomllib.loads(_shipped_text(DEFAULT_TEMPLATE))["dialogue"]
    name, names = script["provider"], listed(settings.dialogue_provider)
    if name not in names:
        return {}
    return {name: script["options"]} if names[1:] else cast(dict[str, Any], script["options"])


def _fill_in(tables: dict[str, Any], settings: Settings) -> None:
    silent = (
        ("stt", "provider", settings.stt_provider),
        ("tts", "provider", settings.tts_provider),
        ("vad", "provider", settings.vad_provider),
        ("dialogue", "provider", settings.dialogue_provider),
        ("stream", "encoding", settings.stream_encoding),
        ("telephony_config", "applet_app_id", settings.exotel_template_applet_app_id),
    )
    for table, key, value in silent:
        tables.setdefault(table, {})
        keys = _table(tables, table)
        if keys is not None and value and keys.get(key, "") == "":
            keys[key] = value


def _table(tables: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A table to read or fill; ``None`` for what is absent, or no table (the model refuses it)."""
    found = tables.get(name)
    return cast(dict[str, Any], found) if isinstance(found, dict) else None


def _unused_tables(tables: dict[str, Any], settings: Settings) -> list[Problem]:
    """A speech-to-speech provider does all of this itself; silence about it would mislead."""
    name = (_table(tables, "dialogue") or {}).get("provider") or settings.dialogue_provider
    if dialogue_kind(str(name)) is not Kind.REALTIME:
        return []
    speaks = (_table(tables, "refusal") or {}).get("mode") == "say"
    unused = NOT_WITH_REALTIME if speaks else (*NOT_WITH_REALTIME, "tts")
    problem = "is not used: the dialogue's provider hears and speaks for itself"
    limits = _table(tables, "limits") or {}
    return [
        *(Problem((table,), problem, "Remove the table.") for table in unused if table in tables),
        *(
            Problem(("limits", key), problem, "Remove the key.")
            for key in LIMITS_NOT_WITH_REALTIME
            if key in limits
        ),
    ]


def _missing(settings: Settings, sources: Mapping[str, _Source]) -> list[ConfigError]:
    known = ", ".join(sorted(sources))
    return [
        ConfigError(
            NUMBERS_VARIABLE,
            f"there is no template named {name}",
            f"Add {name}.toml to the directory of {DIRECTORY_VARIABLE}, or use one of: {known}.",
        )
        for name in sorted(settings.numbers.templates - sources.keys())
    ]


def _missing_targets(templates: Templates, sources: Mapping[str, _Source]) -> Iterator[ConfigError]:
    known = ", ".join(sorted(sources))
    for name, template in templates.items():
        for target in sorted(named_templates(template.routes, template.lookup) - sources.keys()):
            yield ConfigError(
                f"{sources[name].label}: routes",
                f"there is no template named {target}",
                f"Add {target}.toml beside it, or use one of: {known}.",
            )


def in_use(names: Iterable[str], templates: Templates) -> frozenset[str]:
    """Names of the templates that calls may have: those of numbers, and those that rules name."""
    found = frozenset(names)
    return found.union(
        *(named_templates(templates[name].routes, templates[name].lookup) for name in found)
    )


def languages_of(name: str, names: Iterable[str], templates: Templates) -> list[str]:
    """The languages that calls with a template may be held in, its own first.

    Args:
        names: Templates of numbers, whose rules name others.
    """
    pairs = set[tuple[str, str]]().union(
        *(named_pairs(each, templates[each].routes, templates[each].lookup) for each in names)
    )
    own = templates[name].language
    return [own, *sorted({language for target, language in pairs if target == name} - {own})]


def _with_cure(problem: Problem) -> Problem:
    if problem.cure:
        return problem
    cure = hint(problem.path) or "See the keys and their ranges in docs/reference/templates.md."
    return Problem(problem.path, problem.problem, cure)


def _raise(source: _Source, found: list[Problem]) -> None:
    if found:
        raise _error(source, found)


def _error(source: _Source, found: list[Problem]) -> ConfigError:
    return ConfigError.of(
        [
            ConfigError(f"{source.label}: {problem.dotted}", problem.problem, problem.cure)
            for problem in found
        ]
    )
