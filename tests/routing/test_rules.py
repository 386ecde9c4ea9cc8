"""Which rule decides: all conditions, in order, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.numbers import spoken
from exobridge.routing.answer import LookupAnswer, understood
from exobridge.routing.facts import Facts
from exobridge.routing.route import LOOKUP_FAILED, Branch, Route
from exobridge.routing.rules import LOOKUP_WANTED, decide, ignored, without_lookup
from exobridge.templates import Template

NUMBER, OTHER = "+919811122233", "+914428123456"
LOOKUP = {"lookup": {"url": "https://crm.example.com/caller"}}


def template(*routes: dict[str, Any], **tables: Any) -> Template:
    """A template with these rules, called r0, r1 and so on."""
    named = [{"name": f"r{at}", **route} for at, route in enumerate(routes)]
    return Template.model_validate({"routes": named, **tables})


def rule_of(route: object) -> str:
    """The rule that decided."""
    assert isinstance(route, Route)
    return route.rule


HOLD: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    ({"caller": "9811122233"}, {"caller": NUMBER}, True),
    ({"caller": ["hidden", NUMBER]}, {"caller": ""}, True),
    ({"caller": NUMBER}, {"caller": ""}, False),
    ({"caller_in": "vip"}, {"caller": NUMBER}, True),
    ({"caller_in": ["vip", "more"]}, {"caller": OTHER}, True),
    ({"caller_in": "vip"}, {"caller": ""}, False),
    ({"region": "TN"}, {"caller": OTHER}, True),
    ({"region": ["KA", "+9144"]}, {"caller": OTHER}, True),
    ({"region": "+9198111"}, {"caller": NUMBER}, True),
    ({"region": "TN"}, {"caller": NUMBER}, False),
    ({"region": "TN"}, {"caller": ""}, False),
    ({"called": "08047112233"}, {"called": "+918047112233"}, True),
    ({"called": "08047112233"}, {"called": ""}, False),
    ({"direction": "outgoing"}, {"direction": "outgoing"}, True),
    ({"direction": "outgoing"}, {"direction": "incoming"}, False),
    ({"hours": "open"}, {"is_open": True}, True),
    ({"hours": "closed"}, {"is_open": True}, False),
    ({"digits": "1"}, {"digits": "1"}, True),
    ({"digits": "1"}, {"digits": "12"}, False),
    ({"digits": ["1", "2x#"]}, {"digits": "29#"}, True),
    ({"digits": "xx"}, {"digits": "1#"}, False),
    ({"digits": "any"}, {"digits": "*"}, True),
    ({"digits": "any"}, {"digits": ""}, False),
    ({"custom_field": "sales"}, {"custom_field": "sales"}, True),
    ({"custom_field": "sales"}, {"custom_field": "Sales"}, False),
    ({"dial_status": ["busy", "no-answer"]}, {"dial_status": "busy"}, True),
    ({"dial_status": "busy"}, {"dial_status": ""}, False),
    ({"endpoint": "greeting"}, {"endpoint": "greeting"}, True),
    ({"endpoint": "greeting"}, {"endpoint": "answer"}, False),
    ({"digits": "1", "direction": "outgoing"}, {"digits": "1"}, False),
]


@pytest.mark.parametrize(("when", "facts", "holds"), HOLD)
def test_a_rule_decides_where_all_its_conditions_hold(
    when: dict[str, Any], facts: dict[str, Any], holds: bool
) -> None:
    """Each condition alone, and two together; a caller without a number is on no list."""
    at = template(
        {"when": when, "then": {"branch": "b"}},
        lists={"vip": ["098111 22233"], "more": [OTHER]},
        hours={"mon": ["09:00-18:00"]},
    )
    assert decide(at, Facts("c", **facts)) == (Route("r0", "b") if holds else Route())


def test_the_first_rule_that_holds_decides() -> None:
    """Also where a later one holds."""
    at = template({"when": {"digits": "1"}}, {}, {"then": {"branch": "b"}})
    assert rule_of(decide(at, Facts("c", digits="1"))) == "r0"
    assert rule_of(decide(at, Facts("c", digits="2"))) == "r1"


def test_nobody_is_asked_where_a_rule_before_decides() -> None:
    """The look-up is wanted only where everything else of the rule holds."""
    at = template({"when": {"digits": "1"}}, {"when": {"digits": "2", "answered": True}}, **LOOKUP)
    assert rule_of(decide(at, Facts("c", digits="1"))) == "r0"
    assert decide(at, Facts("c", digits="2")) is LOOKUP_WANTED
    assert decide(at, Facts("c", digits="3")) == Route()


def test_the_answers_values_are_compared_as_texts() -> None:
    """Numbers and truth values may be written either way; a value that is not there is none."""
    at = template(
        {"when": {"lookup": {"orders": [], "tier": "gold"}}},
        {"when": {"lookup": {"orders": 2}}},
        {"when": {"lookup": {"known": True, "tier": ["gold", "silver"]}}},
        **LOOKUP,
    )
    facts = Facts("c")
    assert rule_of(decide(at, facts, understood({"orders": 2}))) == "r1"
    assert rule_of(decide(at, facts, understood({"orders": "2"}))) == "r1"
    assert rule_of(decide(at, facts, understood({"known": True, "tier": "silver"}))) == "r2"
    assert rule_of(decide(at, facts, understood({"known": "true", "tier": "x"}))) == ""
    assert rule_of(decide(at, facts, understood({"tier": None}))) == ""


def test_what_was_answered_goes_over_the_rule_that_asked() -> None:
    """Branch, template, language, words and variables; a rule that did not ask keeps its own, and
    the variables stay."""
    at = template(
        {
            "when": {"lookup": {"ok": True}},
            "then": {"branch": "a", "applet": "bot", "language": "hi-IN", "variables": {"x": "1"}},
        },
        {"then": {"template": "own"}},
        lookup={"url": "https://crm.example.com/", "templates": ["vip"], "languages": ["ta-IN"]},
    )
    said = {"ok": True, "branch": "b", "template": "vip", "language": "ta-IN", "text": "Hi {x}."}
    assert decide(at, Facts("c"), understood(said)) == Route(
        "r0", "b", "vip", "ta-IN", {"ok": "true", "x": "1"}, "", "Hi {x}."
    )
    said["ok"] = False
    assert decide(at, Facts("c"), understood(said)) == Route(
        "r1", template="own", variables={"ok": "false"}
    )


@pytest.mark.parametrize(
    ("mode", "endpoint", "branch"),
    [
        ("302", "passthru", "b"),
        ("say", "passthru", "b"),
        ("error", "passthru", "error"),
        ("error", "answer", "a"),
        ("302", "greeting", "a"),
    ],
)
def test_a_passthru_whose_call_is_refused_is_told_by_its_way(
    mode: str, endpoint: str, branch: Branch
) -> None:
    """As the template has it; an answer and a greeting have ways of their own. One that asks about
    a rule is told of that alone."""
    at = template({"then": {"refuse": "closed"}}, refusal={"mode": mode})
    route = decide(at, Facts("c", endpoint=endpoint))
    assert route == Route("r0", branch, refuse="closed")
    for asked, wanted in (("r0", "a"), ("other", "b")):
        route = decide(at, Facts("c", endpoint=endpoint, asked_rules=(asked,)))
        assert isinstance(route, Route)
        assert route.branch == wanted


def test_an_answered_branch_goes_over_the_rules_own() -> None:
    """Either way; who takes branch B is neither refused nor sent to an applet."""
    at = template(
        {"when": {"lookup": {"tier": "gold"}}, "then": {"branch": "b"}},
        {"when": {"lookup": {"tier": "none"}}, "then": {"refuse": "busy"}},
        **LOOKUP,
    )
    gold, none = {"tier": "gold"}, {"tier": "none"}
    answers: list[tuple[dict[str, str], Route]] = [
        (gold, Route("r0", "b", variables=gold)),
        ({**gold, "branch": "a"}, Route("r0", "a", variables=gold)),
        (none, Route("r1", "a", variables=none, refuse="busy")),
        ({**none, "branch": "a"}, Route("r1", "a", variables=none, refuse="busy")),
        ({**none, "branch": "b"}, Route("r1", "b", variables=none)),
    ]
    for answer, route in answers:
        assert decide(at, Facts("c", endpoint="answer"), understood(answer)) == route


def test_variables_are_the_answers_and_over_them_the_rules_own() -> None:
    """Where no rule decides they are the answer's."""
    at = template(
        {"when": {"lookup": {"tier": "gold"}}, "then": {"variables": {"name": "dear caller"}}},
        **LOOKUP,
    )
    answer = understood({"tier": "gold", "name": "Asha"})
    expected = {"tier": "gold", "name": "dear caller"}
    assert decide(at, Facts("c"), answer) == Route("r0", variables=expected)
    other = understood({"tier": "none", "name": "Asha"})
    assert decide(at, Facts("c"), other) == Route(variables={"tier": "none", "name": "Asha"})


def test_an_answer_names_only_what_was_declared() -> None:
    """Another template's providers may not run, another language may be known to none of them."""
    at = template(
        {"when": {"answered": True}, "then": {"template": "own", "language": "hi-IN"}}, **LOOKUP
    )
    answer = LookupAnswer(template="vip", language="ta-IN")
    route = decide(at, Facts("c"), answer)
    assert isinstance(route, Route)
    assert (route.template, route.language) == ("own", "hi-IN")
    assert ignored(at, answer) == ("template", "language")
    assert ignored(at, LookupAnswer(language="hi-IN")) == ()
    assert ignored(at, LookupAnswer(language="en-IN")) == ()


def test_a_failed_lookup_takes_its_own_way() -> None:
    """By ``on_failure``, which may use what is known without the look-up."""
    at = template(
        {"when": {"answered": True}},
        variables={"shop": "Acme"},
        lookup={
            "url": "https://crm.example.com/",
            "on_failure": {"branch": "b", "say": "{shop} cannot tell of {digits}."},
        },
    )
    route = without_lookup(at, Facts("c", digits="12"))
    assert route == Route(LOOKUP_FAILED, "b", say="Acme cannot tell of 12.")


def test_an_applet_may_ask_whether_a_rule_decided() -> None:
    """Branch A if one of those that it names did, else branch B; whatever the rule itself says."""
    at = template({"when": {"digits": "1"}, "then": {"branch": "b"}}, **LOOKUP)
    assert decide(at, Facts("c", digits="1", asked_rules=("r0",))) == Route("r0", "a")
    assert decide(at, Facts("c", digits="1", asked_rules=("x", "r0"))) == Route("r0", "a")
    assert decide(at, Facts("c", digits="1", asked_rules=("x",))) == Route("r0", "b")
    assert decide(at, Facts("c", asked_rules=("r0",))) == Route("", "b")
    assert without_lookup(at, Facts("c", asked_rules=("r0",))) == Route(LOOKUP_FAILED, "b")
    names = template({"then": {"applet": "vip-connect"}})
    assert decide(names, Facts("c")) == Route("r0", body="vip-connect")
    assert decide(names, Facts("c", asked_rules=("r0",))) == Route("r0")


def test_what_is_said_knows_the_call_and_the_answer() -> None:
    """A value is put in as it is: braces in it are never read again."""
    say = "{name} {digits} {caller} {called} {shop} {own} {missing}|"
    at = template(
        {"when": {"answered": True}, "then": {"say": say, "variables": {"own": "O"}}},
        variables={"shop": "Acme", "name": "nobody"},
        **LOOKUP,
    )
    facts = Facts("c", caller=NUMBER, called=OTHER, digits="7")
    route = decide(at, facts, understood({"name": "{caller}"}))
    assert isinstance(route, Route)
    assert route.say == f"{{caller}} 7 {NUMBER} {OTHER} Acme O |"


def test_a_greeting_applet_is_told_figures_one_by_one() -> None:
    """Its voice is not ours, and reads others as amounts. What the template or the look-up calls
    so is its own."""
    say = {"say": "{digits}: {caller}, {called}, {order}"}
    at = template({"then": say}, variables={"order": "42"})
    facts = Facts("c", caller=NUMBER, called=OTHER, digits="42#", endpoint="greeting")
    route = decide(at, facts)
    assert isinstance(route, Route)
    assert route.say == f"4 2 #: {spoken(NUMBER)}, {spoken(OTHER)}, 42"
    own = template({"then": {"say": "{digits}"}}, variables={"digits": "42"})
    assert decide(own, facts) == Route("r0", say="42")


@given(
    digits=st.text(max_size=40),
    caller=st.text(max_size=20),
    custom_field=st.text(max_size=20),
    asked=st.lists(st.text(max_size=5), max_size=3),
)
def test_no_call_is_too_odd_for_the_rules(
    digits: str, caller: str, custom_field: str, asked: list[str]
) -> None:
    """Whatever is told of a call, there is a route or a wish."""
    at = template(
        {"when": {"digits": ["xx", "any"], "region": ["TN", "+1"]}},
        {"when": {"custom_field": "a", "caller": "hidden", "answered": True}},
        {"then": {"say": "{digits}{custom_field}"}},
        **LOOKUP,
    )
    facts = Facts(
        "c", caller=caller, digits=digits, custom_field=custom_field, asked_rules=tuple(asked)
    )
    found = decide(at, facts)
    assert found is LOOKUP_WANTED or isinstance(found, Route)
    assert isinstance(decide(at, facts, LookupAnswer()), Route)
