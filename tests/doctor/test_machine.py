"""The port, the clock, the disk and the machine."""

from __future__ import annotations

import resource
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from exobridge.doctor import clock, disk, machine, port_check
from exobridge.doctor.case import Case, Scope
from exobridge.doctor.finding import Finding, Level
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.store.migrate import NEWEST
from tests.doctor.looking import answering, levels, one
from tests.server import serving


def case(*, scope: Scope | None = None, **variables: str) -> Case:
    """An installation with these settings and no templates."""
    return Case(Settings.read(variables), scope=scope or Scope(offline=True))


# ------------------------------------------------------------------ port


async def test_a_port_that_is_taken_is_an_error_with_what_to_look_at() -> None:
    """Something else listens there."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        found = one(await port_check.look(case(EXOBRIDGE_PORT=port)), "port.listen")
    assert found.level is Level.ERROR
    assert f"sport = :{port}" in found.cure


async def test_a_port_that_a_running_exobridge_has_is_ok(tmp_path: Path) -> None:
    """The check is for a server that runs as well as for one that is to be started."""
    async with serving(tmp_path) as server:
        port = server.url.rpartition(":")[2]
        found = one(await port_check.look(case(EXOBRIDGE_PORT=port)), "port.listen")
    assert found.level is Level.OK
    assert "exobridge answers" in found.found


async def test_a_free_port_is_ok_and_stays_free() -> None:
    """It is not kept, and an address that is not this machine's is told."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    for _ in range(2):
        found = one(await port_check.look(case(EXOBRIDGE_PORT=port)), "port.listen")
        assert (found.level, "free" in found.found) == (Level.OK, True)
    elsewhere = case(EXOBRIDGE_PORT=port, EXOBRIDGE_HOST="192.0.2.1")
    assert "EXOBRIDGE_HOST" in one(await port_check.look(elsewhere), "port.listen").cure


# ------------------------------------------------------------------ clock


@pytest.mark.parametrize(
    ("off_s", "level"), [(0, Level.OK), (-300, Level.WARNING), (300, Level.WARNING)]
)
async def test_the_clock_is_compared_with_another(off_s: float, level: Level) -> None:
    """More than half a minute of difference is told, whichever is behind."""
    theirs = datetime.now(UTC) + timedelta(seconds=off_s)
    headers = {"Date": format_datetime(theirs, usegmt=True)}
    with answering(lambda _: (200, headers, b"")) as url:
        findings = await clock.look(case(scope=Scope(exotel_url=url)))
    assert one(findings, "clock.time").level is level
    assert one(findings, "clock.timezone").level is Level.OK


async def test_without_another_clock_nothing_is_said_of_the_time() -> None:
    """Offline nobody is asked; a host that answers without a time counts as none."""
    offline = await clock.look(case())
    assert "compared with no other" in one(offline, "clock.time").found
    with answering(lambda _: (200, {"Date": "soon"}, b"")) as url:
        found = one(await clock.look(case(scope=Scope(exotel_url=url))), "clock.time")
    assert found.level is Level.INFO


# ------------------------------------------------------------------ disk


def looked(folder: Path) -> list[Finding]:
    """The findings for this data directory."""
    return disk.look(case(EXOBRIDGE_DATA_DIR=str(folder)))


def test_a_directory_that_can_be_made_is_ok_and_is_not_made(tmp_path: Path) -> None:
    """Nothing is left behind."""
    findings = looked(tmp_path / "new" / "data")
    assert "can be made" in one(findings, "disk.data").found
    assert one(findings, "disk.network").level is Level.OK
    assert list(tmp_path.iterdir()) == []


def test_a_directory_below_a_file_is_an_error(tmp_path: Path) -> None:
    """The cure names the setting."""
    (tmp_path / "file").write_text("")
    found = one(looked(tmp_path / "file" / "data"), "disk.data")
    assert found.level is Level.ERROR
    assert "EXOBRIDGE_DATA_DIR" in found.cure


async def test_the_database_is_read_and_not_changed(tmp_path: Path) -> None:
    """Up to date, older, newer, another program's, and no database at all."""
    database = tmp_path / "exobridge.sqlite3"
    store = await Store.open(f"sqlite+aiosqlite:///{database}")
    await store.aclose()
    assert one(looked(tmp_path), "disk.database").level is Level.OK
    for revision, level in (("0001", Level.INFO), ("9999", Level.ERROR)):
        assert revision != NEWEST
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
            connection.commit()
        before = database.read_bytes()
        assert one(looked(tmp_path), "disk.database").level is level
        assert database.read_bytes() == before
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.commit()
    assert "another program" in one(looked(tmp_path), "disk.database").found
    database.write_bytes(b"not a database, and long enough to be looked at" * 100)
    assert "cannot be read" in one(looked(tmp_path), "disk.database").found


# ------------------------------------------------------------------ machine


def test_this_machine_has_what_the_tests_need() -> None:
    """Whatever else is said of it."""
    found = levels(machine.look(case(MAX_CALLS="1")))
    for about in ("python", "fast", "audioop", "cores", "files", "memory"):
        assert found[f"machine.{about}"] is Level.OK, about


def test_more_calls_than_the_cores_bear_are_told_with_the_line_to_paste() -> None:
    """The cure is within what is borne."""
    found = one(machine.look(case(MAX_CALLS="100000")), "machine.cores")
    assert found.level is Level.WARNING
    calls = found.cure.removeprefix("MAX_CALLS=")
    assert one(machine.look(case(MAX_CALLS=calls)), "machine.cores").level is Level.OK


def test_more_workers_than_cores_are_told() -> None:
    """They would only wait for each other."""
    found = one(machine.look(case(EXOBRIDGE_WORKERS="64")), "machine.cores")
    assert found.cure == "EXOBRIDGE_WORKERS=auto"


def test_too_few_open_files_are_an_error() -> None:
    """Each call has its sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    try:
        found = one(machine.look(case(MAX_CALLS="500")), "machine.files")
        assert one(machine.look(case(MAX_CALLS="10")), "machine.files").level is Level.OK
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found.level is Level.ERROR
    assert "LimitNOFILE=2200" in found.cure


def test_memory_that_calls_do_not_fit_in_is_told() -> None:
    """A hundred thousand calls are about six gigabytes more than one."""
    there, _ = machine.memory()
    assert there is None or there > 100e6
    few = one(machine.look(case(MAX_CALLS="1")), "machine.memory").found
    many = one(machine.look(case(MAX_CALLS="100000")), "machine.memory").found
    assert int(many.split()[1]) - int(few.split()[1]) == 6000


def test_a_working_directory_that_is_gone_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data directory's default is relative to it."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    found = one(disk.look(case()), "disk.data")
    assert found.level is Level.ERROR
    assert "EXOBRIDGE_DATA_DIR" in found.cure
