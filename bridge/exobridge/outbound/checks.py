"""Whether a wish can be fulfilled, and how somebody would be called for it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from exobridge.numbers import DEFAULT_TEMPLATE, normalise
from exobridge.outbound.models import DialRefusedError, DialRequest, RetryPolicy, Wish
from exobridge.settings import Settings
from exobridge.templates import Template, Templates
from exobridge.templates.text import CALL_NAMES, VARIABLE_NAME

MAX_VARIABLES = 50
MAX_NAME = 64
MAX_VALUE = 500
"""Characters of a variable's value."""
MAX_KEY = 200
"""Characters of an idempotency key."""


class Numbers(Protocol):
    """Which template answers for which ExoPhone."""

    @property
    def entries(self) -> Mapping[str, str] | None:
        """Template names by E.164 number; ``None``: no number is registered."""
        ...

    @property
    def is_set(self) -> bool:
        """Whether any is."""
        ...


def _no_app_id(number: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the checks go by.

    Attributes:
        missing: Settings without which Exotel cannot be asked.
        app_id: ``EXOTEL_TEMPLATE_APPLET_APP_ID``.
        public_url: ``EXOBRIDGE_PUBLIC_URL``.
        app_id_of: The flow of an ExoPhone's own; empty: its template's.
    """

    templates: Templates
    numbers: Numbers
    missing: tuple[str, ...] = ()
    app_id: str = ""
    public_url: str = ""
    app_id_of: Callable[[str], str] = _no_app_id

    @classmethod
    def of(
        cls,
        settings: Settings,
        templates: Templates,
        numbers: Numbers | None = None,
        app_id_of: Callable[[str], str] = _no_app_id,
    ) -> Ground:
        """Of a server's settings.

        Args:
            numbers: In place of those of the environment.
        """
        credentials = {
            "EXOTEL_API_KEY": settings.exotel_api_key,
            "EXOTEL_API_TOKEN": settings.exotel_api_token,
            "EXOTEL_SID": settings.exotel_sid,
        }
        return cls(
            templates,
            settings.numbers if numbers is None else numbers,
            tuple(name for name, value in credentials.items() if value is None),
            settings.exotel_template_applet_app_id or "",
            settings.public_url or "",
            app_id_of,
        )


def check_number(number: str, numbers: Numbers) -> str:
    """Whom to call, in E.164.

    Raises:
        DialRefusedError: It cannot be called.
    """
    normal = normalise(number)
    if normal is None:
        raise DialRefusedError(
            "bad-number",
            "It is no phone number; write +91 and its ten digits.",
            "number",
        )
    if normal in (numbers.entries or {}):
        raise own_number()
    return normal


def own_number() -> DialRefusedError:
    """Whoever is to be called is an ExoPhone of ours."""
    return DialRefusedError(
        "own-number", "The number is one of our own: the bot would call itself.", "number"
    )


def check(wish: Wish, ground: Ground) -> DialRequest:
    """How this wish would be called; its number apart, which :func:`check_number` checks.

    Raises:
        DialRefusedError: It cannot be fulfilled; the first reason that is found.
    """
    if ground.missing:
        raise DialRefusedError(
            "no-credentials",
            f"Exotel cannot be asked: set {', '.join(ground.missing)}, from its page of API "
            "settings.",
        )
    check_key(wish.key)
    if wish.not_before is not None and wish.not_before.utcoffset() is None:
        raise DialRefusedError("bad-time", "The time needs a zone, like +05:30.", "not_before")
    name = wish.template or DEFAULT_TEMPLATE
    template = _template(name, ground.templates)
    table = template.outbound
    mode = wish.mode or table.mode
    caller_id = _caller_id(wish, name, template, ground.numbers)
    return DialRequest(
        template=name,
        caller_id=caller_id,
        mode=mode,
        variables=_variables(wish.variables),
        purpose=table.purpose,
        policy=RetryPolicy(
            attempts=table.attempts,
            retry_on=table.retry_on,
            pauses=tuple(minutes * 60.0 for minutes in table.retry_minutes),
        ),
        ring_seconds=table.ring_seconds,
        limit_seconds=template.time_limit,
        app_id=_app_id(mode, caller_id, template, ground),
        record=table.record,
    )


def check_key(key: str) -> None:
    """Whether this may be an idempotency key.

    Raises:
        DialRefusedError: It may not.
    """
    if len(key) > MAX_KEY or not key.isprintable():
        raise DialRefusedError(
            "bad-key", f"An idempotency key has at most {MAX_KEY} printable characters.", "key"
        )


def _template(name: str, templates: Templates) -> Template:
    if name in templates:
        return templates[name]
    near = difflib.get_close_matches(name, templates, n=1, cutoff=0.6)
    hint = (
        f" It may be meant: {near[0]}." if near else f" There are: {', '.join(sorted(templates))}."
    )
    raise DialRefusedError(
        "unknown-template", f"There is no template of this name.{hint}", "template"
    )


def _caller_id(wish: Wish, name: str, template: Template, numbers: Numbers) -> str:
    entries = numbers.entries or {}
    if wish.caller_id:
        given = normalise(wish.caller_id)
        if given is None:
            raise DialRefusedError("bad-caller-id", "It is no phone number.", "caller_id")
    else:
        served = sorted(number for number, by in entries.items() if by == name)
        given = template.outbound.caller_id or next(iter(served), "")
    if not given:
        raise DialRefusedError(
            "no-caller-id",
            "No ExoPhone is known to call from: name one, set outbound.caller_id in the template, "
            "or register a number with the template.",
            "caller_id",
        )
    if numbers.is_set and given not in entries:
        raise DialRefusedError(
            "unknown-caller-id",
            "It is none of the registered ExoPhones: name one of these, or register it.",
            "caller_id",
        )
    return given


def _app_id(mode: str, caller_id: str, template: Template, ground: Ground) -> str:
    """The flow of a call; empty where it goes straight to the bot."""
    if mode == "stream":
        if not ground.public_url:
            raise DialRefusedError(
                "no-public-url",
                "A call that goes straight to the bot needs to know where that is: set "
                "EXOBRIDGE_PUBLIC_URL.",
                "mode",
            )
        return ""
    own = ground.app_id_of(caller_id)
    app_id = own or template.telephony_config.applet_app_id or ground.app_id
    if not app_id:
        raise DialRefusedError(
            "no-flow",
            "No flow is known for the call: set telephony_config.applet_app_id in the template or "
            'EXOTEL_TEMPLATE_APPLET_APP_ID, or take outbound.mode = "stream".',
            "mode",
        )
    return app_id


def _variables(given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MAX_VARIABLES:
        raise _bad_variables(f"There are more than {MAX_VARIABLES}.")
    for name, value in given.items():
        if len(name) > MAX_NAME or not VARIABLE_NAME.fullmatch(name):
            raise _bad_variables(
                f"A name begins with a small letter, holds small letters, digits and _ , and has "
                f"at most {MAX_NAME} characters."
            )
        if name in CALL_NAMES:
            raise _bad_variables(f"{name} is known of every call, and cannot be given.")
        if len(value) > MAX_VALUE:
            raise _bad_variables(f"{name} has more than {MAX_VALUE} characters.")
        if "\0" in value or not _can_be_encoded(value):
            raise _bad_variables(f"{name} holds characters that are no text.")
    return dict(given)


def _can_be_encoded(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _bad_variables(problem: str) -> DialRefusedError:
    return DialRefusedError("bad-variables", problem, "variables")
