"""Wishes that cannot be fulfilled are told so, with a cure and without a number."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.numbers import NumberBook
from exobridge.outbound.checks import Ground, check
from exobridge.outbound.models import DialRefusedError, KeyReusedError, Wish
from exobridge.outbound.service import Outbound
from exobridge.store import Store
from tests.outbound.ground import NOON, OURS, Clock, ground, ledger, number, template

SOMEBODY = number(1)
NEVER = datetime.max.replace(tzinfo=UTC)
NIGHT = template(purpose="promotional", hours={"mon": ["22:00-23:00"]})


class _Nowhere:
    """A store that is not asked."""

    dials = None


def no_flow() -> Ground:
    """No app id anywhere."""
    plain = template()
    empty = plain.telephony_config.model_copy(update={"applet_app_id": ""})
    return ground({"default": plain.model_copy(update={"telephony_config": empty})})


def unregistered() -> Ground:
    """No number is registered, and the template names none."""
    return Ground({"default": template()}, NumberBook())


def calling_from(exophone: str) -> Ground:
    """No number is registered, and the template names this one."""
    return Ground({"default": template(caller_id=exophone)}, NumberBook())


@pytest.mark.parametrize(
    ("wish", "on", "kind", "field"),
    [
        ({"number": "12"}, ground(), "bad-number", "number"),
        ({"number": "08047112233"}, ground(), "own-number", "number"),
        ({"number": "08047112234"}, calling_from("+918047112234"), "own-number", "number"),
        ({"template": "defualt"}, ground(), "unknown-template", "template"),
        ({"caller_id": "80"}, ground(), "bad-caller-id", "caller_id"),
        ({"caller_id": number(9)}, ground(), "unknown-caller-id", "caller_id"),
        ({}, unregistered(), "no-caller-id", "caller_id"),
        ({}, no_flow(), "no-flow", "mode"),
        ({"mode": "stream"}, ground(public_url=""), "no-public-url", "mode"),
        ({}, ground(missing=("EXOTEL_SID",)), "no-credentials", ""),
        ({"key": "x" * 201}, ground(), "bad-key", "key"),
        ({"not_before": datetime(2026, 11, 20)}, ground(), "bad-time", "not_before"),
        ({"not_before": NEVER}, ground(), "bad-time", "not_before"),
        ({}, ground({"default": NIGHT}), "never-open", "template"),
        ({"variables": {"Name": ""}}, ground(), "bad-variables", "variables"),
        ({"variables": {"caller": "x"}}, ground(), "bad-variables", "variables"),
        ({"variables": {"a": "x" * 501}}, ground(), "bad-variables", "variables"),
        ({"variables": {"a": "\ud800"}}, ground(), "bad-variables", "variables"),
        ({"variables": {"a": "\0"}}, ground(), "bad-variables", "variables"),
        ({"variables": {f"v{n}": "" for n in range(51)}}, ground(), "bad-variables", "variables"),
    ],
)
def test_a_wish_that_cannot_be_fulfilled_names_its_field(
    wish: dict[str, Any], on: Ground, kind: str, field: str
) -> None:
    """The first reason that is found; no number stands in it."""
    asked = replace(Wish(SOMEBODY), **wish)
    judge = Outbound(cast("Store", _Nowhere()), lambda: on, None, Clock()).judge
    with pytest.raises(DialRefusedError) as raised:
        judge(asked)
    assert (raised.value.kind, raised.value.field) == (kind, field)
    assert SOMEBODY[-10:] not in raised.value.detail
    assert raised.value.detail.endswith(".")


def test_what_a_call_takes_is_found_where_it_is_said() -> None:
    """The number's own flow, then the template's, then the setting's; the number registered with
    the template."""
    by_template = check(Wish(SOMEBODY), ground(app_id="1"))
    assert (by_template.app_id, by_template.caller_id) == ("77", OURS)
    by_number = check(Wish(SOMEBODY), ground(app_id_of={OURS: "88"}.__getitem__))
    assert by_number.app_id == "88"
    on = no_flow()
    by_setting = Ground(on.templates, on.numbers, app_id="99")
    assert check(Wish(SOMEBODY), by_setting).app_id == "99"
    assert check(Wish(SOMEBODY, mode="stream"), ground()).app_id == ""


@given(st.dictionaries(st.text(max_size=70), st.text(max_size=600), max_size=60))
def test_any_variables_are_kept_or_refused(given_variables: dict[str, str]) -> None:
    """What is kept can be written and is what was given."""
    with suppress(DialRefusedError):
        request = check(Wish(SOMEBODY, variables=given_variables), ground())
        assert request.variables == given_variables
        json.dumps(request.data(), ensure_ascii=False).encode()


async def test_a_key_makes_one_dial(tmp_path: Path) -> None:
    """Asked again, however the number is written, it is the same; for something else it is not."""
    async with ledger(tmp_path / "db.sqlite3") as book:
        first, is_new = await book.outbound.dial(Wish(SOMEBODY, key="k1"))
        again, is_new_again = await book.outbound.dial(Wish(f"0{SOMEBODY[3:]}", key="k1"))
        assert (is_new, is_new_again, again.id) == (True, False, first.id)
        with pytest.raises(KeyReusedError):
            await book.outbound.dial(Wish(number(2), key="k1"))
        another, _ = await book.outbound.dial(Wish(SOMEBODY))
        assert another.id != first.id
        listed = await book.outbound.dials(1)
        assert len(listed) == 1
        rest = await book.outbound.dials(5, listed[0].id)
        assert {listed[0].id, *(dial.id for dial in rest)} == {first.id, another.id}


async def test_a_promotional_call_is_queued_for_the_morning(tmp_path: Path) -> None:
    """Wished for at night, it is due at nine, and may wait a day from then on."""
    on = ground({"default": template(purpose="promotional")})
    night = Clock(NOON.replace(hour=18))
    async with ledger(tmp_path / "db.sqlite3", night, on) as book:
        dial = await book.want(1)
        assert dial.due_at == NOON.replace(day=21, hour=3, minute=30)
        assert dial.give_up_at == NOON.replace(day=22, hour=3, minute=30)


def test_nothing_shows_a_number() -> None:
    """Neither the wish's repr nor the request's."""
    wish = Wish(SOMEBODY, caller_id=OURS, variables={"name": "Asha"})
    shown = repr(wish) + repr(check(wish, ground()))
    assert SOMEBODY not in shown
    assert OURS not in shown
    assert "Asha" not in shown
