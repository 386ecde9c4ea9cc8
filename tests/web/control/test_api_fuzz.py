"""The API, questioned by its own document; ``make api-fuzz`` does it at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.control.fuzz import asked_server, question

EXAMPLES = 4
SEED = 20261122


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_answer_is_a_5xx_or_undocumented(tmp_path: Path) -> None:
    """Whether what is asked fits the document or not."""
    with asked_server(tmp_path) as server:
        found = question(server.url, EXAMPLES, SEED)
        errors = server.log("api failed")
    assert "\n\n".join(found) == ""
    assert errors == []
