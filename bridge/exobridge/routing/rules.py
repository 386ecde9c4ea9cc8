"""Which rule decides. No I/O, no clock: facts in, a route out, or the wish to look the caller up.

The first rule decides whose conditions all hold. A rule that needs the look-up asks for it only
where all else of it holds, so that a caller whom a list knows costs no look-up.
"""

from __future__ import annotations

from dataclasses import replace

from exobridge.numbers import spoken
from exobridge.regions import is_from
from exobridge.routing.answer import LookupAnswer
from exobridge.routing.facts import Facts
from exobridge.routing.route import LOOKUP_FAILED, Route
from exobridge.templates import Template
from exobridge.templates.routing import (
    ANY_KEYS,
    DIGITS,
    HIDDEN,
    RouteTable,
    ThenTable,
    WhenTable,
    named_languages,
)
from exobridge.templates.text import call_variables, render


class LookupWanted:
    """A rule cannot be decided without the look-up."""


LOOKUP_WANTED = LookupWanted()


def decide(
    template: Template, facts: Facts, answer: LookupAnswer | None = None
) -> Route | LookupWanted:
    """The route of a call.

    Args:
        answer: The look-up's; ``None``: it has not been asked.
    """
    for rule in template.routes:
        if not _holds(rule.when, facts, template):
            continue
        if rule.when.asks and answer is None:
            return LOOKUP_WANTED
        if answer is None or _answers(rule.when, answer):
            return _asked(_route(rule, template, facts, answer), template, facts)
    return _asked(Route(variables=answer.variables if answer else {}), template, facts)


def without_lookup(template: Template, facts: Facts) -> Route:
    """The route of a call whose look-up failed."""
    then = template.lookup.on_failure
    return _asked(_then(LOOKUP_FAILED, then, template, facts, LookupAnswer()), template, facts)


def _asked(route: Route, template: Template, facts: Facts) -> Route:
    """An applet whose URL asks about a rule takes branch A if that rule decided, else branch B. A
    Passthru whose call is refused is told so by its way: nothing can be said to it."""
    if facts.asked_rules:
        return replace(route, branch="a" if route.rule in facts.asked_rules else "b", body="")
    if route.refuse and facts.endpoint == "passthru":
        return replace(route, branch="error" if template.refusal.mode == "error" else "b")
    return route


def _holds(when: WhenTable, facts: Facts, template: Template) -> bool:
    """Whether all conditions hold that need no look-up."""
    return (
        (not when.caller or (facts.caller or HIDDEN) in when.caller)
        and (not when.caller_in or any(facts.caller in template.lists[n] for n in when.caller_in))
        and (not when.region or any(is_from(facts.caller, region) for region in when.region))
        and (not when.called or facts.called in when.called)
        and when.direction in ("", facts.direction)
        and when.hours in ("", "open" if facts.is_open else "closed")
        and (not when.digits or any(_pressed(keys, facts.digits) for keys in when.digits))
        and (not when.custom_field or facts.custom_field in when.custom_field)
        and (not when.dial_status or facts.dial_status in when.dial_status)
        and when.endpoint in ("", facts.endpoint)
    )


def _pressed(keys: str, digits: str) -> bool:
    if keys == ANY_KEYS:
        return bool(digits)
    return len(keys) == len(digits) and all(
        pressed == key or (key == "x" and pressed.isdecimal())
        for key, pressed in zip(keys, digits, strict=True)
    )


def _answers(when: WhenTable, answer: LookupAnswer) -> bool:
    return all(answer.values.get(name) in wanted for name, wanted in when.lookup.items())


def _route(
    rule: RouteTable, template: Template, facts: Facts, answer: LookupAnswer | None
) -> Route:
    """What the rule says; over it, where the rule asked, what the look-up answered."""
    route = _then(rule.name, rule.then, template, facts, answer or LookupAnswer())
    if answer is None or not rule.when.asks:
        return route
    if answer.branch == "b":
        route = replace(route, branch="b", body="", refuse="")
    elif answer.branch == "a":
        route = replace(route, branch="a")
    unheeded = ignored(template, answer)
    return replace(
        route,
        template=route.template if "template" in unheeded else answer.template or route.template,
        language=route.language if "language" in unheeded else answer.language or route.language,
        say=answer.say or route.say,
    )


def ignored(template: Template, answer: LookupAnswer) -> tuple[str, ...]:
    """Keys of an answer that name what the template has not declared: whose providers may not have
    been started, or may not know the language."""
    languages = {"", template.language, *named_languages(template.routes, template.lookup)}
    templates = {"", *template.lookup.templates}
    found = {
        "template": answer.template not in templates,
        "language": answer.language not in languages,
    }
    return tuple(key for key, is_ignored in found.items() if is_ignored)


def _then(
    name: str, then: ThenTable, template: Template, facts: Facts, answer: LookupAnswer
) -> Route:
    told = _for_the_ear(facts) if facts.endpoint == "greeting" else facts
    constants = {
        DIGITS: told.digits,
        **template.variables,
        **answer.values,
        **then.variables,
    }
    known = call_variables(
        constants,
        caller=told.caller,
        called=told.called,
        custom_field=facts.custom_field,
        call_sid=facts.call_sid,
    )
    return Route(
        rule=name,
        branch=then.branch,
        template=then.template,
        language=then.language,
        variables={**answer.variables, **then.variables},
        body=then.applet,
        say=render(then.say, known),
        refuse=then.refuse,
    )


def _for_the_ear(facts: Facts) -> Facts:
    """A Greeting applet's own voice reads the text, and would read figures as amounts."""
    digits, caller, called = " ".join(facts.digits), spoken(facts.caller), spoken(facts.called)
    return replace(facts, digits=digits, caller=caller, called=called)
