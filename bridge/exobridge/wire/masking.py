"""Takes out of a call's wire what must not be passed on: secrets, tokens, phone numbers.

Pure. A number becomes what a log shows of it, ``+91*******233``, wherever it stands and however it
is written, so that it can still be followed through a file; of two that would look alike the second
is ``+91*******233/2``. Audio is left as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, cast

from exobridge.log import Redactor
from exobridge.numbers import mask, normalise

_NUMBERS = frozenset(
    """from to callfrom callto caller called callerid number numbers phonenumber dialwhomnumber
    outgoingphonenumber forwardedfrom""".split()  # noqa: SIM905  # a dozen words, told as words
)
"""What is called so is a phone number, or a list of them, however it looks."""

_USERS_OWN = frozenset({"customparameters", "customfield"})
"""What the user wrote, who may have put a token there under any name."""

MAX_NUMBERS = 100
"""Of one call that are told apart."""

_NOTHING = ("", "null")

_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[\w.~+/=%-]{16,}", re.ASCII)
"""What a token looks like: long, without a space, letters and digits."""

_USUAL_MEDIA = re.compile(
    r'\{(?:"(?:event|stream_?[sS]id|sequence_?[nN]umber|media|chunk|timestamp|[tT]rack|payload)": ?'
    r'|"[A-Za-z0-9+/=_-]*"|[0-9]{1,15}+(?![0-9])|[{},] ?)*+',
    re.ASCII,
)
"""A frame with audio as nearly all are: it holds nothing else. Possessive, so that no text makes it
try again."""


class Masker:
    """Cleans what is written of one call.

    Args:
        secrets: Values that must never appear, nor percent-encoded.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._redactor = Redactor(secrets, self._number)
        self._shown: dict[str, str] = {}

    def _number(self, number: str) -> str:
        """What is shown of a number, the same each time."""
        normal = normalise(number)
        if normal is None:
            return mask(number)
        if normal not in self._shown and len(self._shown) < MAX_NUMBERS:
            plain = mask(normal)
            alike = sum(each.partition("/")[0] == plain for each in self._shown.values())
            self._shown[normal] = f"{plain}/{alike + 1}" if alike else plain
        return self._shown.get(normal, "***")

    def frame(self, text: str) -> str:
        """A frame. One that holds more than audio is written anew, as compact JSON; one that is
        not JSON stays as it is, but for what is masked."""
        if _USUAL_MEDIA.fullmatch(text):
            return text
        return self.json(text)

    def json(self, text: str) -> str:
        """A text that may be JSON."""
        try:
            value: Any = json.loads(text)
            if isinstance(value, dict | list):
                walked = self._walk("", cast(object, value), users_own=False)
                return json.dumps(walked, separators=(",", ":"))
        except (ValueError, RecursionError):
            pass
        return self.text(text)

    def text(self, text: str) -> str:
        """Any other text."""
        return _writable(self._redactor.text(text))

    def parameter(self, name: str, value: str) -> tuple[str, str]:
        """A webhook's parameter. ``Legs[0][Number]`` is called by its last part."""
        called = _plain(name.rstrip("]").rpartition("[")[2])
        if value[:1] in ("{", "["):
            return self.text(name), self.json(value)
        return self.text(name), self._string(called, value, users_own=called in _USERS_OWN)

    def _walk(self, name: str, value: object, *, users_own: bool) -> object:
        if isinstance(value, dict):
            return {
                self._key(key, users_own=users_own): self._field(key, item, users_own=users_own)
                for key, item in cast(dict[str, object], value).items()
            }
        if isinstance(value, list):
            items = cast(list[object], value)
            return [self._walk(name, item, users_own=users_own) for item in items]
        if isinstance(value, int) and not isinstance(value, bool):
            text = str(value)
            masked = self._string(name, text, users_own=users_own)
            return value if masked == text else masked
        return self._string(name, value, users_own=users_own) if isinstance(value, str) else value

    def _key(self, key: str, *, users_own: bool) -> str:
        return self._string("", key, users_own=users_own)

    def _field(self, key: str, value: object, *, users_own: bool) -> object:
        name = _plain(key)
        if name == "payload" and isinstance(value, str) and _is_base64(value):
            return value
        return self._walk(name or key, value, users_own=users_own or name in _USERS_OWN)

    def _string(self, name: str, text: str, *, users_own: bool) -> str:
        if text in _NOTHING:
            return text
        if name in _NUMBERS:
            return ",".join(self._number(part.strip()) or part for part in text.split(","))
        if users_own and _TOKEN.fullmatch(text):
            return "***"
        return _writable(str(self._redactor.named(name, text)))


def _plain(name: str) -> str:
    """A name without its spelling: lower case, no underscores, no hyphens; as the redactor looks
    for names with them, those of secrets stay."""
    plain = name.lower().replace("_", "").replace("-", "")
    return plain if plain in _NUMBERS | _USERS_OWN or plain == "payload" else name


def _is_base64(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9+/=_\s-]*", text, re.ASCII) is not None


def _writable(text: str) -> str:
    """Without what UTF-8 cannot say."""
    return text.encode("utf-8", "replace").decode()
