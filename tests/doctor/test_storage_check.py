"""Where recordings are put."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from exobridge.doctor import storage_check
from exobridge.doctor.case import Case, Scope
from exobridge.doctor.finding import Finding, Level
from exobridge.settings import Settings
from tests.recordings.s3 import bucket


async def look(
    folder: Path, url: str = "", *, online: bool = False, seconds: float = 10
) -> Finding:
    """What is found of this storage."""
    variables = {"EXOBRIDGE_DATA_DIR": str(folder / "data"), "RECORDINGS_URL": url}
    case = Case(Settings.read(variables), scope=Scope(online=online))
    [found] = await storage_check.look(case, seconds)
    assert found.id == "disk.recordings"
    return found


async def test_a_package_that_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the server would not start; the package is named. The data directory needs none."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "exobridge.recordings.bucket", raising=False)
    found = await look(tmp_path, "s3://calls")
    assert found.level is Level.ERROR
    assert "exobridge[s3]" in found.cure
    assert (await look(tmp_path)).level is Level.OK


async def test_a_folder_that_can_be_made_is_ok_and_is_not_made(tmp_path: Path) -> None:
    """Nothing is left behind."""
    assert (await look(tmp_path, (tmp_path / "a" / "b").as_uri())).level is Level.OK
    assert not await asyncio.to_thread((tmp_path / "a").exists)


async def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Before the first recording meets it; one of the kernel's, too."""
    (tmp_path / "file").write_text("in the way")
    for url in ((tmp_path / "file" / "r").as_uri(), "file:///proc/nowhere"):
        found = await look(tmp_path, url)
        assert found.level is Level.ERROR
        assert "RECORDINGS_URL" in found.cure


async def test_a_bucket_is_tried_online_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a file that is put there and deleted."""
    async with bucket() as held:
        for name, value in held.environment.items():
            monkeypatch.setenv(name, value)
        offline = await look(tmp_path, "s3://calls/of/acme")
        assert (offline.level, held.signatures) == (Level.OK, [])
        assert "--online" in offline.found
        assert (await look(tmp_path, "s3://calls/of/acme", online=True)).level is Level.OK
        assert len(held.signatures) == 2
        assert (list(held.types.values()), held.objects) == (["text/plain"], {})


@pytest.mark.parametrize(
    ("fault", "said"), [({"status": 403}, "put away"), ({"is_locked": True}, "deleted")]
)
async def test_a_bucket_that_refuses_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: dict[str, int], said: str
) -> None:
    """To take a file, or to let it go, as retention must; no key is told."""
    async with bucket() as held:
        for name, value in held.environment.items():
            monkeypatch.setenv(name, value)
        for attribute, set_to in fault.items():
            setattr(held, attribute, set_to)
        found = await look(tmp_path, "s3://calls", online=True)
    assert found.level is Level.ERROR
    assert said in found.found
    assert "AWS_" in found.cure
    assert "of-the-bucket" not in f"{found.found} {found.cure}"


async def test_a_bucket_that_is_silent_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that does not answer, as the one where obstore looks for keys may not."""
    async with bucket() as held:
        for name, value in held.environment.items():
            monkeypatch.setenv(name, value)
        found = await look(tmp_path, "s3://calls", online=True, seconds=0)
    assert (found.level, "no answer within 0 s" in found.found) == (Level.ERROR, True)
