"""The page about the account says what the code says."""

from __future__ import annotations

import re

from exobridge.simulator.account import Account, connect, reading, serve
from exobridge.simulator.account import account as account_module
from tests.test_docs_pages import names, once, page, section, tables

PAGE = page("reference/account.md")


def rows(heading: str) -> list[list[str]]:
    """The first table below a heading."""
    return tables(section(PAGE, heading))[0]


def test_every_parameter_of_a_call_is_on_the_page() -> None:
    """None is missing, none is made up."""
    told = once([names(row[0])[0] for row in rows("## Calls that it places")])
    assert told == connect.KNOWN | {"StatusCallbackEvents[n]"}


def test_the_variables_are_on_the_page() -> None:
    """With the values that an account has by itself."""
    told = {names(row[0])[0]: row[1].strip("`") for row in tables(PAGE)[0]}
    variables = Account().variables
    assert told.keys() - {"RECORDING_HOSTS"} == variables.keys()
    for name in ("EXOTEL_API_KEY", "EXOTEL_API_TOKEN", "EXOTEL_SID"):
        assert told[name] == variables[name]


def test_the_bounds_are_on_the_page() -> None:
    """As they are."""
    told = [int(re.sub(r"\D", "", row[1])) for row in rows("## Bounds")]
    assert told == [
        reading.MAX_HEAD_BYTES // 1024,
        reading.MAX_REQUEST_BYTES // 1024,
        reading.MAX_FIELDS,
        reading.READ_SECONDS,
        serve.MAX_CONNECTIONS,
        account_module.MAX_CALLS,
    ]
    assert f"above {account_module.CALLS_PER_MINUTE} calls a minute" in PAGE
