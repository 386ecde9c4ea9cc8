"""The reference pages and the example file say what the code says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from exobridge.settings import Settings, load_settings
from exobridge.templates import Template
from exobridge_providers.registry import BUILT_IN, Kind, provider_class

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
ENV_EXAMPLE = ROOT / ".env.example"

COMPUTED = {
    "MAX_CALLS": "100 per worker",
    "OUTBOUND_RESERVE": "a tenth of `MAX_CALLS`, at least 1",
}
"""Defaults that depend on the machine, as the page words them."""

NOT_SET = "not set"

OTHERS = ("OTEL_", "AWS_")
"""Variables that OpenTelemetry and obstore read by themselves."""

FROM_SETTINGS = {
    "stt.provider": "STT_PROVIDER",
    "tts.provider": "TTS_PROVIDER",
    "vad.provider": "VAD_PROVIDER",
    "dialogue.provider": "DIALOGUE_PROVIDER",
    "stream.encoding": "STREAM_ENCODING",
    "telephony_config.applet_app_id": "EXOTEL_TEMPLATE_APPLET_APP_ID",
}
"""Keys of a template whose default is a setting."""


def provider_variables(*kinds: Kind) -> set[str]:
    """Variables that the options of built-in providers name, unless a template names others.

    Args:
        kinds: Of these; without any: of all that have some.
    """
    return {
        str(info.default)
        for kind, known in BUILT_IN.items()
        for name in known
        if kind in (kinds or (Kind.STT, Kind.TTS, Kind.DIALOGUE))
        for option, info in provider_class(kind, name).options_type.model_fields.items()
        if option.endswith("_env")
    }


def table(page: str) -> dict[str, str]:
    """First column to second of the page's table, without back-quotes."""
    text = (REFERENCE / page).read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| .+ \|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a row stands twice"
    return {name: default.strip("`") for name, default in rows}


def shown(value: object) -> str:
    """A setting's default as the page writes it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return NOT_SET if value is None or value == () else str(value)


def test_the_settings_page_has_every_variable_with_its_default() -> None:
    """No variable is missing, none is made up, and no default differs."""
    settings = load_settings({}, None)
    defaults: dict[str, str] = {}
    for field, info in Settings.model_fields.items():
        name = str(info.validation_alias)
        defaults[name] = COMPUTED.get(name) or shown(getattr(settings, field))
    defaults["EXOTEL_NUMBERS"] = NOT_SET if not settings.numbers.is_set else "set"
    assert table("settings.md") == defaults


def test_the_settings_page_speaks_of_no_other_variable() -> None:
    """The prose names only what exists."""
    text = (REFERENCE / "settings.md").read_text("utf-8")
    named = set(re.findall(r"`((?:EXO[A-Z]+|[A-Z]+_)[A-Z_]+)(?:=[^`]*)?`", text))
    ours = {name for name in named if not name.startswith(OTHERS)}
    assert ours - {"EXOBRIDGE_", "EXOTEL_"} == set(Settings.variables())


def test_the_settings_page_states_the_ranges() -> None:
    """A number's bounds in the page are those of the code."""
    text = (REFERENCE / "settings.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \| .+? \| (.+) \|$", text, re.MULTILINE))
    bounded = 0
    for info in Settings.model_fields.values():
        low, high = bounds(info)
        if low is not None:
            bounded += 1
            assert rows[str(info.validation_alias)].startswith(f"{low} to {high}")
    assert bounded >= 5


def example_lines() -> list[tuple[str, str, bool]]:
    """Name, value and whether it is commented out, of each variable in the example file."""
    text = ENV_EXAMPLE.read_text("utf-8")
    lines = re.findall(r"^(#?)([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE)
    return [(name, value, bool(hash_sign)) for hash_sign, name, value in lines]


def test_the_example_file_has_every_variable_once() -> None:
    """Whoever copies it has seen everything, and nothing that does not exist. A speech vendor's key
    may stand on the vendor's page alone."""
    listed = [name for name, _, _ in example_lines()]
    assert len(listed) == len(set(listed)), "a variable stands twice"
    assert {*Settings.variables(), *provider_variables(Kind.DIALOGUE)} <= set(listed)
    assert set(listed) <= {*Settings.variables(), *provider_variables()}


def test_the_example_file_as_it_stands_changes_nothing() -> None:
    """Copied and not filled in, it is the same as no file."""
    assert load_settings({}, ENV_EXAMPLE) == load_settings({}, None)


def test_the_examples_that_are_commented_out_work() -> None:
    """Each line can be made to count by removing its first character."""
    examples = {name: value for name, value, commented in example_lines() if commented}
    settings = load_settings({**examples, "EXOBRIDGE_SECRET": "a-secret-of-the-test"}, None)
    assert settings.numbers.is_set
    assert not settings.unknown_variables()


def test_the_examples_show_the_defaults() -> None:
    """Where a variable has a fixed default, the example is that default."""
    page = table("settings.md")
    for name, value, commented in example_lines():
        if name in provider_variables() or page[name] == NOT_SET:
            continue
        assert commented, f"{name} would be pinned by copying the file"
        if name not in COMPUTED:
            assert value.removeprefix("./") == page[name]


def keys(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every dotted key of a template's tables."""
    for name, info in model.model_fields.items():
        options = [info.annotation, *get_args(info.annotation)]
        tables = [t for t in options if isinstance(t, type) and issubclass(t, BaseModel)]
        if tables:
            yield from keys(tables[0], f"{above}{name}.")
        else:
            yield f"{above}{name}", info


def toml(value: Any) -> str:
    """A default as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple() | frozenset():
            return json.dumps(sorted(cast(frozenset[str], value)))
        case _:
            return str(value)


def shown_default(info: FieldInfo) -> str:
    """A key's default as the page writes it."""
    return "required" if info.is_required() else toml(info.get_default(call_default_factory=True))


def test_the_templates_page_has_every_key_with_its_default() -> None:
    """No key is missing, none is made up, and no default differs."""
    defaults = {key: FROM_SETTINGS.get(key) or shown_default(info) for key, info in keys(Template)}
    assert table("templates.md") == defaults


def bounds(info: FieldInfo) -> tuple[Any, Any]:
    """The lowest and the highest value, or ``None``."""
    low = [getattr(part, "ge", None) for part in info.metadata]
    high = [getattr(part, "le", None) for part in info.metadata]
    return next(filter_none(low), None), next(filter_none(high), None)


def filter_none(values: list[Any]) -> Iterator[Any]:
    """Those that are something."""
    return (value for value in values if value is not None)


def test_the_templates_page_states_the_ranges() -> None:
    """A number's bounds in the page are those of the code."""
    text = (REFERENCE / "templates.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \| .+? \| (.+) \|$", text, re.MULTILINE))
    bounded = 0
    for key, info in keys(Template):
        low, high = bounds(info)
        if low is not None:
            bounded += 1
            assert rows[key].startswith(f"{low} to {high}"), key
    assert bounded >= 14
