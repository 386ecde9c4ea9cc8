"""``kill -9`` in the middle of a call that is recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path

from exobridge.simulator import CallPlan, Exotel, Say, Wait
from exobridge_codecs.wav import parse_wav, read_wav
from tests.own_recording.sound import parts
from tests.process import server
from tests.server import LINE, QUICK, bot, http_client, until, write_templates

KEY = "the-key-of-the-api-0123456789"


async def test_what_was_recorded_survives_the_death_of_its_process(tmp_path: Path) -> None:
    """The file can be read as it is left, and the next start stores it with its call."""
    own = tmp_path / "own"
    own.mkdir()
    folder = write_templates(own, {"default": bot(recording={"own": True})})
    variables = {"EXOBRIDGE_TEMPLATES_DIR": str(folder), "EXOBRIDGE_API_KEY": KEY}
    spool = tmp_path / "data" / "own-recordings"

    def grows() -> bool:
        return any(path.stat().st_size > 30_000 for path in spool.glob("*.wav"))

    async with server(tmp_path, **variables) as serving, Exotel() as exotel:
        plan = CallPlan(
            url=serving.url, script=(Say(LINE), Wait(30_000)), patience=QUICK, call_sid="killed"
        )
        calling = asyncio.create_task(exotel.call(plan))
        await until(grows)
        serving.process.kill()
        await calling
    (left,) = spool.glob("*.wav")
    spoken = [parts(channel) for channel in read_wav(left).channels]
    assert len(spoken[0]) == 1
    assert len(spoken[1]) >= 1

    async with server(tmp_path, **variables) as serving, http_client(serving.url) as client:
        url, headers = "/api/v1/calls/killed/recording", {"authorization": f"Bearer {KEY}"}

        async def is_stored() -> bool:
            return (await client.get(url, headers=headers)).status_code == 200

        await until(is_stored)
        wav = parse_wav((await client.get(url, headers=headers)).content)
        assert [parts(channel) for channel in wav.channels] == spoken
        told = (await client.get("/api/v1/calls/killed", headers=headers)).json()
    assert told["outcome"] == "lost"
    assert [event["kind"] for event in told["events"]][-1] == "recording"
    assert list(spool.iterdir()) == []
