"""What ``exobridge simulate`` is to run: the flows, and what the command line puts into them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import typer
from pydantic import ValidationError

from exobridge.errors import ConfigError
from exobridge.simulator.flows.conformance import Urls, can_speak, conformance
from exobridge.simulator.flows.crowd import Load
from exobridge.simulator.flows.load import load_flow, warnings
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.scripts import Script, script_files
from exobridge.validation import problems

BUILT_IN = "the built-in flow"
MAX_SEEDS = 100_000
NOTHING: Mapping[str, str] = {}
_SEEDS = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?", re.ASCII)
_ADDRESS = re.compile(r"(?:(\[[0-9a-fA-F:]+\]|[^:\[\]]+):)?([0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Job:
    """One flow to be walked.

    Attributes:
        path: Its file; ``None``: it is built in.
        flow: What stands in it, with what the command line put there.
        warnings: What the reader should know before it is walked.
    """

    path: Path | None
    flow: Flow
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As it is shown."""
        return BUILT_IN if self.path is None else str(self.path)

    @property
    def folder(self) -> Path:
        """Where its recordings and templates are."""
        return Path() if self.path is None else self.path.parent


@dataclass(frozen=True, slots=True)
class Options:
    """How the flows are walked.

    Attributes:
        auth_token: Set in the query of each webhook.
        repeat: How often each flow is walked, or each seed of it.
        seeds: What faults are drawn from; empty: there are none.
        load: Many at once; ``None``: one after the other.
        transcribe: Whether the bot's words are written down.
        serve: Start the server of this installation.
        data: Folder for what that server keeps; ``None``: it goes with the server.
        api: Where the account is served; ``None``: on a free port, if one is needed.
        wire: Folder for each call's wire; ``None``: it is not kept.
        typed: The rest of the command, to repeat one call.
    """

    auth_token: str = field(default="", repr=False)
    repeat: int = 1
    seeds: range = range(0)
    load: Load | None = None
    transcribe: bool = True
    serve: bool = False
    data: Path | None = None
    api: tuple[str, int] | None = None
    wire: Path | None = None
    typed: tuple[str, ...] = ()

    def again(self, job: Job, seed: int) -> str:
        """The command that repeats one call with its faults."""
        file = [] if job.path is None else [str(job.path)]
        words = ["exobridge", "simulate", *file, "--faults", str(seed), *self.typed]
        secret = ' --auth-token "$EXOBRIDGE_SECRET"' if self.auth_token else ""
        return shlex.join(words) + secret


def seeds(text: str) -> range:
    """``7`` or ``1..50``, both ends included.

    Raises:
        typer.BadParameter: It is neither.
    """
    found = _SEEDS.fullmatch(text)
    if not found:
        raise typer.BadParameter("write a number, or a range like 1..50", param_hint="--faults")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise typer.BadParameter("the range ends before it begins", param_hint="--faults")
    if last - first >= MAX_SEEDS:
        raise typer.BadParameter(f"more than {MAX_SEEDS} seeds", param_hint="--faults")
    return range(first, last + 1)


def address(text: str) -> tuple[str, int]:
    """``HOST:PORT``, or ``PORT`` of this machine alone.

    Raises:
        typer.BadParameter: It is neither.
    """
    found = _ADDRESS.fullmatch(text)
    if not found or int(found[2]) > 65535:
        raise typer.BadParameter("write HOST:PORT, as 127.0.0.1:8090", param_hint="--api")
    return (found[1] or "127.0.0.1").strip("[]"), int(found[2])


def read_jobs(
    paths: Sequence[Path],
    call: Mapping[str, str],
    server_url: str,
    urls: Urls,
    speech: Mapping[str, str] = NOTHING,
) -> list[Job]:
    """The flows of the files; without files the built-in one.

    Args:
        paths: Files, and folders of them.
        call: What takes the place of keys of ``[call]``.
        server_url: Takes the place of ``[server].url``; empty: nothing does.
        urls: What the built-in flow asks.
        speech: What takes the place of keys of ``[speech]``.

    Raises:
        ConfigError: Everything that is wrong with any of them.
    """
    jobs: list[Job] = []
    errors: list[ConfigError] = []
    for path in script_files(paths, "flow"):
        try:
            flow = _given(load_flow(path), call, server_url, speech)
        except ConfigError as error:
            errors.append(error)
        else:
            jobs.append(Job(path, flow, warnings(flow)))
    if errors:
        raise ConfigError.of(errors)
    if not paths and urls:
        jobs.append(_built_in(urls, call, server_url, speech))
    return jobs


def _built_in(
    urls: Urls, call: Mapping[str, str], server_url: str, speech: Mapping[str, str]
) -> Job:
    speaks = "voice" in speech or can_speak()
    note = "" if speaks else "the caller says nothing: pip install 'exobridge[local]'"
    try:
        flow = conformance(urls, speaks=speaks)
    except ValidationError as error:
        found = problems(error)[0]
        raise ConfigError("the command line", found.problem, "Write absolute URLs.") from None
    return Job(None, _given(flow, call, server_url, speech), (note,) if note else ())


def _given(flow: Flow, call: Mapping[str, str], server_url: str, speech: Mapping[str, str]) -> Flow:
    """The flow with what the command line says."""
    tables = flow.model_dump(by_alias=True)
    tables["call"] |= call
    tables["speech"] |= speech
    if server_url:
        tables["server"]["url"] = server_url
    try:
        return flow.model_copy(
            update={
                "call": type(flow.call).model_validate(tables["call"]),
                "server": type(flow.server).model_validate(tables["server"]),
                "speech": type(flow.speech).model_validate(tables["speech"]),
            }
        )
    except ValidationError as error:
        found = problems(error)[0]
    where = f"the command line: {found.dotted}"
    raise ConfigError(where, found.problem, "See `exobridge simulate --help`.")


def wants_words(jobs: Iterable[Job]) -> bool:
    """Whether a flow expects what the bot says."""
    scripts = (Script(step=talk.step, expect=talk.expect) for job in jobs for talk in job.flow.talk)
    return any(script.needs_ears for script in scripts)


def given_urls(url: str, more: Urls, option: str = "--url") -> tuple[str, Urls]:
    """``[server].url``, and what a flow without a file asks.

    Args:
        url: Of the option; empty: it was not given.
        more: What was given by options of their own; paths count from ``url``.

    Raises:
        typer.BadParameter: A URL is none.
    """
    if url and not _is_absolute(url):
        raise typer.BadParameter("write http(s)://… or ws(s)://…", param_hint=option)
    base = url if urlsplit(url).scheme in ("http", "https") else ""
    joined = {name: urljoin(base, each) for name, each in asdict(more).items() if each}
    for name, each in joined.items():
        if not _is_absolute(each):
            why = f"write a whole URL, or a path beside {option} http(s)://…"
            raise typer.BadParameter(why, param_hint=f"--{name.replace('_', '-')}-url")
    urls = Urls(**joined)
    return base, urls if urls.answer or not url else replace(urls, answer=Urls.at(url).answer)


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname)
