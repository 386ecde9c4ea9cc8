"""The account's REST API: which path answers what."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from urllib.parse import unquote

from exobridge.simulator.account import exophones
from exobridge.simulator.account.account import Account
from exobridge.simulator.account.answers import Answer, Page, Refusal, answer_of
from exobridge.simulator.account.connect import read_connect
from exobridge.simulator.account.reading import Asked

VALIDITY_MINUTES = range(5, 61)
"""How long a presigned URL can be asked to work."""

_Handler = Callable[[Account, Asked, str], Page]


def answer(account: Account, asked: Asked) -> Answer:
    """The answer to a request. Never raises."""
    try:
        return answer_of(200, _page(account, asked), account.form, asked.path)
    except Refusal as refusal:
        return refusal_of(account, asked.path, refusal)


def refusal_of(account: Account, path: str, refusal: Refusal) -> Answer:
    """A refusal as it is written."""
    return answer_of(refusal.status, refusal.page, account.form, path)


def is_connect(asked: Asked) -> bool:
    """Whether a call is asked for."""
    return asked.method == "POST" and asked.path.removesuffix(".json").endswith("/Calls/connect")


def _page(account: Account, asked: Asked) -> Page:
    if not account.knows(asked):
        raise Refusal(401, "Authentication is required to view this page")
    found = re.fullmatch(r"/(v1|v2_beta)/Accounts/([^/]+)/(.*)", asked.path, re.DOTALL)
    if found is None or unquote(found[2]) != account.sid:
        raise Refusal(404, "The requested resource was not found")
    return _of_place(account, asked, f"{found[1]}/{found[3].removesuffix('.json')}")


def _of_place(account: Account, asked: Asked, place: str) -> Page:
    other_methods = False
    for method, pattern, handler in _ROUTES:
        if found := pattern.fullmatch(place):
            if method == asked.method:
                return handler(account, asked, unquote(found["name"]))
            other_methods = True
    if other_methods:
        raise Refusal(405, "The method is not allowed here")
    raise Refusal(404, "The requested resource was not found")


def _connect(account: Account, asked: Asked, _: str) -> Page:
    account.count_connect()
    placed = read_connect(asked.form(), account.sid, uuid.uuid4().hex)
    phones = [phone["phone_number"] for phone in account.exophones]
    if phones and not any(exophones.same_number(placed.exophone, each) for each in phones):
        raise Refusal(400, "Invalid parameter: CallerId is no ExoPhone of this account", 34001)
    call = account.begin(
        placed.call_sid,
        caller=placed.customer,
        exophone=placed.exophone,
        outgoing=True,
        custom_field=placed.custom_field,
    )
    call.channels = 2 if placed.channels == "dual" else 1
    if account.place is not None:
        try:
            account.place(placed)
        except Refusal:
            del account.calls[placed.call_sid]
            raise
    begun = call.fields["StartTime"]
    return {
        "Call": {
            **_call_page(account, placed.call_sid),
            "ParentCallSid": None,
            "DateCreated": begun,
            "DateUpdated": begun,
            "EndTime": None,
            "RecordingUrl": None,
            "Uri": f"/v1/Accounts/{account.sid}/Calls/{placed.call_sid}.json",
        }
    }


def _details(account: Account, asked: Asked, call_sid: str) -> Page:
    validity = asked.query.get("RecordingUrlValidity", "5")
    if not re.fullmatch(r"[0-9]{1,3}", validity) or int(validity) not in VALIDITY_MINUTES:
        raise Refusal(400, "RecordingUrlValidity must be between 5 and 60", 34001)
    call = account.calls.get(call_sid)
    if call is None:
        raise Refusal(404, "The call was not found", 34001)
    told = _call_page(account, call_sid)
    if call.presigned and call.recording:
        told.setdefault("PreSignedRecordingUrl", account.sign(call_sid, 60 * int(validity)))
    if not account.is_settled(call):
        told |= {"Status": "in-progress", "EndTime": "", "Duration": None, "Price": None}
    if call.details is not None and asked.query.get("details") == "true":
        told["Details"] = call.details
    return {"Call": told}


def _call_page(account: Account, call_sid: str) -> Page:
    """An incoming call that went well, and laid over it what is known of this one."""
    call = account.calls[call_sid]
    return {
        "Sid": call_sid,
        "AccountSid": account.sid,
        "Status": "completed",
        "From": "09811122233",
        "To": "08047112233",
        "PhoneNumberSid": "08047112233",
        "Direction": "inbound",
        "StartTime": "2026-11-21 12:31:58",
        "EndTime": "2026-11-21 12:32:40",
        "Duration": "42",
        "Price": "0.400000",
        "RecordingUrl": account.recording_url(call_sid) if call.recording else "",
        **call.fields,
    }


def _exophones(account: Account, asked: Asked, _: str) -> Page:
    query = asked.query if account.pages else {}
    return exophones.page_of(account.exophones, query, asked.path, account.page_size)


def _assign(account: Account, asked: Asked, sid: str) -> Page:
    return exophones.assign(account.exophones, sid, asked.form())


def _streams(account: Account, asked: Asked, _: str) -> Page:
    return {
        "status": "success",
        "active_streams": account.active,
        "max_allowed_streams": account.limit,
        "account_sid": account.sid,
    }


_ROUTES: tuple[tuple[str, re.Pattern[str], _Handler], ...] = (
    ("POST", re.compile(r"v1/Calls/(?P<name>connect)"), _connect),
    ("GET", re.compile(r"v1/Calls/(?P<name>[^/]+)"), _details),
    ("GET", re.compile(r"v1/(?P<name>ActiveStreams)"), _streams),
    ("GET", re.compile(r"v2_beta/(?P<name>IncomingPhoneNumbers)"), _exophones),
    ("PUT", re.compile(r"v2_beta/IncomingPhoneNumbers/(?P<name>[^/]+)"), _assign),
)
