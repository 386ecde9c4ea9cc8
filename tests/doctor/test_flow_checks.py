"""Rules, applications and people that a template names."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.doctor import flow_checks
from exobridge.doctor.finding import Finding, Level
from exobridge.doctor.flow_checks import ENDPOINTS, unreachable
from exobridge.routing.facts import Facts
from exobridge.routing.route import Route
from exobridge.routing.rules import decide
from exobridge.templates import Template
from exobridge.templates.hours import DAYS
from exobridge.templates.routing import RouteTable
from tests.doctor.looking import NUMBER, of, one
from tests.doctor.test_template_checks import case
from tests.server import bot, fakes_installed

FAR_DAY = DAYS[(datetime.now(UTC).weekday() + 3) % 7]
"""Of the week; not today, anywhere."""
CRM = "https://crm.example.com/calls"


def found(folder: Path, **tables: Any) -> list[Finding]:
    """What is found in a template with these tables."""
    with fakes_installed():
        looked_at, findings = case(
            folder, {"default": bot(**tables)}, EXOTEL_NUMBERS=f"{NUMBER}=default"
        )
        assert looked_at.templates is not None, findings
        return flow_checks.look(looked_at)


def rules(*whens: dict[str, Any]) -> list[RouteTable]:
    """Rules with these conditions, called r0, r1 and so on."""
    return [RouteTable.model_validate({"name": f"r{i}", "when": w}) for i, w in enumerate(whens)]


VIP: dict[str, Any] = {"caller": "+919811122233"}


@pytest.mark.parametrize(
    ("whens", "never"),
    [
        ([VIP, {}], []),
        ([{}, VIP], [("r1", "r0")]),
        ([{}, {"endpoint": "answer"}, {}], [("r1", "r0"), ("r2", "r0")]),
        ([{"endpoint": "passthru"}, VIP, {"endpoint": "answer"}], []),
        ([{"endpoint": "passthru"}, {"endpoint": "passthru", **VIP}], [("r1", "r0")]),
        ([{"endpoint": e} for e in ("answer", "passthru", "greeting")] + [VIP], [("r3", "r0")]),
        ([{"hours": "open"}, {"answered": True}, {"lookup": {"a": "b"}}, {}], []),
    ],
)
def test_rules_behind_one_without_conditions_never_decide(
    whens: list[dict[str, Any]], never: list[tuple[str, str]]
) -> None:
    """For the endpoint that it is for, or for all."""
    assert list(unreachable(rules(*whens))) == never


@given(
    st.lists(st.sampled_from([{}, VIP, *({"endpoint": e} for e in sorted(ENDPOINTS))]), max_size=6)
)
def test_a_rule_that_is_told_never_decides(whens: list[dict[str, Any]]) -> None:
    """Whoever calls, and whichever endpoint asks."""
    routes = rules(*whens)
    template = Template(routes=routes)
    decided: set[str] = set()
    for endpoint in ENDPOINTS:
        for caller in ("", "+919811122233"):
            facts = Facts("c", caller, "", "incoming", "", "", "", endpoint, is_open=True)
            route = decide(template, facts)
            assert isinstance(route, Route)
            decided.add(route.rule)
    assert not decided & {rule for rule, _ in unreachable(routes)}


def test_rules_are_listed_or_warned_of(tmp_path: Path) -> None:
    """Their names are what an applet's URL may ask about."""
    routes = [{"name": "vip", "when": VIP}, {"name": "rest"}, {"name": "night"}]
    never = one(found(tmp_path, routes=routes), "templates.routes")
    assert never.level is Level.WARNING
    assert "rule night never decides, as rest before it" in never.found
    well = one(found(tmp_path, routes=routes[:2]), "templates.routes")
    assert well.level is Level.OK
    assert "vip, rest" in well.found
    assert of(found(tmp_path), "templates.routes") == []


def test_what_an_application_needs_and_lacks_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each table by itself: a function, a header's variable, a secret."""
    monkeypatch.setattr("sys.path", list(sys.path))
    tables: dict[str, Any] = {
        "lookup": {"hook": "no_such_rules:look_up"},
        "log": {"url": CRM, "secret_env": "NO_SUCH_SECRET"},
        "transfer": {
            "target": "+919811122233",
            "lookup": {"url": CRM, "headers": {"authorization": "Bearer ${NO_SUCH_TOKEN}"}},
        },
    }
    findings = of(found(tmp_path, **tables), "templates.applications")
    assert {each.level for each in findings} == {Level.ERROR}
    hook, log, transfer = [each.found for each in findings]
    assert "[lookup] hook: no_such_rules:look_up" in hook
    assert "[log] the environment variable NO_SUCH_SECRET" in log
    assert "[transfer.lookup] the environment variable NO_SUCH_TOKEN" in transfer


def test_applications_that_can_be_asked_are_ok(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With their variables set; tables that are not there are not told."""
    monkeypatch.setenv("A_SECRET_OF_THE_TESTS", "whsec-of-the-tests")
    log = {"url": CRM, "secret_env": "A_SECRET_OF_THE_TESTS"}
    told = one(found(tmp_path, log=log), "templates.applications")
    assert (told.level, told.found) == (Level.OK, "default: [log] has all that it needs")
    assert of(found(tmp_path), "templates.applications") == []


@pytest.mark.parametrize(
    ("target", "level", "words"),
    [
        ({"numbers": ["+919811122233"]}, Level.OK, "has 1 number, and is open now"),
        ({"numbers": ["+919811122233", NUMBER]}, Level.WARNING, "rings an ExoPhone of yours"),
        (
            {"numbers": ["+919811122233"], "hours": {FAR_DAY: ["09:00-18:00"]}},
            Level.INFO,
            "is closed now",
        ),
    ],
)
def test_people_who_cannot_be_reached_are_told(
    tmp_path: Path, target: dict[str, Any], level: Level, words: str
) -> None:
    """An ExoPhone would lead back to a bot."""
    transfer = {"targets": {"support": target}}
    told = one(found(tmp_path, transfer=transfer), "templates.targets")
    assert told.level is level
    assert words in told.found
    assert NUMBER[3:] not in told.found


@pytest.mark.parametrize(
    ("target", "transfer", "is_told"),
    [
        ("support", {"target": "+919811122233"}, True),
        ("support", {"targets": {"support": {"numbers": ["+919811122233"]}}}, False),
        ("+919811122233", {"target": "+919811122244"}, False),
        ("support", {}, False),
        (True, {"target": "+919811122233"}, False),
    ],
)
def test_a_target_of_the_script_that_nobody_knows_is_told(
    tmp_path: Path, target: str | bool, transfer: dict[str, Any], is_told: bool
) -> None:
    """Where the template itself says whom to dial; else Exotel's flow does."""
    intent = {"name": "agent", "phrases": ["agent"], "reply": "Yes.", "transfer": target}
    dialogue = {"provider": "scripted", "options": {"intents": [intent]}}
    findings = of(found(tmp_path, dialogue=dialogue, transfer=transfer), "templates.targets")
    told = [each for each in findings if each.level is Level.WARNING]
    assert ['hands over to "support"' in each.found for each in told] == [True] * is_told
