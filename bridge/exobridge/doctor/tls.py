"""The way to a host: its name, its port, its certificate."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from exobridge.doctor.aside import aside
from exobridge.doctor.finding import Finding, error, ok, warning

STEP_SECONDS = 4.0
"""For each of: the name, the connection with TLS."""
RENEW_DAYS = 14.0
"""What renews certificates by itself does so earlier."""
EXPIRED = 10
"""OpenSSL's ``X509_V_ERR_CERT_HAS_EXPIRED``."""
PREFERRED = ("TLSv1.2", "TLSv1.3")


@dataclass(frozen=True, slots=True)
class Place:
    """A host and a port of a URL."""

    host: str
    port: int
    secure: bool

    @classmethod
    def of(cls, url: str) -> Place:
        """Of a checked URL."""
        parts: SplitResult = urlsplit(url)
        secure = parts.scheme == "https"
        return cls(parts.hostname or "", parts.port or (443 if secure else 80), secure)


async def reach(place: Place) -> tuple[list[Finding], bool]:
    """Look the name up, connect, and look at the certificate; whether requests can follow."""
    resolved, addresses = await _resolve(place)
    if not addresses:
        return [resolved], False
    connected, reached = await _connect(place)
    return [resolved, *connected], reached


async def addresses_of(place: Place, seconds: float) -> set[str]:
    """The addresses of a host, looked up beside the loop's own threads: those are waited for at the
    end, and a name server may not answer for minutes.

    Raises:
        OSError: It has none (``TimeoutError``: not in time).
        UnicodeError: It is no name.
    """
    async with asyncio.timeout(seconds):
        found = await aside(
            lambda: socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        )
    return {str(each[4][0]) for each in found}


async def _resolve(place: Place) -> tuple[Finding, set[str]]:
    try:
        addresses = await addresses_of(place, STEP_SECONDS)
    except TimeoutError:
        why = f"no name server answered within {STEP_SECONDS:.0f} s"
    except (OSError, UnicodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no name"
    else:
        return ok("url.dns", f"{place.host} is {', '.join(sorted(addresses))}"), addresses
    cure = f"Make an A record for it, then look with: getent hosts {place.host}"
    return error("url.dns", f"{place.host} cannot be resolved: {why}", cure), set()


async def _connect(place: Place) -> tuple[list[Finding], bool]:
    where = f"{place.host}:{place.port}"
    context = ssl.create_default_context() if place.secure else None
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(STEP_SECONDS):
            _, writer = await asyncio.open_connection(place.host, place.port, ssl=context)
        return [ok("url.connect", f"{where} answers"), *_tls(place, writer)], True
    except ssl.SSLCertVerificationError as problem:
        return [_refused_certificate(place, problem)], False
    except ssl.SSLError as problem:
        return [_no_tls(where, problem)], False
    except TimeoutError:
        found = f"{where} did not answer within {STEP_SECONDS:.0f} s"
        cure = (
            "Open the port in the firewall and the cloud's security group. Some networks do not "
            f"let a machine reach its own public address: try from outside: curl -sS https://{where}/"
        )
        return [error("url.connect", found, cure)], False
    except OSError as problem:
        return [_no_connection(where, problem)], False
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()


def _no_connection(where: str, problem: OSError) -> Finding:
    if problem.errno == errno.ECONNREFUSED or isinstance(problem, ConnectionRefusedError):
        found = f"{where} refuses connections"
        cure = "Start what listens there: the proxy, or exobridge serve without one."
    elif isinstance(problem, ConnectionResetError):
        found, cure = f"{where} hangs up at once", "Look at the proxy's own log."
    else:
        found = f"{where} cannot be connected to ({problem.strerror or type(problem).__name__})"
        cure = "Look at the network's routes and the firewall."
    return error("url.connect", found, cure)


def _no_tls(where: str, problem: ssl.SSLError) -> Finding:
    reason = (problem.reason or "").replace("_", " ").lower() or "no reason given"
    if reason in ("wrong version number", "http request", "record layer failure"):
        cure = "No TLS is spoken on that port: let the proxy serve it with a certificate."
    else:
        cure = "Let the proxy offer TLS 1.2 and 1.3 (nginx: ssl_protocols TLSv1.2 TLSv1.3;)."
    return error("url.tls", f"TLS with {where} fails: {reason}", cure)


def _refused_certificate(place: Place, problem: ssl.SSLCertVerificationError) -> Finding:
    found = f"the certificate is refused: {problem.verify_message or problem.reason}"
    if problem.verify_code == EXPIRED:
        cure = "Renew it, and reload the proxy (certbot renew; Caddy does it by itself)."
    elif "self" in found or "issuer" in found:
        cure = (
            "Use one of a public authority (Caddy and certbot get them for nothing), with its "
            "intermediate certificates: nginx's ssl_certificate is the full chain."
        )
    else:
        cure = f"Use one that is made for {place.host}."
    return error("url.certificate", found, cure)


def _tls(place: Place, writer: asyncio.StreamWriter) -> list[Finding]:
    secured: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    if not place.secure or secured is None:
        found = "the public URL is plain http: Exotel asks for https"
        cure = "For more than a trial on this machine: EXOBRIDGE_PUBLIC_URL=https://…"
        return [warning("url.tls", found, cure)]
    version = secured.version() or "unknown"
    findings = [ok("url.tls", f"{version} is spoken")]
    if version not in PREFERRED:
        findings = [warning("url.tls", f"{version} is spoken", "Offer TLS 1.2 and 1.3.")]
    certificate = secured.getpeercert() or {}
    until = str(certificate.get("notAfter", ""))
    days = (ssl.cert_time_to_seconds(until) - time.time()) / 86_400 if until else 0.0
    found = f"the certificate is trusted and good for {days:.0f} days"
    if days < RENEW_DAYS:
        cure = "Renew it now, and see why nothing renews it: certbot renew --dry-run"
        return [*findings, warning("url.certificate", found, cure)]
    return [*findings, ok("url.certificate", found)]
