"""Numbers, for who lists, changes, compares and assigns them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from exobridge.exophones.errors import NumberError
from exobridge.exophones.listing import OwnNumber, as_found, found_of, listing
from exobridge.exotel.api import ExotelApi
from exobridge.exotel.flows import flow_url
from exobridge.numbers import DEFAULT_TEMPLATE, NumberBook, mask, normalise
from exobridge.store import Store
from exobridge.store.numbers import Found, LastServedError, NumberWish, Synced
from exobridge.templates import Templates
from exobridge.visible import visible

NO_ACCOUNT = "Set EXOTEL_API_KEY, EXOTEL_API_TOKEN and EXOTEL_SID."


MAX_NAME = 100
APP_ID = re.compile(r"[A-Za-z0-9_-]{0,64}")


async def _nothing() -> None: ...


class Numbers:
    """Our ExoPhones.

    Methods that ask the account raise :class:`~exobridge.exotel.api.ExotelError` besides; all raise
    :class:`~exobridge.store.StoreError` if the database does not answer.

    Args:
        environment: The numbers of ``EXOTEL_NUMBERS``: they win, and are not changed.
        templates: Those in force.
        api: The account's; ``None``: there are no credentials.
        sid: The account's; flows are named by it.
        changed: Awaited after each change, so that it holds at once.
    """

    def __init__(
        self,
        store: Store,
        environment: NumberBook,
        templates: Callable[[], Templates],
        api: ExotelApi | None,
        sid: str | None,
        clock: Callable[[], datetime],
        changed: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._store = store
        self._rows = store.numbers
        self._environment = environment.entries or {}
        self._templates = templates
        self._api = api
        self._sid = sid or ""
        self._clock = clock
        self._changed = changed

    # -------------------------------------------------------------- looking up

    async def listed(self) -> list[OwnNumber]:
        """All of them, in the numbers' order."""
        visits = await self._store.visits.listed()
        return listing(self._environment, await self._rows.listed(), visits)

    async def find(self, written: str) -> OwnNumber:
        """One of them, its number written in any way.

        Raises:
            NumberError: ``unknown-number``.
        """
        number = normalise(written)
        for each in await self.listed():
            if each.number == number:
                return each
        raise NumberError("unknown-number", "There is no such number.")

    # -------------------------------------------------------------- changing

    async def put(
        self, written: str, wish: NumberWish, *, only_new: bool = False, allow_none: bool = False
    ) -> tuple[OwnNumber, bool]:
        """Keep a number, in place of what was said of it before.

        Args:
            only_new: Refuse one that is kept already.
            allow_none: Also if nobody answered for any number then, whereupon ``default`` answers
                for every number.

        Returns:
            The number, and whether it is new.

        Raises:
            NumberError: ``no-number``, ``bad-value``, ``read-only``, ``unknown-template``,
                ``known-number`` or ``last-number``.
        """
        number = self._editable(written)
        _check(wish)
        self._check_template(wish.template)
        try:
            is_new = await self._rows.put(
                number,
                wish,
                self._clock(),
                only_new=only_new,
                keep_one=not (allow_none or self._environment),
            )
        except LastServedError:
            raise _last() from None
        if is_new is None:
            raise NumberError("known-number", "The number is there already.", "Change it instead.")
        await self._changed()
        return await self.find(number), is_new

    async def remove(self, written: str, *, allow_none: bool = False) -> None:
        """Forget a number. ``allow_none`` as in :meth:`put`.

        Raises:
            NumberError: ``unknown-number``, ``read-only`` or ``last-number``.
        """
        number = self._editable((await self.find(written)).number)
        keep_one = not (allow_none or self._environment)
        try:
            await self._rows.remove(number, keep_one=keep_one)
        except LastServedError:
            raise _last() from None
        await self._changed()

    def _editable(self, written: str) -> str:
        number = normalise(written)
        if number is None:
            detail = "This is no phone number."
            raise NumberError("no-number", detail, "Write +91 and its ten digits.", "number")
        if number in self._environment:
            detail = f"{mask(number)} stands in EXOTEL_NUMBERS, which wins."
            raise NumberError("read-only", detail, "Change it there, and restart the server.")
        return number

    def _check_template(self, name: str | None) -> None:
        known = self._templates()
        if name is None or name in known:
            return
        near = difflib.get_close_matches(name, known, 1) or [", ".join(sorted(known))]
        raise NumberError(
            "unknown-template", "There is no template of this name.", f"Use {near[0]}.", "template"
        )

    # -------------------------------------------------------------- the account

    async def sync(self) -> Synced:
        """Ask the account for its ExoPhones and keep what it tells. New ones get no template; what
        a user said stays, and who is served does not change.

        Raises:
            NumberError: ``no-account``.
        """
        found = found_of(await self._account().exophones())
        synced = await self._rows.sync(found, self._environment, self._clock())
        await self._changed()
        return synced

    async def seen(self) -> list[OwnNumber]:
        """As :meth:`listed`, but what the account tells is asked for now; nothing is kept. Numbers
        that are the account's alone come too, without a template.

        Raises:
            NumberError: ``no-account``.
        """
        found = {each.number: each for each in found_of(await self._account().exophones())}
        ours = {each.number: each for each in await self.listed()}
        return [
            as_found(ours.get(number) or OwnNumber(number), found.get(number))
            for number in sorted(found.keys() | ours.keys())
        ]

    async def assign(self, written: str, app_id: str = "") -> OwnNumber:
        """Have the calls to a number take a flow, at Exotel.

        Args:
            app_id: The flow's; empty: that of the number, else of its template.

        Raises:
            NumberError: ``unknown-number``, ``bad-value``, ``no-flow``, ``no-account`` or
                ``not-in-account``.
        """
        own = await self.find(written)
        _check(NumberWish(applet_app_id=app_id))
        app_id = app_id or own.wanted_app_id(self._templates())
        if not app_id:
            raise NumberError(
                "no-flow",
                "No flow is named, and neither the number nor its template has one.",
                "Name the flow's app id, from the URL of its page in App Bazaar.",
                "applet_app_id",
            )
        api = self._account()
        found = await self._found(api, own.number)
        found = replace(found, flow_url=flow_url(self._sid, app_id))
        await api.assign_flow(found.exophone_sid, found.flow_url)
        await self._rows.assigned(found, self._clock())
        return await self.find(own.number)

    async def _found(self, api: ExotelApi, number: str) -> Found:
        for each in found_of(await api.exophones()):
            if each.number == number:
                return each
        detail = f"The account has no ExoPhone {mask(number)}."
        raise NumberError("not-in-account", detail, "Correct the number, or EXOTEL_SID.")

    def _account(self) -> ExotelApi:
        if self._api is None:
            raise NumberError("no-account", "Exotel's API cannot be asked.", NO_ACCOUNT)
        return self._api


def _check(wish: NumberWish) -> None:
    if len(wish.name) > MAX_NAME or visible(wish.name) != wish.name:
        detail = f"The name is not up to {MAX_NAME} visible characters."
        raise NumberError("bad-value", detail, field="name")
    if not APP_ID.fullmatch(wish.applet_app_id):
        detail = "The app id is not of letters, digits, - and _."
        raise NumberError("bad-value", detail, field="applet_app_id")


def _last() -> NumberError:
    detail = f"Without it every number would get the template {DEFAULT_TEMPLATE}."
    return NumberError("last-number", detail, "If that is meant, allow it (allow_none).")
