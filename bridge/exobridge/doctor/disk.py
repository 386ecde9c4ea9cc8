"""The data directory and the database in it. Nothing of theirs is changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.store.engine import read_url
from exobridge.store.migrate import NEWEST

MOUNTS = Path("/proc/self/mounts")
NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.glusterfs", "ceph", "9p")
LITTLE, TOO_LITTLE = 1_000_000_000, 50_000_000
"""Free bytes below which it is told, and below which a day's calls may not fit."""


def look(case: Case) -> list[Finding]:
    """Whether calls can be kept."""
    database = Path(str(read_url(case.settings.database_url.get_secret_value()).database))
    folders = list(dict.fromkeys([case.settings.data_dir, database.parent]))
    findings = [finding for folder in folders for finding in _folder(folder)]
    findings += _database(database)
    return findings


def _folder(folder: Path) -> Iterator[Finding]:
    try:
        there, name = nearest(folder), folder.resolve()
    except OSError:  # it is relative to a working directory that is gone
        cure = "Change to a directory that is there, or set EXOBRIDGE_DATA_DIR to a whole path."
        yield error("disk.data", f"{folder} cannot be found from here", cure)
        return
    try:
        with tempfile.TemporaryDirectory(prefix=".exobridge-doctor-", dir=there) as tried:
            (Path(tried) / "file").write_bytes(b"\0" * 4096)
            yield ok("disk.data", f"{name} can be written" if there == folder else _made(name))
            yield _wal(Path(tried), name)
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        cure = "Give it to the user that runs exobridge, or set EXOBRIDGE_DATA_DIR to another."
        yield error("disk.data", f"{name} cannot be written ({why})", cure)
        return
    yield _space(there)


def _made(name: Path) -> str:
    return f"{name} is not there yet, and can be made"


def nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    for each in (folder, *folder.resolve().parents):
        if each.exists():
            return each
    return Path("/")


def _space(there: Path) -> Finding:
    free = shutil.disk_usage(there).free
    found = f"{free / 1e9:.1f} GB are free on the disk of {there.resolve()}"
    cure = "Make room, or set EXOBRIDGE_DATA_DIR to a larger disk."
    if free < TOO_LITTLE:
        return error("disk.space", found, cure)
    return warning("disk.space", found, cure) if free < LITTLE else ok("disk.space", found)


def _wal(tried: Path, name: Path) -> Finding:
    """SQLite's write-ahead log shares memory between processes, which network file systems cannot
    do (sqlite.org/wal.html)."""
    kind = _file_system(tried.resolve())
    cure = "Keep the database on a local disk: set EXOBRIDGE_DATA_DIR, or DATABASE_URL."
    if kind in NETWORK:
        return error("disk.network", f"{name} is on a network file system ({kind})", cure)
    try:
        with closing(sqlite3.connect(tried / "wal.sqlite3", timeout=2)) as connection:
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            connection.execute("CREATE TABLE tried (n INTEGER)")
            connection.commit()
    except sqlite3.Error as problem:
        return error("disk.network", f"SQLite cannot write in {name} ({problem})", cure)
    if str(mode).lower() != "wal":
        found = f"the file system of {name} does not bear SQLite's write-ahead log"
        return error("disk.network", found, cure)
    return ok("disk.network", f"SQLite's write-ahead log works there ({kind or 'local'})")


def _file_system(path: Path) -> str:
    """The kind of the file system a path is on; empty where the system does not tell."""
    try:
        mounts = [line.split() for line in MOUNTS.read_text("utf-8").splitlines()]
    except OSError:
        return ""
    best, kind = "", ""
    for mount in mounts:
        point = mount[1].replace("\\040", " ")
        inside = path == Path(point) or Path(point) in path.parents
        if inside and len(point) >= len(best):
            best, kind = point, mount[2]
    return kind


def _database(database: Path) -> Iterator[Finding]:
    if not database.exists():
        yield ok("disk.database", "there is none yet: exobridge serve makes it")
        return
    cure = "Move the file away, or let DATABASE_URL name another."
    try:
        revision = _revision(database)
    except sqlite3.Error as problem:
        yield error("disk.database", f"{database.resolve()} cannot be read ({problem})", cure)
        return
    if not os.access(database, os.W_OK):
        found = f"{database.resolve()} cannot be written"
        yield error("disk.database", found, f"chown $USER {database.resolve()}")
    elif revision == NEWEST:
        yield ok("disk.database", f"{database.name} is up to date (revision {revision})")
    elif revision is None:
        yield error("disk.database", f"{database.resolve()} is of another program", cure)
    elif revision > NEWEST:
        found = f"{database.name} is of a newer release (revision {revision}, known {NEWEST})"
        yield error("disk.database", found, "Install that release of exobridge.")
    else:
        found = f"{database.name} is at revision {revision or 'none'}: the next start makes it"
        yield info("disk.database", f"{found} {NEWEST}", "Keep a copy of the file before that.")


def _revision(database: Path) -> str | None:
    """Of the file as it is; empty for a new one, ``None`` for one that is not ours."""
    uri = f"{database.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=2)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "alembic_version" not in names:
            return None if names else ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return "" if row is None else str(row[0])
