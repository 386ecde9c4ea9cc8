"""How traces are switched on, and what is imported for them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from tests.observe.collector import collecting
from tests.process import environment, run

from exobridge.errors import ConfigError
from exobridge.observe.tracing import traces_wanted

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
URL = "http://localhost:4318"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: URL}, True),
        ({TRACES_ENDPOINT: f"{URL}/v1/traces"}, True),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        ({ENDPOINT: URL, "OTEL_SDK_DISABLED": "true"}, False),
        ({ENDPOINT: URL, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_opentelemetrys_variables_switch_it(environ: dict[str, str], wanted: bool) -> None:
    """An endpoint is enough; off is off."""
    assert traces_wanted(environ) is wanted


def test_a_protocol_that_is_not_spoken_is_an_error() -> None:
    """Spans would go where nobody understands them."""
    with pytest.raises(ConfigError, match=r"OTEL_EXPORTER_OTLP_PROTOCOL.*4318"):
        traces_wanted({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


NOT_INSTALLED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
"""


async def test_without_the_extra_the_start_names_the_cure(tmp_path: Path) -> None:
    """Not a word of it before a call comes would be too late."""
    (tmp_path / "sitecustomize.py").write_text(NOT_INSTALLED)
    path = f"{tmp_path}:{environment(tmp_path)['PYTHONPATH']}"
    variables = {ENDPOINT: URL, "PYTHONPATH": path}
    status, out, err = await run(tmp_path, "serve", "--port", "0", **variables)
    assert (status, out) == (2, "")
    assert ENDPOINT in err
    assert "pip install 'exobridge[otel]'" in err


IMPORTED = """
import asyncio, sys
from pathlib import Path
from tests.server import serving

async def main():
    async with serving(Path(sys.argv[1])):
        print(*sorted(name for name in sys.modules if name.startswith("opentelemetry")))

asyncio.run(main())
"""


async def imported(folder: Path, **variables: str) -> str:
    """What of OpenTelemetry a serving process has imported."""
    await asyncio.to_thread(folder.mkdir)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IMPORTED, str(folder)),
        env=environment(folder, **variables),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return out.decode()


async def test_nothing_is_imported_unless_it_is_wanted(tmp_path: Path) -> None:
    """Whoever does not trace does not carry it."""
    with collecting() as collector:
        told = await asyncio.gather(
            imported(tmp_path / "off"), imported(tmp_path / "on", **{ENDPOINT: collector.url})
        )
    assert told[0].strip() == ""
    assert "opentelemetry.sdk.trace" in told[1]
