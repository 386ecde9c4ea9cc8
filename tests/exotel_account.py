"""An Exotel account over a real socket: its API, its recordings, and its faults, by script.

Unrealistic: one port plays the API's host, the recordings' and the storage's; every connection
carries one request; nothing is charged, and time passes only by being asked.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, TOKEN, SID = "key-of-the-account", "token-of-the-account", "acme1"

Page = dict[str, Any]
CHUNK = 4096
MAX_HEAD = 65_536


def silent_mp3(seconds: float, *, channels: int = 1) -> bytes:
    """A recording in which nobody speaks: MPEG-2.5 layer III, 8 kHz, 8 kbit/s, frames of 72 ms."""
    header = bytes([0xFF, 0xE3, 0x18, 0xC0 if channels == 1 else 0x00])
    return (header + bytes(68)) * max(1, round(seconds / 0.072))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came.

    Attributes:
        path: Without its query.
        credentials: ``user:password`` of HTTP Basic; empty: none were sent.
        headers: By their names in lower case.
    """

    method: str
    path: str
    query: dict[str, str]
    credentials: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Fault:
    """What one request meets in place of its answer.

    Attributes:
        status: With a ``RestException`` of this number.
        code: The ``RestException``'s; ``None``: it has none.
        message: The ``RestException``'s.
        body: In place of the ``RestException``.
        headers: ``Retry-After``, ``Location``.
        how: ``hang``: no answer ever comes; ``reset``: the connection is reset; ``cut``: the answer
            stops half-way.
    """

    status: int = 500
    code: int | None = None
    message: str = "something went wrong"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    how: Literal["", "hang", "reset", "cut"] = ""


@dataclass(slots=True)
class Recording:
    """A recording of a call.

    Attributes:
        unready: So many requests are answered 404 first.
        refused: So many of those that follow are answered 401, whatever they hold.
        body, content_type: What it is; HTML for a page of errors.
        etag: Changes when the file does.
        ranges: Whether a part can be asked for.
        cut_at: The connection breaks off after so many bytes of each answer, while ``cuts`` last.
        pause_seconds: Between pieces of 4096 bytes.
        endless: The body is sent again and again, without a length.
        presigned_uses: So often a presigned URL works; then it has expired (403).
    """

    body: bytes = field(default_factory=lambda: silent_mp3(2.16), repr=False)
    content_type: str = "audio/mpeg"
    unready: int = 0
    refused: int = 0
    etag: str = '"one"'
    ranges: bool = True
    cut_at: int | None = None
    cuts: int = 1
    pause_seconds: float = 0.0
    endless: bool = False
    presigned_uses: int = 1_000_000


@dataclass(slots=True)
class FakeCall:
    """A call that the account knows.

    Attributes:
        fields: Laid over those of an incoming call that went well.
        details: Of ``Details``; ``None``: the answer has none.
        unsettled: So many requests are told a call whose end, duration and price are not known yet.
        recording: ``None``: it was not recorded.
        presigned: Whether call details tell a presigned URL.
    """

    fields: Page = field(default_factory=dict[str, Any])
    details: Page | None = field(
        default_factory=lambda: {
            "ConversationDuration": 31,
            "Leg1Status": "completed",
            "Leg2Status": "completed",
            "Legs": [
                {"Leg": {"Id": 1, "OnCallDuration": 42}},
                {"Leg": {"Id": 2, "OnCallDuration": 31}},
            ],
        }
    )
    unsettled: int = 0
    recording: Recording | None = None
    presigned: bool = False


class FakeAccount:
    """The account. Made by :func:`exotel_account`; what it holds may be changed at any time.

    Attributes:
        url: Where it is asked.
        calls: By CallSid.
        exophones: As the list shows them.
        page_size: ExoPhones in one page.
        pages: Whether another page than the first can be asked for.
        active, limit: Streams.
        form: How answers are written: JSON, the same with keys in lower case, or XML.
        streams_body: In place of the answer about active streams.
        asked: Every request, in order.
    """

    def __init__(self, url: str, key: str = KEY, token: str = TOKEN, sid: str = SID) -> None:
        self.url = url
        self.key, self.token, self.sid = key, token, sid
        self.calls: dict[str, FakeCall] = {}
        self.exophones: list[Page] = []
        self.page_size = 50
        self.pages = True
        self.active, self.limit = 0, 100
        self.form: Literal["json", "lower", "xml"] = "json"
        self.streams_body: bytes | None = None
        self.asked: list[Asked] = []
        self._faults: deque[tuple[str, Fault]] = deque()

    @property
    def variables(self) -> dict[str, str]:
        """What a server must be told to use this account."""
        return {
            "EXOTEL_API_KEY": self.key,
            "EXOTEL_API_TOKEN": self.token,
            "EXOTEL_SID": self.sid,
            "EXOTEL_API_URL": self.url,
        }

    def add_exophones(self, *numbers: str) -> None:
        """Give the account these numbers."""
        for number in numbers:
            at = len(self.exophones)
            self.exophones.append(
                {
                    "sid": f"exophone-{at}",
                    "phone_number": number,
                    "friendly_name": f"Number {at}",
                    "capabilities": {"voice": True, "sms": False},
                    "country": "IN",
                    "region": "KA",
                    "voice_url": "",
                }
            )

    def fail(self, *faults: Fault, where: str = "") -> None:
        """The next requests whose path holds ``where`` meet these, one each."""
        self._faults.extend((where, fault) for fault in faults)

    def recording_url(self, call_sid: str) -> str:
        """Where the call's recording is; credentials are needed."""
        return f"{self.url}/exotelrecordings/{self.sid}/{call_sid}.mp3"

    def presigned_url(self, call_sid: str) -> str:
        """The same without credentials, for a while."""
        return f"{self.url}/presigned/{call_sid}.mp3?X-Amz-Signature=0123456789abcdef"

    def count(self, path: str) -> int:
        """How many requests had this in their path."""
        return sum(path in each.path for each in self.asked)

    # -------------------------------------------------------------- one request

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it."""
        asked = await _read(reader)
        self.asked.append(asked)
        fault = self._fault(asked.path)
        if fault is not None and fault.how in ("hang", "reset"):
            if fault.how == "hang":
                await reader.read()  # until the other side has had enough
            else:
                end: socket.socket = writer.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return writer.transport.abort()
        if fault is not None:
            body = fault.body if fault.body is not None else _exception(fault)
            head = _head(fault.status, {**fault.headers}, len(body))
            half = len(body) // 2 if fault.how == "cut" else len(body)
            writer.write(head + body[:half])
        else:
            await self._answer(asked, writer)
        await writer.drain()

    def _fault(self, path: str) -> Fault | None:
        for at, (where, fault) in enumerate(self._faults):
            if where in path:
                del self._faults[at]
                return fault
        return None

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if found := re.fullmatch(rf"/exotelrecordings/{self.sid}/([^/]+)\.mp3", asked.path):
            return await self._send_recording(found[1], asked, writer, presigned=False)
        if found := re.fullmatch(r"/presigned/([^/]+)\.mp3", asked.path):
            return await self._send_recording(found[1], asked, writer, presigned=True)
        status, page = self._page(asked)
        if isinstance(page, bytes):
            body, kind = page, "application/json"
        else:
            body, kind = self._written(page)
        writer.write(_head(status, {"Content-Type": kind}, len(body)) + body)

    def _page(self, asked: Asked) -> tuple[int, Page | bytes]:
        """The API's answer."""
        if not self._knows(asked):
            return 401, _rest(401, "Authentication is required to view this page")
        if found := re.fullmatch(rf"/v1/Accounts/{self.sid}/Calls/([^/]+?)(\.json)?", asked.path):
            return self._call(unquote(found[1]), asked)
        if asked.path == f"/v2_beta/Accounts/{self.sid}/IncomingPhoneNumbers":
            return 200, self._exophones(asked)
        if re.fullmatch(rf"/v1/Accounts/{self.sid}/ActiveStreams(\.json)?", asked.path):
            return 200, self.streams_body or self._streams()
        return 404, _rest(404, "The requested resource was not found")

    def _knows(self, asked: Asked) -> bool:
        return asked.credentials == f"{self.key}:{self.token}"

    def _call(self, call_sid: str, asked: Asked) -> tuple[int, Page]:
        validity = asked.query.get("RecordingUrlValidity", "5")
        if not validity.isdecimal() or not 5 <= int(validity) <= 60:
            return 400, _rest(400, "RecordingUrlValidity must be between 5 and 60", 34001)
        call = self.calls.get(call_sid)
        if call is None:
            return 404, _rest(404, "The call was not found", 34001)
        told = {
            "Sid": call_sid,
            "AccountSid": self.sid,
            "Status": "completed",
            "From": "09811122233",
            "To": "08047112233",
            "PhoneNumberSid": "08047112233",
            "Direction": "inbound",
            "StartTime": "2026-11-21 12:31:58",
            "EndTime": "2026-11-21 12:32:40",
            "Duration": "42",
            "Price": "0.400000",
            "RecordingUrl": self.recording_url(call_sid) if call.recording else "",
            **call.fields,
        }
        if call.presigned and call.recording:
            told["PreSignedRecordingUrl"] = self.presigned_url(call_sid)
        if call.unsettled > 0:
            call.unsettled -= 1
            told |= {"Status": "in-progress", "EndTime": "", "Duration": None, "Price": None}
        if call.details is not None and asked.query.get("details") == "true":
            told["Details"] = call.details
        return 200, {"Call": told}

    def _exophones(self, asked: Asked) -> Page:
        page = int(asked.query.get("Page", "0")) if self.pages else 0
        first, behind = page * self.page_size, (page + 1) * self.page_size
        elsewhere = (
            f"http://twilix.exotel.com{asked.path}?Page={page + 1}&PageSize={self.page_size}"
        )
        return {
            "page": page,
            "page_size": self.page_size,
            "next_page_uri": elsewhere if behind < len(self.exophones) else None,
            "incoming_phone_numbers": self.exophones[first:behind],
        }

    def _streams(self) -> Page:
        return {
            "status": "success",
            "active_streams": self.active,
            "max_allowed_streams": self.limit,
            "account_sid": self.sid,
        }

    def _written(self, page: Page) -> tuple[bytes, str]:
        if self.form == "xml":
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n{_xml("TwilioResponse", page)}'
            return text.encode(), "application/xml"
        page = _lower(page) if self.form == "lower" else page
        return json.dumps(page).encode(), "application/json"

    # -------------------------------------------------------------- recordings

    async def _send_recording(
        self, call_sid: str, asked: Asked, writer: asyncio.StreamWriter, *, presigned: bool
    ) -> None:
        recording = self.calls[call_sid].recording if call_sid in self.calls else None
        refusal = _no_recording(recording, asked, presigned, self._knows(asked))
        if recording is None or refusal:
            writer.write(_head(refusal, {"Content-Type": "text/plain"}, 2) + b"no")
            return
        first, status = _first_byte(recording, asked.headers), 200
        headers = {"Content-Type": recording.content_type, "ETag": recording.etag}
        body = recording.body[first:]
        if recording.ranges:
            headers["Accept-Ranges"] = "bytes"
        if first and not body:
            headers["Content-Range"] = f"bytes */{len(recording.body)}"
            writer.write(_head(416, headers, 0))
            return
        if first:
            status = 206
            last = len(recording.body) - 1
            headers["Content-Range"] = f"bytes {first}-{last}/{len(recording.body)}"
        writer.write(_head(status, headers, None if recording.endless else len(body)))
        if recording.cut_at is not None and recording.cuts > 0:
            recording.cuts -= 1
            body = body[: recording.cut_at]
        while True:
            for at in range(0, len(body), CHUNK):
                writer.write(body[at : at + CHUNK])
                await writer.drain()
                await asyncio.sleep(recording.pause_seconds)
            if not recording.endless:
                return


def _no_recording(
    recording: Recording | None, asked: Asked, presigned: bool, is_known: bool
) -> int:
    """The status of a refusal, 0 if there is none."""
    if recording is None:
        return 404
    if recording.unready > 0:
        recording.unready -= 1
        return 404
    if recording.refused > 0:
        recording.refused -= 1
        return 401
    if not presigned:
        return 0 if is_known else 401
    if asked.credentials or not asked.query.get("X-Amz-Signature"):
        return 400  # storage bears one way to prove oneself, not two
    recording.presigned_uses -= 1
    return 0 if recording.presigned_uses >= 0 else 403


def _first_byte(recording: Recording, headers: Mapping[str, str]) -> int:
    """From where the file is asked for."""
    found = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
    unchanged = headers.get("if-range", recording.etag) == recording.etag
    return int(found[1]) if found and recording.ranges and unchanged else 0


def _rest(status: int, message: str, code: int | None = None) -> Page:
    told: Page = {"Status": status, "Message": message}
    return {"RestException": told if code is None else {**told, "Code": code}}


def _exception(fault: Fault) -> bytes:
    return json.dumps(_rest(fault.status, fault.message, fault.code)).encode()


def _lower(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lower(inner) for key, inner in cast(Page, value).items()}
    if isinstance(value, list):
        return [_lower(inner) for inner in cast(Iterable[Any], value)]
    return value


def _xml(name: str, value: Any) -> str:
    """As an element; a list of objects with one key, as ``Legs`` is, as elements of that name."""
    if isinstance(value, dict):
        inner = "".join(_xml(key, each) for key, each in cast(Page, value).items())
    elif isinstance(value, list):
        entries = cast(list[Page], value)
        wrapped = [each if len(each) == 1 else {"Entry": each} for each in entries]
        inner = "".join(_xml(key, part) for each in wrapped for key, part in each.items())
    else:
        inner = escape("" if value is None else str(value))
    return f"<{name}>{inner}</{name}>"


def _head(status: int, headers: Mapping[str, str], length: int | None) -> bytes:
    """An answer's first lines; without a length it ends with the connection."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {text}" for name, text in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    credentials = base64.b64decode(encoded).decode() if scheme == "Basic" else ""
    return Asked(method, url.path, dict(parse_qsl(url.query)), credentials, headers, body)


@asynccontextmanager
async def exotel_account(sid: str = SID) -> AsyncGenerator[FakeAccount]:
    """Run an account on a free port of this machine; at the end every connection is over."""
    running: set[asyncio.Task[None]] = set()
    account = FakeAccount("", sid=sid)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await account.serve(reader, writer)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0, limit=MAX_HEAD)
    try:
        account.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield account
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0.01)  # a transport closes its socket on the loop's next turn
