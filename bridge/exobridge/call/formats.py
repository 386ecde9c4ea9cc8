"""Which of a provider's audio formats suits a line best. Pure."""

from __future__ import annotations

from exobridge_codecs.formats import AudioFormat, Encoding


def choose_format(offered: tuple[AudioFormat, ...], line: AudioFormat) -> AudioFormat:
    """What to send a provider, or to have made by it: the line's own format, else PCM16 at its
    rate, else the lowest rate above it, else the highest there is; the provider's order decides
    between equals."""

    def cost(offer: AudioFormat) -> tuple[bool, bool, int, bool]:
        below = offer.sample_rate < line.sample_rate
        return (
            offer != line,
            below,
            -offer.sample_rate if below else offer.sample_rate,
            offer.encoding is not Encoding.PCM16,
        )

    return min(offered, key=cost)
