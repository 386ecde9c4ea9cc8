"""A dial's attempt in Exotel's terms: where its call goes, and where its end is told. Pure."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlsplit, urlunsplit

from exobridge.exotel.api import CallOrder
from exobridge.outbound.models import DialRequest, custom_field

STREAM_NAME = "exobridge"

STATUS_PATH = "/exotel/callback/status"
STREAM_PATH = "/exotel/stream"

_OWN_RATE = 8000
"""Exotel's, in hertz, where a stream's URL asks for none."""


class Orders:
    """Makes them.

    Args:
        public_url: Where Exotel reaches this server; ``None``: nowhere, so that no end is told and
            no call goes straight to a stream.
        secret: ``EXOBRIDGE_SECRET``; ``None``: webhooks come without.
        mint: A token for the stream of the call that this ``CustomField`` names.
        sample_rate: Of a template's streams, in hertz, by the template's name.
    """

    def __init__(
        self,
        public_url: str | None,
        secret: str | None,
        mint: Callable[[str], str],
        sample_rate: Callable[[str], int] = lambda template: _OWN_RATE,
    ) -> None:
        self._public_url = public_url
        self._secret = secret
        self._mint = mint
        self._sample_rate = sample_rate

    def order(self, number: str, request: DialRequest, dial_id: str, attempt: int) -> CallOrder:
        """The call to be placed for a dial's attempt.

        Raises:
            ValueError: It is out of Exotel's bounds, or goes to a stream and there is no public
                URL.
        """
        named = custom_field(dial_id, attempt)
        direct = request.mode == "stream"
        return CallOrder(
            number=number,
            caller_id=request.caller_id,
            app_id="" if direct else request.app_id,
            stream_url=self._stream_url(named, request.template) if direct else "",
            stream_name=STREAM_NAME if direct else "",
            custom_field=named,
            ring_seconds=request.ring_seconds,
            limit_seconds=request.limit_seconds,
            status_callback=self._callback(),
            record=request.record,
        )

    def _stream_url(self, named: str, template: str) -> str:
        if self._public_url is None:
            raise ValueError("a call straight to the bot needs EXOBRIDGE_PUBLIC_URL")
        base = urlsplit(self._public_url)
        scheme = "wss" if base.scheme == "https" else "ws"
        path = f"{base.path.rstrip('/')}{STREAM_PATH}/{self._mint(named)}"
        rate = self._sample_rate(template)
        query = "" if rate == _OWN_RATE else f"sample-rate={rate}"
        return urlunsplit((scheme, base.netloc, path, query, ""))

    def _callback(self) -> str:
        if self._public_url is None:
            return ""
        url = f"{self._public_url.rstrip('/')}{STATUS_PATH}"
        return url if self._secret is None else f"{url}?auth_token={quote(self._secret, safe='')}"
