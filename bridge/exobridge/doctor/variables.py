"""The settings: what is wrong with them, and what can be read all the same."""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exobridge.doctor.finding import Finding, error, ok, warning
from exobridge.errors import ConfigError
from exobridge.numbers import VARIABLE as NUMBERS
from exobridge.observe.tracing import traces_wanted
from exobridge.settings import DOTENV, OUR_PREFIXES, Settings, load_variables

COMPANIONS = {
    "EXOTEL_API_KEY": "EXOTEL_API_TOKEN",
    "EXOTEL_API_TOKEN": "EXOTEL_API_KEY",
    "EXOBRIDGE_SECRET": "EXOBRIDGE_PUBLIC_URL",
    "TRUSTED_PROXIES": "EXOBRIDGE_PUBLIC_URL",
}
"""Which variable asks for another; where that one is missing, this one is taken as not set too."""

EXAMPLE_NUMBERS = ("8047112233", "8047112244")
"""Those of ``.env.example``."""

GOOD_EXAMPLES = ("DATABASE_URL", "EXOBRIDGE_TEMPLATES_DIR", "MAX_CALLS")
"""Variables whose example is a value that many have."""

_FILLED_IN = re.compile(
    r"change[-_ ]?me|replace[-_ ]?me|^your|your[-_ ]|^<.*>$|^x{4,}$|\bexample\.(com|org|net)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Read:
    """What was read.

    Attributes:
        settings: ``None``: not even a part of them can be used.
    """

    variables: Mapping[str, str]
    settings: Settings | None
    findings: tuple[Finding, ...]


def read(environ: Mapping[str, str] | None = None) -> Read:
    """The settings of the environment and of ``.env``; a variable that is wrong is a finding, and
    counts as not set."""
    findings: list[Finding] = []
    from_file: dict[str, str] = {}
    try:
        from_file = load_variables({})
        findings += _file_mode(DOTENV)
    except ConfigError as problem:
        findings.append(_as_finding("settings.file", problem))
    variables = {**from_file, **load_variables(environ, None)}
    settings, problems = _readable(variables)
    try:
        traces_wanted(variables)
    except ConfigError as problem:
        problems.append(problem)
    findings += [_as_finding("settings.value", problem) for problem in problems]
    if not problems:
        known = set(Settings.variables())
        count = sum(1 for name, value in variables.items() if name in known and value.strip())
        findings.append(ok("settings.value", f"{count} variables are set, and all can be read"))
    findings += _unknown(variables, from_file)
    findings += _left_from_example(variables)
    return Read(variables, settings, tuple(findings))


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """What must never be shown, readable as a setting or not."""
    names = (
        str(info.validation_alias)
        for name, info in Settings.model_fields.items()
        if "SecretStr" in str(info.annotation) and name != "database_url"
    )
    return [value for name in names if (value := variables.get(name, "").strip())]


def _as_finding(about: str, problem: ConfigError) -> Finding:
    return error(about, f"{problem.where}: {problem.problem}", problem.cure)


def _readable(variables: Mapping[str, str]) -> tuple[Settings | None, list[ConfigError]]:
    """The settings without those that are wrong, and what is wrong, each variable once."""
    left = dict(variables)
    found: dict[str, ConfigError] = {}
    while True:
        try:
            return Settings.read(left), list(found.values())
        except ConfigError as problem:
            wrong = (problem, *problem.also)
        for each in wrong:
            found.setdefault(each.where, each)
        names = [each.where if each.where in left else COMPANIONS.get(each.where) for each in wrong]
        dropped = [name for name in names if name in left]
        if not dropped:
            return None, list(found.values())
        for name in set(dropped):
            left.pop(str(name))


def _file_mode(path: Path) -> Iterator[Finding]:
    try:
        found = path.stat()
    except OSError:  # there is none, or nobody may look
        return
    if not stat.S_ISREG(found.st_mode):  # nothing is read of it
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        yield warning(
            "settings.file",
            f"{path.resolve()} can be read by other users of this machine (mode {mode:03o})",
            f"chmod 600 {path.resolve()}",
        )
    else:
        yield ok("settings.file", f"{path.resolve()} is for its owner's eyes only")


def _unknown(variables: Mapping[str, str], from_file: Mapping[str, str]) -> Iterator[Finding]:
    known = Settings.variables()
    for name in sorted(set(variables) - set(known)):
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
        # Of the environment only what bears our name: the rest is other programs'.
        if name.startswith(OUR_PREFIXES) or (near and name in from_file):
            cure = f"Did you mean {near[0]}? Rename it" if near else "Correct it"
            found = f"{name} is no variable of exobridge and has no effect"
            yield warning("settings.unknown", found, f"{cure}, or remove it.")


def _left_from_example(variables: Mapping[str, str]) -> Iterator[Finding]:
    for info in Settings.model_fields.values():
        name = str(info.validation_alias)
        value = variables.get(name, "").strip()
        has_default = info.default is not None and info.default_factory is None
        examples = [] if has_default else [str(each) for each in info.examples or ()]
        is_example = name not in GOOD_EXAMPLES and value in examples
        if name == NUMBERS:
            is_example = any(number in value for number in EXAMPLE_NUMBERS)
        if value and (is_example or _FILLED_IN.search(value)):
            yield warning(
                "settings.placeholder",
                f"{name} looks like the example it was copied from",
                f"Put your own value in place of it, or remove the line {name}=…",
            )
