"""The account's ExoPhones: listed by pages, each assigned to a flow."""

from __future__ import annotations

import re
from collections.abc import Mapping

from exobridge.simulator.account.answers import Page, Refusal
from exobridge.simulator.account.connect import split_url

_SMALL = re.compile(r"[0-9]{1,6}", re.ASCII)


def exophone(at: int, number: str) -> Page:
    """A number as the list shows it."""
    return {
        "sid": f"exophone-{at}",
        "phone_number": number,
        "friendly_name": f"Number {at}",
        "capabilities": {"voice": True, "sms": False},
        "country": "IN",
        "region": "KA",
        "voice_url": "",
    }


def page_of(exophones: list[Page], query: Mapping[str, str], path: str, largest: int) -> Page:
    """One page of the list. It names the next one as Exotel does: at another host, by http.

    Args:
        query: ``Page``, from 0, and ``PageSize``.
        path: Of the list.
        largest: Numbers in one page, at most.

    Raises:
        Refusal: 400, one of both is no number.
    """
    page, size = _number(query, "Page", 0), _number(query, "PageSize", largest)
    size = max(1, min(size, largest))
    behind = (page + 1) * size
    elsewhere = f"http://twilix.exotel.com{path}?Page={page + 1}&PageSize={size}"
    return {
        "page": page,
        "page_size": size,
        "next_page_uri": elsewhere if behind < len(exophones) else None,
        "incoming_phone_numbers": exophones[page * size : behind],
    }


def assign(exophones: list[Page], sid: str, form: Mapping[str, str]) -> Page:
    """Give a number another flow: the number as it is then.

    Raises:
        Refusal: There is no such number (404), or ``VoiceUrl`` is no URL (400).
    """
    found = next((each for each in exophones if each["sid"] == sid), None)
    if found is None:
        raise Refusal(404, "The ExoPhone was not found")
    url = form.get("VoiceUrl", "").strip()
    split_url(url, ("http", "https"), lambda told: Refusal(400, f"VoiceUrl {told}", 34001))
    found["voice_url"] = url
    return found


def same_number(one: str, other: str) -> bool:
    """Whether both are one telephone: ``+918047112233``, ``08047112233``, ``8047112233``."""
    return one[-10:] == other[-10:]


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if text and not _SMALL.fullmatch(text):
        raise Refusal(400, f"{name} is not a number", 34001)
    return int(text) if text else default
