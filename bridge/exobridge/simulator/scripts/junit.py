"""Results as JUnit's XML, which build servers show."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from exobridge.simulator.scripts.run import Result


def junit(results: Sequence[Result]) -> str:
    """A suite for each script, a case for each call."""
    suites = ElementTree.Element("testsuites")
    for path, group in groupby(results, key=lambda result: result.script):
        calls = list(group)
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=str(path),
            tests=str(len(calls)),
            failures=str(sum(not call.passed for call in calls)),
            errors="0",
            time=_seconds(sum(call.report.duration_ms for call in calls)),
        )
        for call in calls:
            _case(suite, call)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def failures(result: Result) -> list[str]:
    """What did not hold, a line each."""
    lines = [
        f"{where(finding.step)}: {finding.key} = {finding.wanted}: {finding.found}"
        for finding in result.findings
        if not finding.held
    ]
    return [*lines, *result.report.problems]


def where(step: int | None) -> str:
    """What an expectation is of."""
    return "the call" if step is None else f"step {step}"


def _case(suite: ElementTree.Element, result: Result) -> None:
    name = f"call {result.run}" + ("" if result.seed is None else f", seed {result.seed}")
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=str(result.script),
        name=name,
        time=_seconds(result.report.duration_ms),
    )
    if failed := failures(result):
        ElementTree.SubElement(case, "failure", message=_legal(failed[0])).text = _legal(
            "\n".join(failed)
        )
    spoken = [
        f"{turn.start_ms / 1000:7.2f} {turn.role}: {turn.text}" for turn in result.report.turns
    ]
    ElementTree.SubElement(case, "system-out").text = _legal("\n".join(spoken))


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.3f}"


def _legal(text: str) -> str:
    """Without the characters that XML cannot carry."""
    return "".join(each for each in text if each in "\n\t" or each >= " ")
