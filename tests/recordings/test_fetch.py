"""A recording comes over the network whole, under the rules, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from exobridge.recordings.errors import (
    BrokenError,
    NotReadyError,
    RefusedError,
    StorageError,
    TooLargeError,
)
from exobridge.recordings.fetch import Fetcher, FetchOptions, resolve
from exobridge.recordings.rules import read_rules
from exobridge.simulator.account import attend
from tests.doctor.looking import accepting, make_certificate, needs_openssl
from tests.exotel_account import (
    FakeAccount,
    FakeCall,
    Fault,
    Recording,
    exotel_account,
    silent_mp3,
)

BODY = silent_mp3(60)
"""56 KB."""


@pytest.fixture
async def account() -> AsyncIterator[FakeAccount]:
    """An account with one call, whose recording is there."""
    async with exotel_account() as account:
        account.calls["c1"] = FakeCall(recording=Recording(body=BODY))
        yield account


def recording(account: FakeAccount) -> Recording:
    """The call's."""
    found = account.calls["c1"].recording
    assert found is not None
    return found


def options(account: FakeAccount) -> FetchOptions:
    """For the account's host alone."""
    return FetchOptions(
        rules=read_rules(urlsplit(account.url).netloc),
        max_bytes=1_000_000,
        credentials=(account.key, account.token),
        connect_seconds=2,
        read_seconds=2,
    )


async def fetch(account: FakeAccount, path: Path, url: str = "") -> bytes:
    """What comes of a URL; its size and sum are those of the file."""
    fetched = await Fetcher(options(account)).fetch(url or account.presigned_url("c1"), path)
    content = await asyncio.to_thread(path.read_bytes)
    assert fetched.bytes == len(content)
    assert fetched.sha256 == hashlib.sha256(content).hexdigest()
    return content


async def test_a_recording_comes_whole(account: FakeAccount, tmp_path: Path) -> None:
    """Without credentials, as the host is not Exotel's, and not compressed."""
    assert await fetch(account, tmp_path / "a") == BODY
    (asked,) = account.asked
    assert asked.credentials == ""
    assert list(asked.query) == ["X-Amz-Signature"]
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.headers["host"] == urlsplit(account.url).netloc


async def test_credentials_are_not_for_every_host(account: FakeAccount, tmp_path: Path) -> None:
    """A host that asks for them gets none; that is not ready for us."""
    with pytest.raises(NotReadyError, match="401"):
        await fetch(account, tmp_path / "a", account.recording_url("c1"))
    assert [asked.credentials for asked in account.asked] == [""]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 503, 204, 304])
async def test_what_is_no_recording_is_not_ready(
    account: FakeAccount, tmp_path: Path, status: int
) -> None:
    """Whatever the status: it is asked for again later. Nothing is kept of the answer's body."""
    account.fail(Fault(status, body=b"" if status in (204, 304) else b"an error page"))
    with pytest.raises(NotReadyError, match=str(status)):
        await fetch(account, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b""


async def test_a_body_that_breaks_off_is_resumed(account: FakeAccount, tmp_path: Path) -> None:
    """From where it broke, as often as it may; what was there is not asked for again."""
    recording(account).cut_at, recording(account).cuts = 16_384, 3
    assert await fetch(account, tmp_path / "a") == BODY
    ranges = [asked.headers.get("range") for asked in account.asked]
    assert ranges == [None, "bytes=16384-", "bytes=32768-", "bytes=49152-"]
    assert {asked.headers.get("if-range") for asked in account.asked[1:]} == {'"one"'}


async def test_a_file_that_changed_is_fetched_anew(account: FakeAccount, tmp_path: Path) -> None:
    """The two halves of two files are no recording."""
    recording(account).cut_at = 16_384
    asked: list[str] = []

    async def changing(host: str, port: int) -> list[str]:
        if asked:
            recording(account).etag, recording(account).body = '"two"', silent_mp3(30)
        asked.append(host)
        return [host]

    fetcher = Fetcher(options(account), changing)
    await fetcher.fetch(account.presigned_url("c1"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == silent_mp3(30)
    assert account.asked[1].headers["if-range"] == '"one"'


@pytest.mark.parametrize("etag", ['W/"weak"', ""])
async def test_without_a_strong_tag_it_begins_anew(
    account: FakeAccount, tmp_path: Path, etag: str
) -> None:
    """As nobody could tell whether the rest belongs to the beginning."""
    recording(account).etag, recording(account).cut_at = etag, 16_384
    assert await fetch(account, tmp_path / "a") == BODY
    assert [asked.headers.get("range") for asked in account.asked] == [None, None]


async def test_a_server_that_knows_no_ranges(account: FakeAccount, tmp_path: Path) -> None:
    """It sends everything again."""
    recording(account).ranges, recording(account).cut_at = False, 16_384
    assert await fetch(account, tmp_path / "a") == BODY


async def test_a_network_that_fails_too_often(account: FakeAccount, tmp_path: Path) -> None:
    """It is given up for this time, and the URL stands in no error."""
    recording(account).cut_at, recording(account).cuts = 4096, 99
    with pytest.raises(BrokenError) as caught:
        await fetch(account, tmp_path / "a")
    assert len(account.asked) == 5
    assert "presigned" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("how", ["hang", "reset"])
async def test_a_server_that_does_not_answer(
    account: FakeAccount, tmp_path: Path, how: str
) -> None:
    """It is asked again, and given up."""
    account.fail(*(Fault(how="hang" if how == "hang" else "reset") for _ in range(2)))
    quick = replace(options(account), read_seconds=0.1, resumes=1)
    with pytest.raises(BrokenError):
        await Fetcher(quick).fetch(account.presigned_url("c1"), tmp_path / "a")
    assert len(account.asked) == 2


async def test_a_recording_that_is_too_large(account: FakeAccount, tmp_path: Path) -> None:
    """By what it says, before it is fetched; by what comes, where it says nothing."""
    small = Fetcher(replace(options(account), max_bytes=len(BODY) - 1))
    with pytest.raises(TooLargeError, match="RECORDING_MAX_MB"):
        await small.fetch(account.presigned_url("c1"), tmp_path / "a")
    assert (tmp_path / "a").stat().st_size == 0
    recording(account).endless = True
    with pytest.raises(TooLargeError, match="RECORDING_MAX_MB"):
        await small.fetch(account.presigned_url("c1"), tmp_path / "a")
    assert (tmp_path / "a").stat().st_size < len(BODY)


async def test_just_as_large_as_it_may_be(account: FakeAccount, tmp_path: Path) -> None:
    """The bound itself is allowed, also when it breaks off and is resumed."""
    recording(account).cut_at = 16_384
    exact = Fetcher(replace(options(account), max_bytes=len(BODY)))
    fetched = await exact.fetch(account.presigned_url("c1"), tmp_path / "a")
    assert fetched.bytes == len(BODY)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(account: FakeAccount, tmp_path: Path, status: int) -> None:
    """To an address that is allowed, relative ones too."""
    there = account.presigned_url("c1").removeprefix(account.url)
    account.fail(Fault(status, headers={"Location": there}))
    assert await fetch(account, tmp_path / "a", f"{account.url}/moved") == BODY


@pytest.mark.parametrize(
    "there",
    [
        "http://127.0.0.1:1/a.mp3",
        "https://169.254.169.254/",
        "file:///etc/passwd",
        "//evil.example/",
        "//[bad/",
    ],
)
async def test_a_redirect_keeps_to_the_rules(
    account: FakeAccount, tmp_path: Path, there: str
) -> None:
    """One that leads elsewhere is not followed."""
    account.fail(Fault(302, headers={"Location": there}))
    with pytest.raises(RefusedError):
        await fetch(account, tmp_path / "a")
    assert len(account.asked) == 1


async def test_redirects_without_end(account: FakeAccount, tmp_path: Path) -> None:
    """Three are followed."""
    account.fail(*(Fault(302, headers={"Location": "/again"}) for _ in range(9)))
    with pytest.raises(RefusedError, match="3 redirects"):
        await fetch(account, tmp_path / "a")
    assert len(account.asked) == 4


async def test_a_compressed_answer_is_not_taken(account: FakeAccount, tmp_path: Path) -> None:
    """It was not asked for, and its size could be anything."""
    account.fail(Fault(200, body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(NotReadyError, match="compressed"):
        await fetch(account, tmp_path / "a")


async def test_a_name_that_leads_inside_is_not_asked(account: FakeAccount, tmp_path: Path) -> None:
    """Nothing is sent, as all addresses are looked at before any is asked."""

    async def inside(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "127.0.0.1"]

    port = urlsplit(account.url).port
    fetcher = Fetcher(FetchOptions(read_rules(f"a.example.com:{port}"), 1000), inside)
    with pytest.raises(RefusedError, match="private network"):
        await fetcher.fetch(f"https://a.example.com:{port}/a.mp3", tmp_path / "a")
    assert account.asked == []


async def test_the_checked_address_is_the_one_that_is_asked(
    account: FakeAccount, tmp_path: Path
) -> None:
    """A name is resolved once for each request, so a second answer of the resolver cannot matter;
    an address that takes no connection is passed over."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.2", "127.0.0.1"] if len(asked) == 1 else ["127.0.0.3"]

    port = urlsplit(account.url).port
    rules = read_rules(f"localhost:{port}")
    fetcher = Fetcher(replace(options(account), rules=rules), rebinding)
    url = account.presigned_url("c1").replace("127.0.0.1", "localhost")
    await fetcher.fetch(url, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY
    assert asked == ["localhost"]
    assert account.asked[0].headers["host"] == f"localhost:{port}"


async def test_a_name_that_cannot_be_resolved(account: FakeAccount, tmp_path: Path) -> None:
    """It may be resolved later."""

    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    fetcher = Fetcher(FetchOptions(read_rules("*.exotel.com"), 1000), nowhere)
    with pytest.raises(BrokenError, match=r"recordings\.exotel\.com cannot be resolved"):
        await fetcher.fetch("https://recordings.exotel.com/a.mp3", tmp_path / "a")


async def test_a_name_that_is_not_resolved_in_time(tmp_path: Path) -> None:
    """It is not waited for longer than for a connection."""

    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    how = FetchOptions(read_rules("*.exotel.com"), 1000, connect_seconds=0.02)
    with pytest.raises(BrokenError, match="cannot be resolved"):
        await Fetcher(how, never).fetch("https://recordings.exotel.com/a.mp3", tmp_path / "a")


async def test_the_systems_resolver() -> None:
    """It knows this machine."""
    assert "127.0.0.1" in await resolve("127.0.0.1", 80)


async def test_the_file_cannot_be_written(account: FakeAccount, tmp_path: Path) -> None:
    """The error says so, and may pass."""
    with pytest.raises(StorageError):
        await fetch(account, tmp_path / "missing" / "a")


@pytest.fixture
async def exotel(tmp_path: Path) -> AsyncIterator[tuple[FakeAccount, FetchOptions]]:
    """Exotel's own host, by TLS; and how it is asked, its name leading to this machine."""
    certificate, key = make_certificate(tmp_path, days=2, name="recordings.exotel.com")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    account = FakeAccount("")
    account.calls["c1"] = FakeCall(recording=Recording(body=BODY))
    async with accepting(partial(attend, account), tls) as port:
        account.url = f"https://recordings.exotel.com:{port}"
        rules = read_rules(f"*.exotel.com:{port},storage.example.com:{port},127.0.0.0/8")
        yield (
            account,
            FetchOptions(
                rules=rules,
                max_bytes=1_000_000,
                credentials=(account.key, account.token),
                tls=ssl.create_default_context(cafile=str(certificate)),
            ),
        )


async def here(host: str, port: int) -> list[str]:
    """Every name leads to this machine."""
    return ["127.0.0.1"]


@needs_openssl
async def test_exotel_is_told_the_credentials(
    exotel: tuple[FakeAccount, FetchOptions], tmp_path: Path
) -> None:
    """By https and to its own hosts; not beside a URL's own signature."""
    account, how = exotel
    await Fetcher(how, here).fetch(account.recording_url("c1"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY
    await Fetcher(how, here).fetch(account.presigned_url("c1"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == BODY
    assert [asked.credentials for asked in account.asked] == [f"{account.key}:{account.token}", ""]


@needs_openssl
async def test_a_redirect_away_from_exotel_takes_no_credentials_along(
    exotel: tuple[FakeAccount, FetchOptions], tmp_path: Path
) -> None:
    """The next host proves itself by its own certificate, and is told nothing."""
    account, how = exotel
    elsewhere = account.recording_url("c1").replace("recordings.exotel", "storage.example")
    account.fail(Fault(302, headers={"Location": elsewhere}))
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(NotReadyError, match="401"):
        await Fetcher(replace(how, tls=unverified), here).fetch(
            account.recording_url("c1"), tmp_path / "a"
        )
    assert [bool(asked.credentials) for asked in account.asked] == [True, False]


@needs_openssl
async def test_another_hosts_certificate_is_not_believed(
    exotel: tuple[FakeAccount, FetchOptions], tmp_path: Path
) -> None:
    """The connection goes to an address, and the certificate has to be the name's."""
    account, how = exotel
    url = account.recording_url("c1").replace("recordings.exotel", "other.exotel")
    with pytest.raises(BrokenError):
        await Fetcher(replace(how, resumes=0), here).fetch(url, tmp_path / "a")
    assert account.asked == []
