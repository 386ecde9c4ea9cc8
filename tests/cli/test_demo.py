"""``exobridge demo``: what keeps it from being held, and how it judges what came of it.

The whole demonstration takes half a minute of real speech; ``make demo`` holds it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from exobridge.call.events import Role
from exobridge.call.events import Turn as KeptTurn
from exobridge.cli.main import app
from exobridge.demo import stages, with_kept_words
from exobridge.simulator import CallReport, Outcome, Turn
from tests.process import run


async def test_a_folder_that_cannot_be_made_is_2(tmp_path: Path) -> None:
    """Said on the standard error, before a server is started."""
    (tmp_path / "file").write_text("in the way")
    status, out, err = await run(tmp_path, "demo", "--out", "file")
    assert (status, out.count("Starting")) == (2, 0)
    assert "file" in err
    assert "Traceback" not in err


def test_turns_are_of_the_fake_vendors_alone(tmp_path: Path) -> None:
    """They are refused before anything begins, not ignored."""
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["demo", "--turns", "5", "--out", str(out)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "needs --vendors" in result.stderr
    assert not out.exists()


def report(*turns: Turn, voice_to_voice_ms: tuple[float | None, ...] = ()) -> CallReport:
    """What the caller's side measured."""
    return CallReport(
        "c1",
        "s1",
        "pcm16",
        8000,
        20,
        Outcome.COMPLETED,
        turns=turns,
        voice_to_voice_ms=voice_to_voice_ms,
    )


def heard(start_ms: float, end_ms: float, *, caller: bool = False) -> Turn:
    """A turn as it was heard."""
    return Turn("caller" if caller else "bot", "", start_ms, end_ms, end_ms - start_ms)


def kept(
    number: int, start_ms: int, end_ms: int, text: str, eot_ms: float | None = None
) -> KeptTurn:
    """A turn of the bot as the server kept it; with ``eot_ms`` it answers the caller."""
    turn = KeptTurn("c1", "s1", number, Role.BOT, text, start_ms, end_ms)
    if eot_ms is None:
        return turn
    return replace(turn, eot_ms=eot_ms, stt_ms=100.0, dialogue_ms=1.0, tts_ms=50.0, send_ms=2.0)


def test_what_was_heard_gets_the_servers_words() -> None:
    """A turn that was heard in two parts is one; the caller's turns, and what the server did not
    mean to say, stay as they are."""
    measured = report(
        heard(100, 900),
        heard(1600, 2000),
        heard(2500, 3000, caller=True),
        heard(3500, 4000),
        heard(9000, 9100),
    )
    server = [kept(1, 90, 2100, "Hello. Who is there?"), kept(3, 3400, 4100, "Well.")]
    found = with_kept_words(measured, server).turns
    assert [(turn.role, turn.text, turn.start_ms, turn.end_ms) for turn in found] == [
        ("bot", "Hello. Who is there?", 100, 2000),
        ("caller", "", 2500, 3000),
        ("bot", "Well.", 3500, 4000),
        ("bot", "", 9000, 9100),
    ]
    assert found[0].heard_ms == 1200


def test_the_time_to_an_answer_is_split_by_what_the_server_measured() -> None:
    """Turns that answer nobody are left out; what no stage accounts for is the rest."""
    measured = report(voice_to_voice_ms=(800.0, None, 700.0))
    server = [kept(1, 0, 1, "Hello."), kept(3, 2, 3, "One.", 400), kept(5, 4, 5, "Two.", 500)]
    first, second = stages(measured, server)
    assert (first.total, first.end_of_turn, first.rest) == (800, 400, 247)
    assert (second.total, second.end_of_turn, second.rest) == (700, 500, 47)
