"""What of a wait was exobridge's own, and what its vendors': the arithmetic of a demonstration.

Pure. Times are seconds of one clock, durations milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from exobridge.call.turns.end_of_turn import PAUSE_MS
from exobridge_providers.testing.fake_http import Received
from exobridge_providers.testing.fake_vendor import Passed


@dataclass(frozen=True, slots=True)
class Delays:
    """How long each vendor took in one turn, as the vendors themselves measured it.

    Attributes:
        stt: From the request for the final text to that text.
        token: From the question to the first word of the answer.
        words: From there to the last word of what was spoken first.
        tts: From text to the first audio.
    """

    stt: float
    token: float
    words: float
    tts: float


@dataclass(frozen=True, slots=True)
class Share:
    """Where the time from the caller's last word to the bot's first went in one turn.

    Attributes:
        total: Voice to voice, at the caller's ear.
        silence: What of it the turn's end took that no vendor did: nobody asks for the text before
            the caller has paused, and no turn is over before the silence is long enough.
    """

    total: float
    silence: float
    delays: Delays

    @property
    def own(self) -> float:
        """What is left: what an exobridge that takes no time at all would not have needed."""
        delays = self.delays
        return self.total - self.silence - delays.stt - delays.token - delays.words - delays.tts


def share(total: float, end_silence_ms: float, delays: Delays) -> Share:
    """Of a turn that ends after so much silence."""
    return Share(total, max(PAUSE_MS, end_silence_ms - delays.stt), delays)


def delays(
    stt: Sequence[Passed],
    finalize: str,
    chat: Received,
    pieces: Sequence[str],
    first_line: str,
    tts: Sequence[Passed],
) -> Delays:
    """Those of one turn.

    Args:
        stt: What passed at speech-to-text in the call.
        finalize: What stands in a request for the final text.
        chat: The question to the dialogue, which was answered in these pieces.
        first_line: What was spoken first of them.
        tts: What passed at text-to-speech in the call.

    Raises:
        ValueError: Something is missing.
    """
    asked = [each.at for each in stt if _is_request(each, finalize) and each.at <= chat.came_at]
    told = [each.at for each in stt if each.sent and each.at <= chat.came_at]
    token_at = chat.parts_at[0]
    whole_at = chat.parts_at[_last_piece(pieces, first_line)]
    text_at = min((each.at for each in tts if not each.sent and each.at >= token_at), default=0.0)
    audio_at = min((each.at for each in tts if each.sent and each.at >= text_at), default=0.0)
    if not (asked and told and text_at and audio_at):
        raise ValueError("a vendor was not asked in this turn")
    return Delays(
        stt=(told[-1] - asked[-1]) * 1000,
        token=(token_at - chat.came_at) * 1000,
        words=(whole_at - token_at) * 1000,
        tts=(audio_at - text_at) * 1000,
    )


def _is_request(passed: Passed, finalize: str) -> bool:
    return not passed.sent and isinstance(passed.message, str) and finalize in passed.message


def _last_piece(pieces: Sequence[str], line: str) -> int:
    """The number of the piece that a line ends in."""
    length = 0
    for number, piece in enumerate(pieces):
        length += len(piece)
        if length >= len(line):
            return number
    return len(pieces) - 1


def percentile(values: Sequence[float], part: float) -> float:
    """The least of the values that ``part`` (0 to 1) of them are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
