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
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import checks as schemathesis_checks

from exobridge.simulator.account import Account, serve_account
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
EXOPHONE = "+918047112244"
SENSIBLE: dict[str, list[Any]] = {
    "number": ["+919811100001", "09811100002", EXOPHONE, "+918047112255"],
    "template": ["default", ""],
    "caller_id": [EXOPHONE, ""],
    "variables": [{"name": "Asha"}, {}],
    "not_before": [(datetime.now(UTC) + timedelta(days=2)).isoformat(), None],
    "since": ["2020-01-01T00:00:00Z"],
    "until": ["2030-01-01T00:00:00Z"],
}
"""Values that are not made up by chance: without them hardly anything would be taken."""

LISTS = [
    b"number,name\n+919811100003,Asha\n+919811100004,Ravi\n",
    b"number\n09811100005\n",
    b"number\n12\n",
]
FAR = (datetime.now(UTC) + timedelta(days=3)).isoformat()


@contextmanager
def asked_server(folder: Path) -> Generator[Server]:
    """A server with calls in its record and more to make, in a thread of its own; Exotel is a
    stand-in, which places calls that nobody hears of again."""
    loop = asyncio.new_event_loop()
    started: list[Server | BaseException] = []
    up, over = threading.Event(), asyncio.Event()

    async def run() -> None:
        account = Account()
        account.add_exophones(EXOPHONE, "+918047112266")
        async with (
            serve_account(account),
            serving(folder, **variables(account)) as server,
        ):
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


def variables(account: Account) -> dict[str, Any]:
    """What the server is told."""
    return {
        **account.variables,
        "EXOBRIDGE_API_KEY": KEY,
        "REQUEST_RATE": "0",
        "EXOTEL_TEMPLATE_APPLET_APP_ID": "123456",
        "EXOTEL_NUMBERS": f"{EXOPHONE}=default",
        "EXOTEL_STREAM_CHECK_SECONDS": "0",
        "WEBHOOK_URL": "http://127.0.0.1:9/nobody",
        "WEBHOOK_SIGNING_SECRET": "whsec_" + "c2VjcmV0IG9mIHRoZSB3ZWJob29rcyBvZiB0ZXN0cw==",
    }


def fill(url: str) -> None:
    """Make one of each kind, for the lists; none of these people is called meanwhile."""
    people = [{"number": f"+91981110001{number}", "not_before": FAR} for number in range(2)]
    for path, body in [
        *((f"{url}/api/v1/calls", each) for each in people),
        (f"{url}/api/v1/numbers", {"number": "+918047112277", "template": "default"}),
    ]:
        requests.post(path, json=body, headers=AUTHORIZED, timeout=30).raise_for_status()
    headers = {**AUTHORIZED, "content-type": "text/csv"}
    made = requests.post(f"{url}/api/v1/batches", data=LISTS[0], headers=headers, timeout=30)
    made.raise_for_status()


def document_of(url: str) -> dict[str, Any]:
    """Its OpenAPI document."""
    return cast(dict[str, Any], requests.get(f"{url}/api/v1/openapi.json", timeout=30).json())


def question(url: str, examples: int, seed: int, only: str = "") -> list[str]:
    """Ask everything; what is wrong.

    Args:
        examples: Requests of each operation, half of which fit the document.
        only: Part of an operation's name; empty: all.
    """
    schemathesis_checks.load_all_checks()
    fill(url)
    document = document_of(url)
    del document["security"]  # the key is always good: without one there is nothing to see
    schema: Any = schemathesis.openapi.from_dict(document)
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
            except (Exception, BaseExceptionGroup) as error:
                found.append(f"{name} ({mode.value}):\n{_told(error)}")
    return found


def _told(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        group = cast(BaseExceptionGroup[BaseException], error)
        return "\n".join(_told(each) for each in group.exceptions)
    return f"{type(error).__name__}: {error}"


def _trial(
    url: str,
    operation: Any,
    mode: schemathesis.GenerationMode,
    examples: int,
    seed: int,
) -> None:
    checks: Any = cast(Any, schemathesis_checks).CHECKS.get_by_names(CHECKED)
    known = st.sampled_from(_known(url, operation.path) or [""])

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
        phases=[Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        if data.draw(st.booleans()) and (name := data.draw(known)):
            case.path_parameters[next(iter(case.path_parameters))] = name
        _make_sensible(case, data)
        _ask(url, case, operation, checks)

    ask()


def _make_sensible(case: Any, data: st.DataObject) -> None:
    """Put values that mean something into three of four requests."""
    if not data.draw(st.integers(0, 3)):
        return
    if case.media_type == "text/csv":
        case.body = data.draw(st.sampled_from(LISTS))
    for part in (case.body, case.query):
        if isinstance(part, dict):
            named = cast(dict[str, Any], part)
            for name in sorted(SENSIBLE.keys() & named.keys()):
                named[name] = data.draw(st.sampled_from(SENSIBLE[name]))


def _ask(
    url: str,
    case: Any,
    operation: Any,
    checks: Any,
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
    before, brace, rest = path.partition("/{")
    if not brace:
        return []
    parameter = rest.partition("}")[0]
    name = parameter if parameter in ("call_sid", "number") else "id"
    answer = requests.get(url + before, headers=AUTHORIZED, timeout=30)
    items: list[dict[str, Any]] = answer.json().get("items", []) if answer.ok else []
    return [str(each[name]) for each in items if name in each]


def main() -> int:
    """Question at length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of an operation's name")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder, asked_server(Path(folder)) as server:
        found = question(server.url, asked.examples, asked.seed, asked.only)
        errors = server.log("api failed")
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
