"""A transfer's whisper over real sockets: as text, as audio, and late."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from exobridge.call.events import Role, Turn
from exobridge.transfer.whispers import Whispers
from exobridge.web.whisper import GOOD_FOR, WhisperTokens
from exobridge_codecs.wav import parse_wav
from tests.database import held
from tests.server import bot, serving, until
from tests.web.dialling import (
    ASHA,
    AUDIBLE,
    MEENA,
    RAVI,
    SECRET,
    ask,
    dialling,
    hand_over,
    handed_over,
    numbers,
    transfer,
)


async def test_a_text_is_whispered(tmp_path: Path) -> None:
    """The dialogue's summary, as the template puts it; each key has its place."""
    own = transfer(whisper="text", whisper_text="Call from {caller}. {summary}", playback_to="both")
    async with dialling(tmp_path, own) as (server, http):
        await hand_over(server, summary="Wants\na refund.")
        assert (await ask(http))["start_call_playback"] == {
            "playback_to": "both",
            "type": "text",
            "value": "Call from 9 8 1 1 1 0 0 0 0 0. Wants a refund.",
        }


async def test_without_a_summary_the_callers_words_are_whispered(tmp_path: Path) -> None:
    """Without any, nothing is."""
    async with dialling(tmp_path, transfer(whisper="text")) as (server, http):
        await hand_over(server)
        await hand_over(server, "mute")
        for number, words in enumerate(("I was billed twice", "In October."), start=1):
            server.bridge.store.add_turn_soon(
                Turn("c", "s1", number, Role.CALLER, words, number * 1000, number * 1000 + 500)
            )
        await server.bridge.store.flush()
        playback = (await ask(http))["start_call_playback"]
        assert playback["value"] == "I was billed twice. In October."
        assert "start_call_playback" not in await ask(http, "mute")


async def test_audio_is_whispered_by_a_url_of_its_own(tmp_path: Path) -> None:
    """A WAV as Exotel wants it, without the secret; the same for a repeated question, another for
    another call; by another name there is none."""
    own = transfer(whisper="audio")
    async with dialling(tmp_path, own, EXOBRIDGE_SECRET=SECRET) as (server, http):
        urls: list[str] = []
        for call_sid in ("c", "c", "d"):
            await hand_over(server, call_sid, summary="Wants a refund.", ago=3)
            answer = await http.get(f"/exotel/dial-up/{SECRET}/json?CallSid={call_sid}")
            playback = answer.json()["start_call_playback"]
            assert (playback["playback_to"], playback["type"]) == ("callee", "audio_url")
            urls.append(playback["value"])
        assert urls[0] == urls[1] != urls[2]
        url = urlsplit(urls[0])
        assert urls[0].startswith(f"{server.url}/exotel/whisper/")
        assert url.path.endswith(".wav")
        assert SECRET not in urls[0]
        answer = await http.get(url.path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
        wav = parse_wav(answer.content)
        assert (wav.sample_rate, len(wav.channels)) == (8000, 1)
        assert wav.duration_ms == len("Wants a refund.") * 20
        assert (await http.head(url.path)).status_code == 200
        # Another letter within the signature: of its last one not all bits are read.
        name = url.path.split("/")[-1]
        forged = f"{name[:-10]}{'y' if name[-10] == 'x' else 'x'}{name[-9:]}"
        for wrong in ("x.wav", forged, "%ff.wav", "%20.wav"):
            assert (await http.get(f"/exotel/whisper/{wrong}")).status_code == 404, wrong


async def test_a_whisper_is_rendered_before_it_is_asked_for(tmp_path: Path) -> None:
    """As soon as the bot hands the caller over, where the template wants audio."""
    async with dialling(tmp_path, {"default": bot(transfer=AUDIBLE)}) as (server, _):
        prompts, recorder = server.bridge.services.prompts, server.bridge.services.recorder
        rendered = prompts.wanted["rendered"]
        for call_sid in ("c", "d"):
            *before, request, _ = handed_over(call_sid, summary=f"Summary of {call_sid}.")
            for event in before:
                await server.bridge.store.append(event)
            await recorder.append(request)
        template = server.bridge.templates["default"]
        for call_sid in ("c", "d"):
            said = f"Summary of {call_sid}."
            await until(lambda said=said: prompts.ready(template, said, 8000) is not None)
        assert prompts.wanted["rendered"] == rendered + 2


async def test_a_whisper_expires(tmp_path: Path) -> None:
    """The audio speaks of a caller, and is not for later."""
    async with dialling(tmp_path, transfer(whisper="audio", expires_seconds=900)) as (server, http):
        request = await hand_over(server, summary="Wants a refund.", ago=800)
        url = urlsplit(str((await ask(http))["start_call_playback"]["value"]))
        assert (await http.get(url.path)).status_code == 200
        tokens = WhisperTokens(None, lambda: request.at + GOOD_FOR)
        assert tokens.read(tokens.mint("c", request.key, request.at)) is None
        before = WhisperTokens(None, lambda: request.at + GOOD_FOR - timedelta(seconds=1))
        assert before.read(before.mint("c", request.key, request.at)) == ("c", request.key)


async def test_a_whisper_that_cannot_be_made_costs_no_transfer(tmp_path: Path) -> None:
    """The call is dialled without it."""
    own = {"default": bot(transfer=AUDIBLE, tts={"options": {"fault": "open"}})}
    async with dialling(tmp_path, own) as (server, http):
        await hand_over(server, summary="Wants a refund.")
        answer = await ask(http)
        assert numbers(answer) == [ASHA, RAVI, MEENA]
        assert "start_call_playback" not in answer


async def test_a_database_that_hangs_makes_a_whisper_silent(tmp_path: Path) -> None:
    """Whoever is called hears nothing, in place of not being called."""
    async with serving(tmp_path, {"default": bot(transfer=AUDIBLE)}) as server:
        request = await hand_over(server, summary="Wants a refund.")
        whispers = Whispers(
            store=server.bridge.store,
            prompts=server.bridge.services.prompts,
            templates=server.bridge.templates.get,
            hurry_seconds=0.1,
            store_seconds=0.1,
        )
        async with held(tmp_path / "data" / "exobridge.sqlite3"):
            wav = parse_wav(await whispers.wav("c", request.key))
        assert not any(wav.mono())
        assert server.log("call not looked up", error="no answer in time")
        await whispers.aclose()


async def test_a_whisper_that_is_late_is_silence(tmp_path: Path) -> None:
    """Where a URL does not answer 200, Exotel would not dial."""
    own = {"default": bot(transfer=AUDIBLE, tts={"options": {"fault": "hang"}})}
    async with serving(tmp_path, own, preloaded=False) as server:
        request = await hand_over(server, summary="Wants a refund.")
        whispers = Whispers(
            store=server.bridge.store,
            prompts=server.bridge.services.prompts,
            templates=server.bridge.templates.get,
            hurry_seconds=0.1,
            store_seconds=20.0,
            render_seconds=0.1,
        )
        assert await whispers.is_audible(server.bridge.templates["default"], "Wants a refund.")
        wav = parse_wav(await whispers.wav("c", request.key))
        assert (wav.sample_rate, wav.duration_ms) == (8000, 500)
        assert not any(wav.mono())
        assert server.log("whisper not rendered", call_sid="c")
        await whispers.aclose()
