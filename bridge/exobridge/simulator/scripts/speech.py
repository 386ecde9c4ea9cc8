"""The voices and ears that scripts ask for, each started once, however many calls it is for."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from exobridge.simulator.lines import Clip
from exobridge.simulator.scripts.model import Script, SpeechTable
from exobridge.simulator.speech import Ears, SpeechError, Voice
from exobridge_codecs.wav import read_wav


class Speech:
    """Speech for scripts. Use it with ``async with``.

    Args:
        transcribe: ``False``: the bot's words are not written down.
    """

    def __init__(self, *, transcribe: bool = True) -> None:
        self._transcribe = transcribe
        self._stack = AsyncExitStack()
        self._voices: dict[tuple[str, str], Voice] = {}
        self._ears: dict[tuple[str, str], Ears] = {}
        self._starting = asyncio.Lock()  # calls that begin together start one of each
        self._clips: dict[tuple[str, str, str], Clip] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def ears(self, script: Script) -> tuple[Ears | None, str]:
        """Who understands the bot; or ``None``, and why nobody does.

        Raises:
            SpeechError: Nobody does, and the script needs it.
        """
        try:
            if not self._transcribe:
                raise SpeechError("it was not asked for (--no-transcribe)")
            return await self._started_ears(script.speech), ""
        except SpeechError as error:
            if script.needs_ears:
                keys = "says, not_says and after_words need"
                raise SpeechError(f"{keys} what the bot says written down: {error}") from error
            return None, f"what the bot said was not written down: {error}"

    async def _started_ears(self, table: SpeechTable) -> Ears:
        key = (table.ears, table.language)
        async with self._starting:
            if key not in self._ears:
                self._ears[key] = await self._stack.enter_async_context(Ears(*key))
        return self._ears[key]

    async def clips(self, script: Script, folder: Path) -> dict[int, Clip]:
        """What the steps of a script say and play, by the steps' places.

        Args:
            script: The script.
            folder: Where its recordings are.

        Raises:
            SpeechError: There is no such voice here, or it failed.
            WavError: A recording is none.
            OSError: It cannot be read.
        """
        clips: dict[int, Clip] = {}
        for index, step in enumerate(script.step):
            if step.play is not None:
                wav = read_wav(folder / step.play)
                clips[index] = Clip(wav.mono(), wav.sample_rate, Path(step.play).name)
            elif step.say is not None:
                clips[index] = await self._spoken(script.speech, step.say)
        return clips

    async def _spoken(self, table: SpeechTable, text: str) -> Clip:
        voice_key = (table.voice, table.language)
        key = (*voice_key, text)
        async with self._starting:
            if voice_key not in self._voices:
                voice = await self._stack.enter_async_context(Voice(*voice_key))
                self._voices[voice_key] = voice
            if key not in self._clips:
                self._clips[key] = await self._voices[voice_key].clip(text)
        return self._clips[key]
