"""Exotel's API, asked with the account's credentials. Only with ``--online``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import httpx

from exobridge.doctor.answers import json_object
from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.numbers import mask, normalise
from exobridge.settings import Settings

REQUEST_SECONDS = 6.0
PATH = "/v2_beta/Accounts/{sid}/IncomingPhoneNumbers"
"""Lists the account's ExoPhones; the cheapest thing that can be asked."""


async def look(case: Case) -> list[Finding]:
    """Whether the credentials are good, and the numbers the account's."""
    if not case.scope.online:
        return []
    settings = case.settings
    key, token, sid = settings.exotel_api_key, settings.exotel_api_token, settings.exotel_sid
    if key is None or token is None or sid is None:
        found = "cannot be asked: key, token or SID is not set"
        cure = "Set EXOTEL_API_KEY, EXOTEL_API_TOKEN and EXOTEL_SID."
        return [error("exotel.account", found, cure)]
    url = case.scope.exotel_url.rstrip("/") + PATH.format(sid=sid)
    try:
        async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as http:
            credentials = (key.get_secret_value(), token.get_secret_value())
            response = await http.get(url, auth=credentials)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        found = f"{case.scope.exotel_url} does not answer ({type(problem).__name__})"
        return [error("exotel.account", found, "Look at the way out: firewall, proxy, DNS.")]
    if response.status_code != 200:
        return [_refused(response.status_code, case.scope.exotel_url)]
    findings = [ok("exotel.account", f"{case.scope.exotel_url} takes the credentials")]
    return [*findings, *_numbers(settings, response)]


def _refused(status: int, url: str) -> Finding:
    found = f"{url} answers {status}"
    match status:
        case 401:
            cure = "Copy key and token anew from Exotel's page of API settings."
            found += ": the key or the token is wrong, or of the other region"
        case 403:
            cure = "Finish the account's KYC, or ask Exotel for the feature."
            found += ": the account may not ask that"
        case 404:
            cure = (
                "Copy EXOTEL_SID anew; accounts in Mumbai: --exotel-url https://api.in.exotel.com"
            )
            found += ": there is no such account"
        case 429 | 500 | 502 | 503 | 504:
            return warning("exotel.account", found, "Ask again in some minutes.")
        case _:
            cure = "Look at Exotel's status page, and ask its support."
    return error("exotel.account", found, cure)


def _numbers(settings: Settings, response: httpx.Response) -> Iterator[Finding]:
    entries, size = _listed(response)
    if entries is None:
        found = "the list of ExoPhones cannot be read"
        yield info("exotel.numbers", found)
        return
    theirs = {normalise(str(each.get("phone_number") or "")) for each in entries} - {None}
    ours = set(settings.numbers.entries or {})
    if missing := sorted(ours - theirs):
        found = f"not of this account: {', '.join(map(mask, missing))}"
        if len(entries) >= size:
            yield info("exotel.numbers", f"{found}, as far as the first page tells")
        else:
            cure = "Correct EXOTEL_NUMBERS, or EXOTEL_SID."
            yield warning("exotel.numbers", found, cure)
    else:
        yield ok("exotel.numbers", f"all of EXOTEL_NUMBERS are of this account ({len(theirs)})")
    if ours and (unused := sorted(str(number) for number in theirs - ours)):
        found = f"not in EXOTEL_NUMBERS: {', '.join(map(mask, unused))}"
        yield info("exotel.numbers", found, "A call to one of them is refused if it gets here.")


def _listed(response: httpx.Response) -> tuple[list[dict[str, Any]] | None, int]:
    """The ExoPhones of the first page and how many a page holds."""
    page = json_object(response)
    entries, size = page.get("incoming_phone_numbers"), page.get("page_size")
    if not isinstance(entries, list):
        return None, 0
    listed = cast(list[object], entries)
    dicts = [cast(dict[str, Any], each) for each in listed if isinstance(each, dict)]
    return dicts, size if isinstance(size, int) else 50
