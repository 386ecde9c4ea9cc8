"""A spoken sentence in each language that one can be made in on this machine."""

from __future__ import annotations

from pathlib import Path

from exobridge.simulator.lines import Clip
from exobridge.simulator.speech import VOICE, SpeechError, Voice
from exobridge_codecs.pcm import trim_silence
from exobridge_codecs.wav import WavError, read_wav

SENTENCES = {
    "as": "নমস্কাৰ, মই মোৰ একাউণ্টৰ বেলেন্স জানিব বিচাৰোঁ।",
    "bn": "নমস্কার, আমি আমার অ্যাকাউন্টের ব্যালেন্স জানতে চাই।",
    "en": "Hello, I would like to know the balance of my account, please.",
    "gu": "નમસ્તે, મારે મારા ખાતાનું બેલેન્સ જાણવું છે.",
    "hi": "नमस्ते, मुझे अपने खाते का बैलेंस जानना है।",
    "kn": "ನಮಸ್ಕಾರ, ನನ್ನ ಖಾತೆಯ ಬ್ಯಾಲೆನ್ಸ್ ತಿಳಿದುಕೊಳ್ಳಬೇಕು.",
    "ml": "നമസ്കാരം, എന്റെ അക്കൗണ്ടിലെ ബാലൻസ് അറിയണം.",
    "mr": "नमस्कार, मला माझ्या खात्यातील शिल्लक जाणून घ्यायची आहे.",
    "ne": "नमस्ते, मलाई मेरो खाताको मौज्दात थाहा पाउनु छ।",
    "or": "ନମସ୍କାର, ମୁଁ ମୋ ଖାତାର ବାଲାନ୍ସ ଜାଣିବାକୁ ଚାହୁଁଛି।",
    "pa": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ, ਮੈਂ ਆਪਣੇ ਖਾਤੇ ਦਾ ਬੈਲੇਂਸ ਜਾਣਨਾ ਚਾਹੁੰਦਾ ਹਾਂ।",
    "ta": "வணக்கம், என் கணக்கின் இருப்பை அறிய விரும்புகிறேன்.",
    "te": "నమస్కారం, నా ఖాతాలో బ్యాలెన్స్ తెలుసుకోవాలి.",
}
"""By language. espeak speaks all of them."""

_SILENCE_DBFS = -45


def sentence(language: str) -> str:
    """The sentence of a BCP-47 tag.

    Raises:
        SpeechError: There is none.
    """
    found = SENTENCES.get(language.lower().partition("-")[0])
    if found is None:
        raise SpeechError(f"there is no sentence in {language} here; give one with --text")
    return found


async def made(text: str, language: str) -> tuple[Clip, str]:
    """The text spoken by a voice of this machine, and the name of that voice.

    Raises:
        SpeechError: No voice of this machine speaks the language.
    """
    english = language.lower().partition("-")[0] == "en"
    reasons: list[str] = []
    for name in (VOICE, "espeak") if english else ("espeak",):
        try:
            async with Voice(name, language) as voice:
                return trimmed(await voice.clip(text)), name
        except SpeechError as error:
            reasons.append(str(error))
    raise SpeechError(
        f"no sentence can be spoken here: {'; '.join(reasons)}. "
        "Give a recording with --audio and what is said in it with --text"
    )


def recorded(path: Path, text: str) -> Clip:
    """A WAV file as a sentence.

    Raises:
        SpeechError: It cannot be read.
    """
    try:
        wav = read_wav(path)
    except (OSError, WavError) as error:
        raise SpeechError(f"{path} cannot be read: {error}") from None
    return trimmed(Clip(wav.mono(), wav.sample_rate, text))


def trimmed(clip: Clip) -> Clip:
    """The clip without silence around it: its end is the end of the speech."""
    pcm = trim_silence(
        clip.pcm, clip.sample_rate, lead_ms=20, tail_ms=0, threshold_dbfs=_SILENCE_DBFS
    )
    return Clip(pcm, clip.sample_rate, clip.text)
