"""What a Greeting applet says to a caller: its text comes from a URL of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from exobridge.call.state import Call
from exobridge.desk import Desk, Verdict
from exobridge.exotel.passthru import PassthruParams
from exobridge.numbers import spoken
from exobridge.routing import Route, Routing
from exobridge.store import StoreError
from exobridge.store.patience import Patience
from exobridge.templates import call_variables, render

MAX_TEXT = 1000
"""Characters of a text, about a minute of speech; the rest is cut off at a word's end."""

_log = structlog.stdlib.get_logger("exobridge.greeting")


@dataclass(frozen=True, slots=True)
class Greeting:
    """A text to be said.

    Attributes:
        rule: The rule that decided; empty: none did.
    """

    text: str
    rule: str = ""


class Greetings:
    """Texts for Greeting applets. Nothing is decided of the call, and nothing kept.

    Args:
        clock: The time of day, aware.
        store_seconds: Longest wait for the database.
    """

    def __init__(
        self, *, desk: Desk, routing: Routing, clock: Callable[[], datetime], store_seconds: float
    ) -> None:
        self._desk = desk
        self._routing = routing
        self._clock = clock
        self._patience = Patience(store_seconds)

    async def ask(self, params: PassthruParams) -> Greeting:
        """The text for a call: what a rule or a look-up says, else the template's greeting."""
        known = await self._known(params)
        placed = self._desk.entry(params, known)
        route = await self._routing.route(
            placed.template_name,
            placed.template,
            params,
            caller=placed.caller,
            called=placed.called,
            now=self._clock(),
            endpoint="greeting",
        )
        variables = dict(known.placed.variables) if known is not None else {}
        return Greeting(_cut(route.say or self._text(placed, route, variables)), route.rule)

    def of_nobody(self) -> Greeting:
        """The text where no call is named: an applet without a text would play nothing."""
        return Greeting(self._text(self._desk.place(PassthruParams(""), None), Route(), {}))

    def _text(self, placed: Verdict, route: Route, dialled: Mapping[str, str]) -> str:
        template = self._desk.template(route.template) or placed.template
        language = route.language or template.language
        refusal = template.refusal_in(language)
        lines = {"closed": refusal.closed, "busy": refusal.busy, "unknown": refusal.unknown}
        variables = call_variables(
            {**template.variables, **route.variables, **dialled},
            caller=spoken(placed.caller),
            called=spoken(placed.called),
            custom_field=placed.custom_field,
        )
        return render(lines.get(route.refuse, template.greeting_in(language)), variables)

    async def _known(self, params: PassthruParams) -> Call | None:
        looked_up = self._desk.look_up(params.call_sid, params.custom_field)
        try:
            return await self._patience.wait(looked_up)
        except StoreError as error:
            _log.error("call not looked up", call_sid=params.call_sid, error=str(error))
            return None


def _cut(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return text[:MAX_TEXT].rpartition(" ")[0] or text[:MAX_TEXT]
