"""The rules of the templates, and those who are asked about callers, as one service."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

import structlog

from exobridge.exotel.passthru import PassthruParams
from exobridge.routing.applications import Applications
from exobridge.routing.facts import Facts
from exobridge.routing.faults import Fault, faults, tables
from exobridge.routing.lookup import LookupFailedError, Lookups
from exobridge.routing.route import Route
from exobridge.routing.rules import LookupWanted, decide, ignored, without_lookup
from exobridge.templates import Template, is_open

RULE = "rule"
"""Parameter of an applet's URL that names the rules it asks about, separated by commas."""

MAX_UNKNOWN = 100
"""Names of rules that do not exist and are told."""

MAX_RULE_NAME = 64
"""Of a name, in characters; no rule has a longer one."""

_log = structlog.stdlib.get_logger("exobridge.routing")


class Routing:
    """Which way calls go. Made in a running loop.

    Attributes:
        applications: The process's connections to the user's applications.
    """

    def __init__(self, applications: Applications) -> None:
        self.applications = applications
        self._lookups = Lookups(applications, asyncio.get_running_loop().time)
        self._unknown: set[tuple[str, str]] = set()

    def prepare(self, template: Template) -> list[Fault]:
        """Make ready what asks and tells a template's applications; the tables that lack
        something."""
        if any(table.url for _, table in tables(template)):
            self.applications.prepare()
        return faults(template)

    async def route(
        self,
        template_name: str,
        template: Template,
        params: PassthruParams,
        *,
        caller: str,
        called: str,
        now: datetime,
        endpoint: str = "passthru",
    ) -> Route:
        """Decide on one request. Never raises; a look-up that fails, or is too slow, takes what the
        template says for that.

        Args:
            caller: The human's number in E.164, or empty; ``called`` the ExoPhone.
            now: The time of day, aware.
            endpoint: Who asks: ``answer``, ``passthru`` or ``greeting``.
        """
        asked_rules = _asked_rules(params)
        if not template.routes and not asked_rules:
            return Route()
        self._warn_of_unknown(template_name, template, asked_rules)
        facts = Facts(
            call_sid=params.call_sid,
            caller=caller,
            called=called,
            direction=params.direction or template.stream.default_direction,
            custom_field=params.custom_field,
            digits=params.digits,
            dial_status=params.dial_status,
            endpoint=endpoint,
            is_open=is_open(template.hours, now),
            asked_rules=asked_rules,
        )
        route = decide(template, facts)
        if isinstance(route, LookupWanted):
            route = await self._looked_up(template_name, template, facts)
        _log.info(
            "routed",
            call_sid=facts.call_sid,
            template=template_name,
            endpoint=endpoint,
            rule=route.rule,
            branch=route.branch,
        )
        return route

    async def _looked_up(self, template_name: str, template: Template, facts: Facts) -> Route:
        begun = time.perf_counter()
        try:
            answer = await self._lookups.ask(template_name, template.lookup, facts)
        except LookupFailedError as error:
            _log.warning(
                "lookup failed",
                call_sid=facts.call_sid,
                template=template_name,
                error=str(error),
                ms=round((time.perf_counter() - begun) * 1000, 1),
            )
            return without_lookup(template, facts)
        if keys := ignored(template, answer):
            _log.warning(
                "lookup answer ignored",
                call_sid=facts.call_sid,
                template=template_name,
                keys=list(keys),
            )
        route = decide(template, facts, answer)
        assert isinstance(route, Route)  # with an answer there is nothing more to ask
        return route

    def _warn_of_unknown(
        self, template_name: str, template: Template, asked_rules: tuple[str, ...]
    ) -> None:
        """An applet's URL may ask about a rule that is misspelt there, and would take branch B for
        ever. Told once for each name; a stranger's names do not fill the log."""
        unknown = set(asked_rules) - {rule.name for rule in template.routes}
        for rule in unknown:
            named = template_name, rule[:MAX_RULE_NAME]
            if named not in self._unknown and len(self._unknown) < MAX_UNKNOWN:
                self._unknown.add(named)
                _log.warning("unknown rule", template=template_name, rule=named[1])

    async def aclose(self) -> None:
        """Stop asking."""
        await self._lookups.aclose()


def _asked_rules(params: PassthruParams) -> tuple[str, ...]:
    named = next((value for name, value in params.given.items() if name.lower() == RULE), "")
    return tuple(filter(None, map(str.strip, named.split(","))))
