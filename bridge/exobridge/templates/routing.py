"""The tables of a template's rules: ``[[routes]]``, ``[lookup]`` and ``[log]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from exobridge.numbers import TEMPLATE_NAME, normalise
from exobridge.regions import AREA_CODES, is_region
from exobridge.templates.checks import Applet, LanguageTag, Text, VariableName
from exobridge.templates.table import Table
from exobridge.templates.text import CALL_NAMES, names_in
from exobridge.validation import wrong

HIDDEN = "hidden"
"""A caller without a number."""

ANY_KEYS = "any"
"""Keys were pressed, whichever."""

DIGITS = "digits"
"""A name that ``say`` may use: the keys that were pressed."""

MAX_ROUTES = 100
MAX_VARIABLES = 50
MAX_VALUE = 1000
"""Of a variable, in characters."""

_KEYS = re.compile(r"[0-9*#A-Dx]{1,32}")
_HOOK = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _several(value: object) -> object:
    """One text or a list of them."""
    if isinstance(value, list):
        return tuple(cast(Iterable[Any], value))
    return (value,) if isinstance(value, str) else value


def _as_text(value: object) -> object:
    match value:
        case bool():
            return ("true" if value else "false",)
        case int() | float():
            return (str(value),)
        case _:
            return _several(value)


def _number(text: str) -> str:
    number = normalise(text)
    if number is None:
        raise wrong("is no phone number", 'Write it like "+919811122233".')
    return number


def _caller(text: str) -> str:
    return text if text == HIDDEN else _number(text)


def _region(text: str) -> str:
    if not is_region(text):
        raise wrong(
            "is no region",
            'Write the beginning of numbers like "+9144", or a state: '
            f"{', '.join(sorted(AREA_CODES))}.",
        )
    return text


def _keys(text: str) -> str:
    if text != ANY_KEYS and not _KEYS.fullmatch(text):
        cure = 'Write keys like "1" or "42#", x for any digit like "xxxxxx", or "any".'
        raise wrong("are no keys", cure)
    return text


def _template_name(text: str) -> str:
    if not TEMPLATE_NAME.fullmatch(text):
        raise wrong("is no template's name", 'Write it like "reception".')
    return text


Several = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=256)], ...],
    BeforeValidator(_several),
    Field(strict=False, max_length=100),
]
"""A list of texts; a single one may stand by itself."""

Values = Annotated[Several, BeforeValidator(_as_text)]
TemplateName = Annotated[str, AfterValidator(_template_name)]


def _each(check: Callable[[str], str]) -> AfterValidator:
    def checked(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check, texts))

    return AfterValidator(checked)


class WhenTable(Table):
    """``when`` of a rule: all that is given must hold; of several values of one key, any."""

    caller: Annotated[Several, _each(_caller)] = ()
    caller_in: Several = ()
    region: Annotated[Several, _each(_region)] = ()
    called: Annotated[Several, _each(_number)] = ()
    direction: Literal["", "incoming", "outgoing"] = ""
    hours: Literal["", "open", "closed"] = ""
    digits: Annotated[Several, _each(_keys)] = ()
    custom_field: Several = ()
    dial_status: Several = ()
    endpoint: Literal["", "answer", "passthru", "greeting"] = ""
    answered: bool = False
    lookup: dict[str, Values] = Field(default_factory=dict[str, Values], max_length=20)

    @property
    def asks(self) -> bool:
        """Whether the look-up must have answered for it to hold."""
        return self.answered or bool(self.lookup)


class ThenTable(Table):
    """``then`` of a rule: what is done with the call."""

    branch: Literal["a", "b"] = "a"
    template: TemplateName = ""
    language: LanguageTag = ""
    variables: dict[VariableName, Annotated[str, Field(max_length=MAX_VALUE)]] = Field(
        default_factory=dict[str, str], max_length=MAX_VARIABLES
    )
    applet: Applet = ""
    say: Text = ""
    refuse: Literal["", "closed", "busy", "unknown"] = ""

    @model_validator(mode="after")
    def _goes_one_way(self) -> Self:
        if self.branch == "b" and (self.applet or self.refuse):
            key = "applet" if self.applet else "refuse"
            raise wrong('is not used while branch is "b"', "Remove one of the two.", key)
        if self.applet and self.refuse:
            raise wrong("is not used while the call is refused", "Remove one of the two.", "applet")
        return self


class RouteTable(Table):
    """One of ``[[routes]]``. Several may have one name: they are one answer, given on different
    conditions."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    when: WhenTable = Field(default_factory=WhenTable)
    then: ThenTable = Field(default_factory=ThenTable)


def _rules(value: object) -> object:
    if isinstance(value, dict):
        raise wrong("is one table", "Write [[routes]], with two brackets, above each rule.")
    return value


Routes = Annotated[list[RouteTable], BeforeValidator(_rules), Field(max_length=MAX_ROUTES)]


class EndpointTable(Table):
    """Where an application of the user's is asked or told, and how it knows who speaks."""

    url: str = Field(default="", max_length=2000)
    headers: dict[str, str] = Field(default_factory=dict[str, str], max_length=20)
    secret_env: str = Field(default="", max_length=100)
    allow_http: bool = False

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if not self.url:
            for key in ("headers", "secret_env", "allow_http"):
                if getattr(self, key):
                    raise wrong("is not used without url", "Remove it, or set url.", key)
            return self
        # Here, as it imports httpx, which a server that asks nobody does without.
        from exobridge_providers.endpoint import checked_url

        try:
            checked_url(self.url, allow_http=self.allow_http)
        except ValueError as error:
            raise wrong(str(error), "Correct the URL.", "url") from None
        return self


class LookupTable(EndpointTable):
    """``[lookup]``: who is asked about a caller. Nobody, without ``url`` and ``hook``."""

    method: Literal["POST", "GET"] = "POST"
    hook: Annotated[str, StringConstraints(pattern=r"^$|" + _HOOK.pattern + "$")] = ""
    path: str = "."
    timeout_ms: int = Field(default=800, ge=50, le=2500)
    templates: Annotated[tuple[TemplateName, ...], Field(strict=False, max_length=50)] = ()
    languages: Annotated[tuple[LanguageTag, ...], Field(strict=False, max_length=20)] = ()
    on_failure: ThenTable = Field(default_factory=ThenTable)

    @property
    def is_set(self) -> bool:
        """Whether somebody is asked."""
        return bool(self.url or self.hook)

    @model_validator(mode="after")
    def _asks_one(self) -> Self:
        if self.url and self.hook:
            raise wrong("is not used while url is set", "Remove one of the two.", "hook")
        return self


class LogTable(EndpointTable):
    """``[log]``: who is told each fact of a call, afterwards."""


def check_routes(
    routes: list[RouteTable],
    lists: Mapping[str, object],
    lookup: LookupTable,
    variables: Mapping[str, str],
    *,
    has_hours: bool,
) -> None:
    """What a rule refers to must be there.

    Raises:
        PydanticCustomError: It is not; says which rule.
    """
    for route in routes:
        for problem, cure in _problems(route, lists, lookup, variables, has_hours=has_hours):
            raise wrong(f"rule {route.name}: {problem}", cure, "routes")
    if unknown := _unknown(lookup.on_failure, variables, answers=False):
        raise wrong(_uses(unknown), _DECLARE, "lookup", "on_failure", "say")


def _problems(
    route: RouteTable,
    lists: Mapping[str, object],
    lookup: LookupTable,
    variables: Mapping[str, str],
    *,
    has_hours: bool,
) -> Iterator[tuple[str, str]]:
    when = route.when
    if missing := sorted(set(when.caller_in) - lists.keys()):
        yield f"there is no list {missing[0]}", "Write it into [lists]."
    if when.hours and not has_hours:
        yield "when.hours is never true without opening hours", "Add a table [hours]."
    if when.asks and not lookup.is_set:
        yield "nobody is asked about the caller", "Set url or hook in [lookup]."
    if unknown := _unknown(route.then, variables, answers=lookup.is_set):
        yield _uses(unknown), _DECLARE


_DECLARE = "Add it to [variables] or to the rule's own variables."


def _uses(name: str) -> str:
    return f"say uses {{{name}}}, which is no known variable"


def _unknown(then: ThenTable, variables: Mapping[str, str], *, answers: bool) -> str:
    """A variable of ``say`` that no call has. What a look-up answers may have any name."""
    known = {*CALL_NAMES, DIGITS, *variables, *then.variables}
    return "" if answers else min(names_in(then.say) - known, default="")


def named_templates(routes: list[RouteTable], lookup: LookupTable) -> set[str]:
    """Templates that calls may go on with."""
    thens = [*(route.then for route in routes), lookup.on_failure]
    return {then.template for then in thens if then.template} | set(lookup.templates)


def named_pairs(name: str, routes: list[RouteTable], lookup: LookupTable) -> set[tuple[str, str]]:
    """Templates and the languages that calls with them may be held in, by the rules of ``name``."""
    thens = [*(route.then for route in routes), lookup.on_failure]
    pairs = {(then.template or name, then.language) for then in thens if then.language}
    return pairs | {(name, language) for language in lookup.languages}


def named_languages(routes: list[RouteTable], lookup: LookupTable) -> set[str]:
    """Languages that calls may be held in, beside the template's own."""
    thens = [*(route.then for route in routes), lookup.on_failure]
    return {then.language for then in thens if then.language} | set(lookup.languages)
