"""Whether calls could be placed with the templates in use. Pure; nobody is called."""

from __future__ import annotations

from collections.abc import Iterator

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, info, ok, warning
from exobridge.outbound.checks import Ground, check
from exobridge.outbound.models import DialRefusedError, DialRequest, Wish

NOBODY = "+919800000000"
"""Is not called."""

IN_LAW = {
    "promotional": "promotional, 09:00 to 21:00 IST",
    "transactional": "transactional, at any time",
}


def look(case: Case) -> list[Finding]:
    """What a dial would be told; without credentials nothing, as none is meant."""
    if case.settings.exotel_api_key is None:
        return []
    return list(_looked(case))


def _looked(case: Case) -> Iterator[Finding]:
    flows = {own.number: own.applet_app_id for own in case.numbers}
    ground = Ground.of(case.settings, case.in_use, case.book, lambda number: flows.get(number, ""))
    for name in case.in_use:
        try:
            request = check(Wish(NOBODY, template=name), ground)
        except DialRefusedError as refused:
            yield info("outbound.ready", f"{name}: no call can be placed with it", refused.detail)
        else:
            yield ok("outbound.ready", f"{name}: {_way(request)}, {IN_LAW[request.purpose]}")
    if case.settings.public_url is None:
        found = "Exotel cannot tell how a placed call went: EXOBRIDGE_PUBLIC_URL is not set"
        cure = "EXOBRIDGE_PUBLIC_URL=https://bot.example.com"
        yield warning("outbound.callback", found, cure)


def _way(request: DialRequest) -> str:
    return "straight to the bot" if request.mode == "stream" else f"by the flow {request.app_id}"
