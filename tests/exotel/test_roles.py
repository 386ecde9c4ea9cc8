"""Who is who in what Exotel tells of a whole call."""

from __future__ import annotations

import pytest

from exobridge.exotel.roles import roles

CALLER, EXOPHONE = "+919811122233", "+918047112233"


@pytest.mark.parametrize(
    ("told", "caller", "called"),
    [
        (("09811122233", "08047112233"), CALLER, EXOPHONE),
        (("09811122233", "08047112233", EXOPHONE), CALLER, EXOPHONE),
        (("08047112233", "09811122233", "08047112233"), CALLER, EXOPHONE),
        (("09811122233", "09811122244", "08047112233"), CALLER, EXOPHONE),
        (("09811122233", "08047112233", "anonymous"), CALLER, EXOPHONE),
        (("anonymous", "08047112233"), "", EXOPHONE),
        (("09811122233", ""), CALLER, ""),
        (("", "", EXOPHONE), "", EXOPHONE),
        (("", ""), "", ""),
    ],
)
def test_the_human_is_the_caller_and_the_exophone_is_called(
    told: tuple[str, ...], caller: str, called: str
) -> None:
    """By the ExoPhone where it is told apart, else by the legs; what is no number is nobody."""
    assert roles(*told) == {"caller": caller, "called": called}
