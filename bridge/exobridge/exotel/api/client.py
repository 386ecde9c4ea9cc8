"""Exotel's REST API, version 1, as far as exobridge asks it.

Sources: Exotel's pages on call details, ExoPhones, active streams and rate limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

from exobridge.exotel.api.answer import Node, UnreadableAnswerError
from exobridge.exotel.api.errors import ExotelAnswerError
from exobridge.exotel.api.exchange import Account, Exchange, Question
from exobridge.exotel.api.models import (
    ActiveStreams,
    CallDetails,
    ExoPhone,
    read_active_streams,
    read_call_details,
    read_exophones,
)
from exobridge.exotel.api.placing import CallOrder, PlacedAnswer, read_placed
from exobridge.exotel.api.retry import CHANGE, READ, RequestKind
from exobridge.settings import Settings

VALIDITY_MINUTES = range(5, 61)
"""How long a presigned URL may be asked to work."""

MAX_PAGES = 40
"""Of ExoPhones: two thousand."""

ModelT = TypeVar("ModelT")


class ExotelApi:
    """One account's API. To be closed, by :meth:`aclose` or as a context.

    Every method raises :class:`~exobridge.exotel.api.errors.ExotelError`.

    Args:
        read: How often and how long questions that change nothing are asked.
        change: Likewise what changes something.
    """

    def __init__(
        self, account: Account, *, read: RequestKind = READ, change: RequestKind = CHANGE
    ) -> None:
        self._read = read
        self._change = change
        self._sid = account.sid
        self._v1 = f"/v1/Accounts/{account.sid}"
        self._v2 = f"/v2_beta/Accounts/{account.sid}"
        self._exchange = Exchange(account)

    @classmethod
    def of(
        cls, settings: Settings, *, read: RequestKind = READ, change: RequestKind = CHANGE
    ) -> Self | None:
        """The API of the settings' account; ``None``: key, token or SID is not set."""
        key, token, sid = settings.exotel_api_key, settings.exotel_api_token, settings.exotel_sid
        if key is None or token is None or sid is None:
            return None
        secrets = key.get_secret_value(), token.get_secret_value()
        account = Account(settings.exotel_api_url, *secrets, sid)
        return cls(account, read=read, change=change)

    @property
    def asked(self) -> Counter[tuple[str, str]]:
        """Requests so far, by what was asked and what became of it."""
        return self._exchange.asked

    async def call_details(
        self, call_sid: str, *, recording_url_validity_minutes: int | None = None
    ) -> CallDetails:
        """One call, with its legs.

        Args:
            recording_url_validity_minutes: 5 to 60, how long its presigned URL shall work;
                ``None``: as long as the account says, five minutes at first.

        Raises:
            NotFoundError: There is no such call.
            ValueError: The validity is out of its range, which Exotel refuses.
        """
        query = {"details": "true"}
        if recording_url_validity_minutes is not None:
            if recording_url_validity_minutes not in VALIDITY_MINUTES:
                raise ValueError("a presigned URL can be asked to work for 5 to 60 minutes")
            query["RecordingUrlValidity"] = str(recording_url_validity_minutes)
        path = f"{self._v1}/Calls/{quote(call_sid, safe='')}.json"
        return await self._ask(Question("call details", self._read, path, query), read_call_details)

    async def exophones(self) -> list[ExoPhone]:
        """All numbers of the account.

        A page names the next one by a URL of another host, without TLS; only the number of the page
        is taken over.
        """
        path, query = f"{self._v2}/IncomingPhoneNumbers", dict[str, str]()
        found: dict[str, ExoPhone] = {}
        for number in range(1, MAX_PAGES + 1):
            page = await self._ask(Question("exophones", self._read, path, query), read_exophones)
            known = len(found)
            found |= {phone.sid or phone.phone_number: phone for phone in page.phones}
            if not page.is_full or len(found) == known:  # nothing new: it knows one page only
                break
            query = {"Page": str(number), "PageSize": str(page.size)}
        return list(found.values())

    async def assign_flow(self, exophone_sid: str, voice_url: str) -> None:
        """Have the calls to a number go through another flow.

        Args:
            exophone_sid: :attr:`ExoPhone.sid` of the number.
            voice_url: The flow's, as :func:`~exobridge.exotel.flows.flow_url` writes it.

        Raises:
            NotFoundError: The account has no such number.
        """
        path = f"{self._v2}/IncomingPhoneNumbers/{quote(exophone_sid, safe='')}"
        form = {"VoiceUrl": voice_url}
        question = Question("assign flow", self._change, path, method="PUT", form=form)
        await self._ask(question, lambda answer: None)

    async def active_streams(self) -> ActiveStreams:
        """The account's open streams, and how many there may be."""
        question = Question("active streams", self._read, f"{self._v1}/ActiveStreams")
        return await self._ask(question, read_active_streams)

    async def connect(self, order: CallOrder) -> PlacedAnswer:
        """Have a call placed. It can take 30 s to be answered, and is never asked for twice.

        Raises:
            ExotelError: There is no answer that says so; ``may_have_happened`` tells whether the
                call may have been placed.
        """
        path = f"{self._v1}/Calls/connect.json"
        form = order.form(self._sid)
        question = Question("connect", self._change, path, method="POST", form=form)
        return await self._ask(question, read_placed)

    async def _ask(self, question: Question, read: Callable[[Node], ModelT]) -> ModelT:
        answer = await self._exchange.ask(question)
        try:
            return read(answer)
        except UnreadableAnswerError as error:
            problem = f"{question.name}: the answer cannot be read ({error})"
            raise ExotelAnswerError(problem, status=200, may_have_happened=True) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._exchange.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
