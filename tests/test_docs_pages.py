"""The README and the pages of the documentation say what the code says."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.routing import Route, WebSocketRoute
from typer.testing import CliRunner

from exobridge import desk
from exobridge.app import create_app
from exobridge.call import session
from exobridge.call.events import Decision, Role, answer, details, transfer_requested
from exobridge.call.events import Turn as KeptTurn
from exobridge.cli.main import app as commands
from exobridge.demo import DemoReport, Stages
from exobridge.demo_share import Delays, Share
from exobridge.demo_vendors import VendorReport
from exobridge.settings import Settings, load_settings
from exobridge.simulator import CallReport, Outcome, Rule, Turn, Violation, timeline
from exobridge.simulator.report import MarkSeen
from exobridge.store import Store
from exobridge.templates import load_templates
from exobridge_providers.base import SttProvider, TtsProvider
from exobridge_providers.registry import BUILT_IN, Kind, provider_class
from exobridge_providers.vendor import SttProtocol, TtsProtocol
from tests.test_docs import OTHERS, provider_variables

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAMED = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES]

PACKAGES = {
    "moonshine": "moonshine_voice",
    "whisper": "faster_whisper",
    "hibari": "hibari",
    "silero": "onnxruntime",
}
"""What a built-in provider needs; not every machine has a wheel of each."""

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEVELS = {"exception": "ERROR"}


def page(name: str) -> str:
    """A page's text, by its path below ``docs``."""
    return (DOCS / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, to the next one of its level."""
    level = heading.split()[0]
    found = re.search(
        rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.M | re.S
    )
    assert found, f"there is no {heading!r}"
    return found[1]


def tables(text: str) -> list[list[list[str]]]:
    """The text's tables: rows of cells, without their heads."""
    found: list[list[list[str]]] = []
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        lines = block.strip().splitlines()[2:]
        found.append([[cell.strip() for cell in line.strip("|").split("|")] for line in lines])
    return found


def names(cell: str) -> list[str]:
    """What stands between back-quotes."""
    return re.findall(r"`([^`]+)`", cell)


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language."""
    return [code for tag, code in FENCED.findall(text) if tag == language]


def once(rows: list[str]) -> set[str]:
    """The rows' names, none of which may stand twice."""
    assert len(rows) == len(set(rows)), "a row stands twice"
    return set(rows)


# ------------------------------------------------------------------ commands


@cache
def command_line() -> dict[str, Any]:
    """The commands by name; typer's own classes are no public part of it."""
    return _commands_of(typer.main.get_command(commands), "")


def _commands_of(group: Any, above: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            found.update(_commands_of(command, f"{above}{name} "))
        else:
            found[f"{above}{name}"] = command
    return found


def shown(value: object) -> str:
    """A parameter's default as the page writes it."""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if value is None:
        return "not set"
    text = str(value.value if isinstance(value, StrEnum) else value)
    return f"`{text}`" if text else "empty"


def test_the_commands_page_has_every_command() -> None:
    """None is missing and none is made up, in the list and among the headings."""
    text = page("reference/commands.md")
    listed = [names(row[0])[0].removeprefix("exobridge ") for row in tables(text)[0]]
    assert once(listed) == set(command_line())
    assert set(re.findall(r"^## `exobridge ([a-z ]+)`$", text, re.MULTILINE)) == set(command_line())


@pytest.mark.parametrize("command", command_line())
def test_the_commands_page_has_every_option(command: str) -> None:
    """Each has its default, and begins with the words of ``--help``."""
    text = section(page("reference/commands.md"), f"## `exobridge {command}`")
    page_says = {tuple(names(row[0])): row[1:] for row in tables(text)[0]}
    parameters = command_line()[command].params
    assert set(page_says) == {(*each.opts, *each.secondary_opts) for each in parameters}
    for each in parameters:
        default, words = page_says[(*each.opts, *each.secondary_opts)]
        assert default == shown(each.default), each.name
        assert words.startswith(each.help), each.name


def flat(value: object, above: str = "") -> Iterator[str]:
    """The keys of a JSON value: ``turns``, ``turns[].role``."""
    if isinstance(value, dict):
        for key, inner in cast(dict[str, Any], value).items():
            yield f"{above}{key}"
            if key not in ("violation_counts", "data"):  # keyed by what happened
                yield from flat(inner, f"{above}{key}.")
    elif isinstance(value, list):
        for inner in cast(Any, value)[:1]:
            yield from flat(inner, f"{above.removesuffix('.')}[].")


FAULT = timeline.Entry(
    0, timeline.Party.EXOTEL, timeline.Party.SERVER, timeline.Kind.FAULT, "stalls"
)


def report() -> CallReport:
    """A report with one of everything that has keys of its own."""
    return CallReport(
        call_sid="c",
        stream_sid="s",
        encoding="pcm16",
        sample_rate=8000,
        frame_ms=20,
        outcome=Outcome.COMPLETED,
        turns=(Turn("bot", "hello", 0, 1, 1),),
        marks=(MarkSeen(0, "end", returned=True),),
        violations=(Violation(Rule.NOT_JSON, 0, ""),),
        violation_counts=((Rule.NOT_JSON, 1),),
        faults=(FAULT,),
    )


def test_the_commands_page_has_every_key_of_a_report() -> None:
    """The report of ``call`` in the first table, what ``demo`` adds in the second, and what it adds
    with ``--vendors`` in the third."""
    text = section(page("reference/commands.md"), "## The report of `call` and `demo`")
    of_call, of_demo, of_vendors = ([names(row[0])[0] for row in table] for table in tables(text))
    call = set(flat(report().to_json()))
    demo = DemoReport(report(), (Stages(1, 1, 0, 0, 0, 0),), "", 0.0)
    assert once(of_call) == call
    assert once(of_demo) == set(flat(demo.to_json())) - call
    vendors = VendorReport(report(), (Share(1, 1, Delays(1, 0, 0, 0)),), ())
    assert once(of_vendors) == set(flat(vendors.to_json())) - call


def test_the_commands_page_has_every_outcome_of_a_simulated_call() -> None:
    """Whoever reads a report's ``outcome`` finds the word."""
    text = section(page("reference/commands.md"), "## The report of `call` and `demo`")
    row = next(row for row in tables(text)[0] if row[0] == "`outcome`")
    assert set(names(row[1])) == {str(outcome) for outcome in Outcome}


async def keep_a_call(url: str) -> None:
    """Put one call with a turn, and with all that may be told of it, into a new store."""
    store = await Store.open(url)
    now = datetime.now(UTC)
    await store.append(answer("c", now, decision=Decision.ACCEPT))
    asked = transfer_requested("c", now, stream_sid="s", utterance="u", target="sales")
    await store.append(asked)
    await store.append(details("c", now, status="completed", data={}))
    store.add_turn_soon(KeptTurn("c", "s", 1, Role.BOT, "hello", 0, 1))
    await store.aclose()


async def test_the_commands_page_has_every_key_of_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call as ``exobridge calls --json`` prints it has the page's keys."""
    monkeypatch.setenv("EXOBRIDGE_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    await keep_a_call(load_settings().database_url.get_secret_value())
    result = await asyncio.to_thread(CliRunner().invoke, commands, ["calls", "c", "--json"])
    assert result.exit_code == 0, result.output
    text = section(page("reference/commands.md"), "## The JSON of `calls`")
    listed = [names(row[0])[0] for row in tables(text)[0]]
    assert once(listed) == set(flat(json.loads(result.stdout)))


# ------------------------------------------------------------------ log


def logged() -> dict[tuple[str, str], set[str]]:
    """Event and level of every log call in the packages, with its fields."""
    found: dict[tuple[str, str], set[str]] = {}
    for folder in ("bridge", "providers", "codecs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and (level := _level(node)):
                    event = node.args[0]
                    assert isinstance(event, ast.Constant), f"{path}:{node.lineno} is no text"
                    given = {keyword.arg or "**" for keyword in node.keywords} - {"exc_info"}
                    found.setdefault((str(event.value), level), set()).update(given)
    return found


def _level(node: ast.Call) -> str:
    """The level of a call like ``_log.info(…)`` or ``self._log.info(…)``; else empty."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return ""
    owner = function.value
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    if name.strip("_") not in ("log", "logger"):
        return ""
    known = ("debug", "info", "warning", "error", "critical", "exception")
    return LEVELS.get(function.attr, function.attr.upper()) if function.attr in known else ""


def test_the_log_page_has_every_event() -> None:
    """Each with its level and its fields; the call's id is in every line of a call anyway."""
    rows = tables(section(page("reference/log.md"), "## The events"))[0]
    page_says = {(names(row[0])[0], row[1]): set(names(row[2])) for row in rows}
    assert len(page_says) == len(rows), "a row stands twice"
    code_says = logged()
    assert set(page_says) == set(code_says)
    for key, given in code_says.items():
        assert page_says[key] == given, key


# ------------------------------------------------------------------ endpoints


async def test_the_endpoints_page_has_every_route(tmp_path: Path) -> None:
    """No path and no method is missing, and none is made up."""
    settings = Settings.read(
        {
            "EXOBRIDGE_DATA_DIR": str(tmp_path),
            "DIALOGUE_PROVIDER": "echo",
            "VAD_PROVIDER": "none",
        }
    )
    app = create_app(settings, load_templates(None, settings))
    routes: dict[str, str] = {}
    async with app.router.lifespan_context(app):
        for route in app.routes:
            assert isinstance(route, Route | WebSocketRoute)
            if route.path.startswith("/api/v1"):  # docs/reference/api.md, made of the operations
                continue
            methods = sorted(route.methods or ()) if isinstance(route, Route) else ["WebSocket"]
            routes[route.path] = ", ".join(method for method in methods if method != "HEAD")
    rows = tables(page("reference/http.md"))[0]
    assert {names(row[1])[0]: row[0] for row in rows} == routes
    assert len(rows) == len(routes)


def test_the_endpoints_page_has_every_close_code() -> None:
    """The server closes with no other code than the table has."""
    rows = tables(section(page("reference/http.md"), "## `/exotel/stream`"))[0]
    codes = {session.NORMAL, session.GOING_AWAY, session.POLICY, session.ERROR}
    assert {int(row[0]) for row in rows} == codes


def test_the_endpoints_page_has_every_reason_of_a_refusal() -> None:
    """What stands in a refusal's ``error``."""
    text = section(page("reference/http.md"), "## `/exotel/answer`")
    assert {desk.UNKNOWN, desk.CLOSED, desk.BUSY, desk.DRAINING} <= set(names(text))


# ------------------------------------------------------------------ providers


def built_in() -> list[tuple[Kind, str]]:
    """Every built-in provider."""
    return [(kind, name) for kind, known in BUILT_IN.items() for name in known]


def described() -> dict[tuple[str, str], str]:
    """What the pages tell of each provider: of those of vendors each vendor's own page does."""
    found: dict[tuple[str, str], str] = {}
    for path in (DOCS / "reference" / "providers.md", *(DOCS / "reference/vendors").glob("*.md")):
        text = path.read_text("utf-8")
        for name, kind in re.findall(r"^## `([\w-]+)` \((\w+)\)$", text, re.MULTILINE):
            assert (kind, name) not in found, f"{name} ({kind}) stands twice"
            found[kind, name] = section(text, f"## `{name}` ({kind})")
    return found


def test_the_providers_page_lists_every_built_in_one() -> None:
    """As a heading there or on its vendor's page; in the list at its top, with its kind, if it
    stands below."""
    text = page("reference/providers.md")
    listed = [(names(row[1])[0], names(row[0])[0]) for row in tables(text)[0]]
    headings = re.findall(r"^## `([\w-]+)` \((\w+)\)$", text, re.MULTILINE)
    assert len(listed) == len(set(listed)), "a row stands twice"
    assert {(kind, name) for name, kind in headings} <= set(listed) <= set(described())
    assert set(described()) == {(str(kind), name) for kind, name in built_in()}


def options(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every dotted key of a provider's options; ``[]`` for those of a list's tables."""
    for name, info in model.model_fields.items():
        yield f"{above}{name}", info
        in_list = "[]" if get_origin(info.annotation) is tuple else ""
        for part in [info.annotation, *get_args(info.annotation)]:
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from options(part, f"{above}{name}{in_list}.")


def toml(info: FieldInfo) -> str:
    """An option's default as the page writes it."""
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True)
    # JSON writes what options have by default as TOML does.
    return "none" if default is None else f"`{json.dumps(default)}`"


def bounds(info: FieldInfo) -> str:
    """An option's range as the page writes it; empty without one."""
    low = [part.ge for part in info.metadata if hasattr(part, "ge")]
    high = [part.le for part in info.metadata if hasattr(part, "le")]
    return f"{low[0]} to {high[0]}" if low and high else ""


@pytest.mark.parametrize(("kind", "name"), built_in())
def test_the_providers_page_has_every_option(kind: Kind, name: str) -> None:
    """Each with its default and its range."""
    if package := PACKAGES.get(name):
        pytest.importorskip(package)
    rows = tables(described()[kind, name])[0]
    page_says = {names(row[0])[0]: (row[1], row[2]) for row in rows}
    known = dict(options(provider_class(kind, name).options_type))
    assert len(rows) == len(page_says)
    assert set(page_says) == set(known)
    for key, info in known.items():
        default, values = page_says[key]
        assert default == toml(info), key
        assert values.startswith(bounds(info)), key


def capabilities(found: type[Any]) -> dict[str, str]:
    """What a provider can do, as the page writes it."""
    if issubclass(found, SttProvider | TtsProvider):
        known = found.capabilities
        return {field.name: _told(getattr(known, field.name)) for field in fields(known)}
    rates = [f"{rate} Hz" for rate in getattr(found, "sample_rates", ())]
    return {"sample_rates": ", ".join(rates) or "any"} if hasattr(found, "sample_rates") else {}


def _told(value: Any) -> str:
    match value:
        case None:
            return "any"
        case bool():
            return "yes" if value else "no"
        case frozenset():
            return ", ".join(sorted(cast(frozenset[str], value))) or "any"
        case tuple():
            return ", ".join(
                f"{each.encoding} at {each.sample_rate} Hz" for each in cast(Any, value)
            )
        case _:
            return str(value)


@pytest.mark.parametrize(("kind", "name"), built_in())
def test_the_providers_page_tells_what_each_can_do(kind: Kind, name: str) -> None:
    """The capabilities are those that the class declares."""
    if package := PACKAGES.get(name):
        pytest.importorskip(package)
    found = tables(described()[kind, name])
    page_says = {names(row[0])[0]: row[1] for row in found[1]} if len(found) > 1 else {}
    assert page_says == capabilities(provider_class(kind, name))


VENDORS = sorted((DOCS / "reference" / "vendors").glob("*.md"))


@pytest.mark.parametrize("path", VENDORS, ids=lambda path: path.stem)
def test_the_snippets_of_a_vendors_page_are_templates(path: Path, tmp_path: Path) -> None:
    """Each works as it stands, with the defaults for the rest."""
    for package in PACKAGES.values():
        pytest.importorskip(package)
    snippets = blocks(path.read_text("utf-8"), "toml")
    assert snippets
    for code in snippets:
        (tmp_path / "default.toml").write_text(code, "utf-8")
        template = load_templates(tmp_path, Settings.read({}))["default"]
        for kind, used in ((Kind.STT, template.stt), (Kind.TTS, template.tts)):
            can = capabilities(provider_class(kind, used.provider))
            known = can["languages"].split(", ")
            assert {"any", template.language.partition("-")[0], template.language} & {*known}


def test_the_example_of_a_provider_is_the_one_that_is_tested() -> None:
    """The page shows the package's module as it stands, and its entry point."""
    text = page("how-to/write-a-provider.md")
    example = ROOT / "tests" / "example_provider"
    module = (example / "acme_exobridge" / "stt.py").read_text("utf-8")
    assert module in blocks(text, "python")
    project = tomllib.loads((example / "pyproject.toml").read_text("utf-8"))["project"]
    shown = [tomllib.loads(block).get("project", {}) for block in blocks(text, "toml")]
    assert {"entry-points": project["entry-points"]} in shown


def test_the_guide_of_plugins_names_every_hook() -> None:
    """Those of speech-to-text in the first column, those of text-to-speech in the second."""
    rows = tables(section(page("how-to/write-a-provider.md"), "## A vendor's plugin"))[0]
    for column, protocol in enumerate((SttProtocol, TtsProtocol)):
        told = {name.partition("(")[0] for row in rows for name in names(row[column])}
        assert told == {name for name in vars(protocol) if not name.startswith("_")}


# ------------------------------------------------------------------ every page


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def links(path: Path) -> Iterator[tuple[Path, str]]:
    """The files a page links to, each with its anchor or an empty text."""
    prose = FENCED.sub("", path.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield ((path.parent / file).resolve() if file else path), anchor


@pytest.mark.parametrize("path", NAMED)
def test_every_link_leads_somewhere(path: Path) -> None:
    """A relative link's file is there, and so is the heading that it names."""
    for target, anchor in links(path):
        assert target.exists(), f"{target} is not there"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), f"{target} has no heading for #{anchor}"


def test_every_page_can_be_found() -> None:
    """The README leads to the index, and the index to every page; to those of vendors by the
    matrix, which is made anew by itself."""
    index, matrix = DOCS / "index.md", DOCS / "reference" / "provider-matrix.md"
    assert (index, "") in links(ROOT / "README.md")
    found = {target for target, _ in links(index)}
    assert matrix in found
    assert set(PAGES) - {index} <= found | {target for target, _ in links(matrix)}


@pytest.mark.parametrize("path", NAMED)
def test_code_in_the_pages_can_be_read(path: Path) -> None:
    """Python compiles, TOML and JSON parse, and a block that names no language is none."""
    text = path.read_text("utf-8")
    for code in blocks(text, "python"):
        compile(code, str(path), "exec")
    for code in blocks(text, "toml"):
        tomllib.loads(code)
    for code in blocks(text, "json"):
        json.loads(code)
    assert {tag for tag, _ in FENCED.findall(text)} <= {
        *("python", "javascript", "toml", "json", "sh", "text")
    }


def named(text: str) -> list[tuple[str, str]]:
    """The TOML blocks that begin with their file's name, each with that name."""
    return [
        (name[1], code)
        for code in blocks(text, "toml")
        if (name := re.match(r"# (?:templates/)?([a-z0-9_-]+)\.toml\n", code))
    ]


def templates() -> list[Any]:
    """Those of all pages, each with the others of its page by name."""
    return [
        pytest.param(name, {**dict(found), name: code}, id=f"{path.stem}-{name}")
        for path in PAGES
        for found in [named(path.read_text("utf-8"))]
        for name, code in found
    ]


@pytest.mark.parametrize(("name", "page_has"), templates())
def test_templates_in_the_pages_work(name: str, page_has: dict[str, str], tmp_path: Path) -> None:
    """Saved under its name, with the lists that it names, each answers for a number; no setting but
    the number's is needed."""
    for package in PACKAGES.values():
        pytest.importorskip(package)
    for each, code in page_has.items():
        (tmp_path / f"{each}.toml").write_text(code, "utf-8")
        for listed in re.findall(r'"file:([^"]+)"', code):
            (tmp_path / listed).write_text("number\n+919811122233\n", "utf-8")
    settings = Settings.read({"EXOTEL_NUMBERS": f"+918047112233={name}"})
    assert load_templates(tmp_path, settings)[name].greeting


@pytest.mark.parametrize(
    "name", ["how-to/routing.md", "how-to/transfer.md", "how-to/recordings.md", "topics/privacy.md"]
)
def test_templates_to_copy_say_their_files_name(name: str) -> None:
    """So that each of them is loaded by the test above."""
    text = page(name)
    assert [code for _, code in named(text)] == blocks(text, "toml") != []


def shell_lines() -> list[Any]:
    """Each command that a page tells the reader to type, as words, without its settings."""
    found: list[Any] = []
    for path in PAGES:
        for code in blocks(path.read_text("utf-8"), "sh"):
            for line in code.replace("\\\n", "").splitlines():
                typed = shlex.split(line, comments=True)
                typed = [word for word in typed if not re.match(r"[A-Z_]+=", word)]
                if typed:
                    found.append(pytest.param(typed, id=f"{path.stem}: {' '.join(typed)}"))
    return found


@pytest.mark.parametrize("typed", shell_lines())
def test_what_a_page_tells_to_type_exists(typed: list[str]) -> None:
    """Each command, each of its options, and each target of make."""
    program, first, *rest = [*typed, ""]
    if Path(program).name == "exobridge":
        words = [first, *rest]
        known_commands = command_line()
        command = known_commands.get(first) or known_commands[" ".join(words[:2])]
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= known
    elif program not in ("python", "curl"):  # tests/stories/test_page.py types those
        assert program == "make"
        assert first in targets()


def targets() -> dict[str, str]:
    """The targets of the Makefile that its help shows."""
    text = (ROOT / "Makefile").read_text("utf-8")
    return dict(re.findall(r"^([a-z-]+):.*## (.+)$", text, re.MULTILINE))


def test_contributing_has_every_target_of_make() -> None:
    """None is missing and none is made up."""
    rows = tables(section((ROOT / "CONTRIBUTING.md").read_text("utf-8"), "## Set up"))[0]
    assert {names(row[0])[0].removeprefix("make ") for row in rows} == set(targets())


@pytest.mark.parametrize("path", NAMED)
def test_pages_name_only_settings_that_exist(path: Path) -> None:
    """A variable that a page mentions can be set."""
    # ${NAME} is a variable of the reader's own choice.
    text = re.sub(r"\$\{\w+\}", "", path.read_text("utf-8"))
    named = set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)+\b", text))
    # Acme is the reader's own vendor.
    ours = {name for name in named if not name.startswith((*OTHERS, "ACME_"))}
    assert ours <= {*Settings.variables(), *provider_variables()}
