"""What Sarvam's plugins have in common: its languages, its key, and its errors.

From docs.sarvam.ai, "Errors & Troubleshooting" and the pages of each endpoint. Codes of languages
are BCP-47 with ``-IN``, but for Odia: ``or-IN`` at the realtime endpoint, ``od-IN`` at the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from exobridge_providers.errors import ProviderError
from exobridge_providers.vendor import refused, trouble_of_status

KEY_VARIABLE = "SARVAM_API_KEY"

SPOKEN = frozenset({"bn", "en", "gu", "hi", "kn", "ml", "mr", "or", "pa", "ta", "te"})
"""Languages of its voices, and of its older models of recognition."""

_HEARD_TOO = {"as", "brx", "doi", "kok", "ks", "mai", "mni", "ne", "sa", "sat", "sd", "ur"}
HEARD = SPOKEN | _HEARD_TOO
"""Languages of the Saaras models from v3 on."""

_ODIA = "or-IN"
_OTHER_ODIA = "od-IN"

_REASONS = (
    (re.compile(r"quota|credit"), 402),
    (re.compile(r"api.?key|unauthori[sz]ed|forbidden|subscription"), 403),
    (re.compile(r"rate.?limit|too many"), 429),
)
"""What is told by words rather than by a number: an account without credit has 429, as one that
asks too often has."""


def codes(languages: Iterable[str], *, odia: str = _ODIA) -> dict[str, str]:
    """The codes on the wire by language, as :func:`exobridge_providers.vendor.vendor_code` takes
    them.

    Args:
        odia: How this endpoint writes Odia.
    """
    return {each: odia if each == "or" else f"{each}-IN" for each in languages}


def older_codes(languages: Iterable[str]) -> dict[str, str]:
    """Those of the endpoints that write Odia ``od-IN``."""
    return codes(languages, odia=_OTHER_ODIA)


def host_tag(code: object) -> str | None:
    """The BCP-47 tag of a code that Sarvam has detected; ``None``: it has not."""
    if not isinstance(code, str) or code in ("", "auto", "unknown"):
        return None
    return _ODIA if code == _OTHER_ODIA else code


def headers(key: str) -> Mapping[str, str]:
    """What shows the key."""
    return {"api-subscription-key": key}


def trouble(told: object, provider: str, key: str) -> ProviderError:
    """The error of an error message.

    Args:
        told: What the message holds: words, or an object with ``message`` or ``error``, ``code`` (a
            name, or a number of HTTP) and maybe ``status_code``; or one of these in another's
            ``error``, or in a list.
    """
    found = _object(told)
    code, status = found.get("code"), found.get("status_code")
    words = found.get("message") or found.get("error") or "no reason given"
    why = refused(f"{words} ({code})" if code else words, (key,))
    return trouble_of_status(_status(f"{code} {words}".lower(), (status, code)), provider, why)


def _object(told: object) -> dict[str, Any]:
    if isinstance(told, list) and told:
        return _object(cast(list[object], told)[0])
    if not isinstance(told, dict):
        return {"message": told}
    found = cast(dict[str, Any], told)
    inner: object = found.get("error")
    return _object(cast(object, inner)) if isinstance(inner, dict | list) and inner else found


def _status(text: str, numbers: Iterable[object]) -> int:
    for pattern, meaning in _REASONS:
        if pattern.search(text):
            return meaning
    for number in numbers:
        if str(number).isdecimal() and 400 <= int(str(number)) <= 599:
            return int(str(number))
    return 400 if re.search(r"invalid|unprocessable", text) else 503
