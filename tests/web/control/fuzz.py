"""Questions the API by its own document, with data that fits it and data that does not.

``python -m tests.web.control.fuzz --examples 300 --seed 7`` (``make api-fuzz``) does it at length.
A failure is an answer of 5xx, or one that the document does not name: its status, its type, its
headers or its body.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks

from tests.keeping.kept import keep
from tests.server import Server, serving

KEY = "the-key-of-the-api-0123456789"
AUTHORIZED = {"authorization": f"Bearer {KEY}"}
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
STREAM = "text/event-stream"
NAMES = ("call_sid", "number", "id")
"""What an item of a list goes by."""

Fill = Callable[[Server], Awaitable[None]]


@contextmanager
def asked_server(folder: Path, **variables: str) -> Generator[Server]:
    """A server with some calls in its record, in a thread of its own."""
    loop = asyncio.new_event_loop()
    started: list[Server | BaseException] = []
    up, over = threading.Event(), asyncio.Event()

    async def run() -> None:
        async with serving(folder, EXOBRIDGE_API_KEY=KEY, REQUEST_RATE="0", **variables) as server:
            for number in range(3):
                await keep(server.bridge.store, folder / "data", f"call-{number}")
            started.append(server)
            up.set()
            await over.wait()

    def main() -> None:
        try:
            loop.run_until_complete(run())
        except BaseException as error:
            started.append(error)
            up.set()

    thread = threading.Thread(target=main)
    thread.start()
    try:
        assert up.wait(60)
        server = started[0]
        assert isinstance(server, Server), server
        yield server
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(60)
        loop.close()
    assert len(started) == 1, started[-1]


def document_of(url: str) -> dict[str, Any]:
    """Its OpenAPI document."""
    return cast(dict[str, Any], requests.get(f"{url}/api/v1/openapi.json", timeout=30).json())


def question(url: str, examples: int, seed: int, only: str = "") -> list[str]:
    """Ask everything; what is wrong.

    Args:
        examples: Requests of each operation, half of which fit the document.
        only: Part of an operation's name; empty: all.
    """
    load_all_checks()
    document = document_of(url)
    del document["security"]  # the key is always good: without one there is nothing to see
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.update(allow_x00=True)
    found: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        name = str(operation.definition.raw["operationId"])
        if only.lower() not in name.lower():
            continue
        for mode in schemathesis.GenerationMode:
            try:
                _trial(url, operation, mode, examples // 2, seed)
            except Unsatisfiable:
                continue  # nothing can be wrong with it
            except Exception as error:
                found.append(f"{name} ({mode.value}):\n{_told(error)}")
    return found


def _told(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "\n".join(_told(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}"


def _trial(
    url: str,
    operation: schemathesis.APIOperation[Any, Any, Any],
    mode: schemathesis.GenerationMode,
    examples: int,
    seed: int,
) -> None:
    checks = CHECKS.get_by_names(CHECKED)
    known = _known(url, operation.path)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def ask(case: schemathesis.Case, data: st.DataObject) -> None:
        if known and data.draw(st.integers(0, 2)):
            parameter = next(iter(case.path_parameters))
            case.path_parameters[parameter] = data.draw(st.sampled_from(known))
        _ask(url, case, operation, checks)

    ask()


def _ask(
    url: str,
    case: schemathesis.Case,
    operation: schemathesis.APIOperation[Any, Any, Any],
    checks: list[Any],
) -> None:
    success = operation.definition.raw["responses"].get("200", {})
    if STREAM not in success.get("content", {}):
        case.call_and_validate(base_url=url, headers=AUTHORIZED, checks=checks, timeout=30)
        return
    asked = case.as_transport_kwargs(base_url=url, headers=AUTHORIZED)
    with requests.request(**asked, stream=True, timeout=30) as answer:
        assert str(answer.status_code) in operation.definition.raw["responses"], answer.status_code
        assert answer.status_code < 500


def _known(url: str, path: str) -> list[str]:
    """Names that the list before a path's parameter gives."""
    before, brace, _ = path.partition("/{")
    if not brace:
        return []
    answer = requests.get(url + before, headers=AUTHORIZED, timeout=30)
    items: Iterable[dict[str, Any]] = answer.json().get("items", []) if answer.ok else []
    return sorted({str(each[name]) for each in items for name in NAMES if each.get(name)})[:20]


def main() -> int:
    """Question at length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of an operation's name")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder, asked_server(Path(folder)) as server:
        found = question(server.url, asked.examples, asked.seed, asked.only)
        errors = server.errors()
        asked_for = Counter(
            (line["method"], line["endpoint"], line["status"]) for line in server.log("api")
        )
    for (method, path, status), times in sorted(asked_for.items()):
        print(f"{times:6} {method:6} {path} {status}")
    for each in [*found, *map(str, errors)]:
        print(each, "\n")
    print(f"{len(found)} operations answered wrongly, {len(errors)} errors in the log")
    return 1 if found or errors else 0


if __name__ == "__main__":
    raise SystemExit(main())
