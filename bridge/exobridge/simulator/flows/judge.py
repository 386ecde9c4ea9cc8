"""Holds what happened on a call against what its flow expects. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from exobridge.simulator.flows.agents import same_phone
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.paths import name_of
from exobridge.simulator.flows.report import Ending, FlowReport
from exobridge.simulator.line_faults import excuse
from exobridge.simulator.report import CallReport, Outcome
from exobridge.simulator.rules import Rule
from exobridge.simulator.verdict import broken_rules
from exobridge.simulator.words import contains

_ENDED = {
    Ending.COMPLETED: "the flow came to its end",
    Ending.CALLER: "the caller hung up",
    Ending.DROPPED: "the call was dropped",
    Ending.NOT_ANSWERED: "the customer did not answer",
    Ending.TIMEOUT: "the call reached its limit",
}

_SHOWN = 200
"""Of what an agent heard, in characters."""


def problems(flow: Flow, report: FlowReport) -> tuple[str, ...]:
    """Why a call did not go well, as sentences; empty if it did.

    Rules whose violation spoils a call do so whatever is expected. Where faults were drawn the call
    may go another way than the file's, and what it expects does not count; but it has to end.
    """
    if report.seed is not None:
        stuck = [_ended(flow, report)] if report.ending is Ending.TIMEOUT else []
        return (*stuck, *_streams(flow, report), *broken_rules(_counts(report).items()))
    return (
        *_ending(flow, report),
        *_way(flow, report),
        *_agents(flow, report),
        *_streams(flow, report),
        *_talks(flow, report),
        *_recording(flow, report),
        *_rules(flow, report),
    )


def _ending(flow: Flow, report: FlowReport) -> Iterator[str]:
    wanted = flow.expect.ends
    if wanted is not None:
        if wanted != report.ending:
            yield f'ends = "{wanted}": {_ended(flow, report)}'
    elif report.ending in (Ending.DROPPED, Ending.TIMEOUT):
        yield _ended(flow, report)


def _ended(flow: Flow, report: FlowReport) -> str:
    match report.ending:
        case Ending.TIMEOUT:
            return f"the call did not end within {flow.call.timeout_seconds:g} s"
        case Ending.DROPPED if report.unconnected is not None:
            name, key = report.unconnected
            path = name_of(flow.applet[name], key)
            return f'the call was dropped: "{path}" of applet "{name}" leads nowhere'
        case ending:
            return _ENDED[ending]


def _way(flow: Flow, report: FlowReport) -> Iterator[str]:
    wanted = flow.expect.path
    if wanted is not None and tuple(wanted) != report.path:
        yield f"path = {_listed(wanted)}: it was {_listed(report.path)}"


def _agents(flow: Flow, report: FlowReport) -> Iterator[str]:
    wanted, dialled = flow.expect.dialled, [each.number for each in report.dialled]
    if wanted is not None and [*map(same_phone, wanted)] != [*map(same_phone, dialled)]:
        yield f"dialled = {_listed(wanted)}: it was {_listed(dialled)}"
    whispers = [each.whisper for each in report.dialled if each.whisper]
    for phrase in flow.expect.whisper:
        if not any(contains(whisper, phrase) for whisper in whispers):
            heard = " / ".join(f'"{each[:_SHOWN]}"' for each in whispers) or "nothing"
            yield f'whisper = "{phrase}": the agents heard {heard}'


def _streams(flow: Flow, report: FlowReport) -> Iterator[str]:
    """What went wrong in each stream besides the rules, which are told for the whole call. A stream
    that the server refuses (302) leads the flow elsewhere; of one whose line was made to fail the
    server can do nothing; and a caller who was to hang up waits for no answer."""
    leaves = flow.caller.hangs_up is not None and report.ending is Ending.CALLER
    for number, stream in enumerate(report.streams, start=1):
        if stream.outcome is Outcome.REFUSED or excuse(stream.faults):
            continue
        cut_short = report.seed is not None or (leaves and number == len(report.streams))
        yield from (f"stream {number}: {each}" for each in _of_stream(stream, cut_short))


def _of_stream(stream: CallReport, cut_short: bool) -> list[str]:
    broken = set(broken_rules(stream.violation_counts))
    said = [each for each in stream.problems if each not in broken]
    if stream.outcome is Outcome.COMPLETED:
        return [] if cut_short else said
    ending, others = said[:1], said[1:]
    if stream.outcome is Outcome.TIMED_OUT:
        ending = []  # told as the call's
    return ending if cut_short else [*ending, *others]


def _talks(flow: Flow, report: FlowReport) -> Iterator[str]:
    for number, findings in enumerate(report.findings, start=1):
        for finding in findings:
            if not finding.held:
                of = "" if finding.step is None else f", step {finding.step}"
                yield f"stream {number}{of}: {finding.key} = {finding.wanted}: {finding.found}"
    if report.unheld:
        held = len(flow.talk) - report.unheld
        yield f"{held} of {len(flow.talk)} [[talk]] tables had a stream"


def _recording(flow: Flow, report: FlowReport) -> Iterator[str]:
    wanted, fetched = flow.expect.recording_fetched, report.recording_fetched
    if wanted is None or wanted is fetched:
        return
    if fetched is None:
        yield f"recording_fetched = {_word(wanted)}: there was no account to fetch it from"
    else:
        within = f" within {flow.expect.within_seconds:g} s" if wanted else ""
        done = "was not" if wanted else "was"
        yield f"recording_fetched = {_word(wanted)}: it {done} fetched{within}"


def _rules(flow: Flow, report: FlowReport) -> Iterator[str]:
    counts = _counts(report)
    yield from broken_rules(counts.items())
    most = flow.expect.violations
    if most is not None and counts.total() > most:
        named = ", ".join(str(rule) for rule in counts)
        yield f"violations = {most}: there were {counts.total()} ({named})"


def _word(wanted: bool) -> str:
    return "true" if wanted else "false"


def _counts(report: FlowReport) -> Counter[Rule]:
    return Counter(each.rule for each in report.violations)


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
