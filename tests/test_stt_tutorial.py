"""The tutorial of a speech-to-text of one's own: what it shows is what is run."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from exobridge_providers.registry import Kind
from exobridge_providers.skeleton import package_of
from exobridge_providers.testing.cases import case
from exobridge_providers.testing.conformance import CHECKS, Result, run_all, run_check
from tests.test_docs_pages import blocks, page

PLUGIN = "acme_exobridge/stt.py"
CALL = "vendor_code(self._config.language, CODES)"


def shown() -> str:
    """The plugin's module, as the page shows it in pieces."""
    return "\n\n\n".join(block.strip("\n") for block in blocks(PAGE, "python")) + "\n"


PAGE = page("tutorial/write-your-own-stt.md")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """The package that the page begins with, as if it were installed, with the page's plugin."""
    for path, text in package_of("stt", "acme").items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(shown() if path == PLUGIN else text, "utf-8")
    info = tmp_path / "acme_exobridge-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-exobridge\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(
        "[exobridge.stt]\nacme = acme_exobridge.stt:AcmeStt\n"
        "[exobridge.fakes.stt]\nacme = acme_exobridge.fake:CASE\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("acme_exobridge")]:
        del sys.modules[name]


def test_the_page_shows_the_plugin_that_the_command_writes() -> None:
    """To the letter, in a hundred lines."""
    written = package_of("stt", "acme")[PLUGIN]
    assert [line for line in shown().splitlines() if line] == [
        line for line in written.splitlines() if line
    ]
    assert len([line for line in written.splitlines() if line.strip()]) <= 100


@pytest.mark.usefixtures("package")
async def test_what_the_page_shows_keeps_every_promise() -> None:
    """Each check of the kit passes, none is skipped, and all are told as they go."""
    told: list[Result] = []
    results = await run_all(Kind.STT, "acme", told.append)
    assert told == results
    assert [each for each in results if each.outcome != "passed"] == []
    assert [each.name for each in results] == [check.name for check in CHECKS[Kind.STT]]


async def test_what_the_page_breaks_is_found_by_the_check_that_it_names(package: Path) -> None:
    """The vendor's own spelling of languages."""
    module = package / PLUGIN
    assert CALL in shown()
    module.write_text(shown().replace(CALL, "self._config.language"), "utf-8")
    acme = case(Kind.STT, "acme")
    assert acme is not None
    [check] = [each for each in CHECKS[Kind.STT] if f"✗ {each.name}: failed" in PAGE]
    assert f"promised: it {check.promise}" in PAGE
    with pytest.raises(AssertionError, match="the vendor's rules are kept; broken"):
        await run_check(acme, check)
