"""Callers who say that they listen."""

from __future__ import annotations

from tests.conversations.acts import After, Into, Meaning, Speak, murmur
from tests.conversations.catalogue.interruptions import QUESTION
from tests.conversations.scenario import Group, Scenario, grouped

LISTS = {
    "hindi": ("hi-IN", ("haan", "ji", "accha", "theek hai", "hmm", "haan ji", "sahi")),
    "devanagari": ("hi-IN", ("हाँ", "जी", "अच्छा", "ठीक है", "हम्म", "सही")),
    "bengali": ("bn-IN", ("হ্যাঁ", "আচ্ছা", "ঠিক আছে", "haan", "accha")),
    "marathi": ("mr-IN", ("हो", "बरं", "ठीक आहे", "ho", "bara")),
    "tamil": ("ta-IN", ("ஆமா", "சரி", "aama", "sari")),
    "telugu": ("te-IN", ("అవును", "సరే", "avunu", "sare")),
    "gujarati": ("gu-IN", ("હા", "બરાબર", "સારું", "haa")),
    "kannada": ("kn-IN", ("ಹೌದು", "ಸರಿ", "haudu", "sari")),
    "malayalam": ("ml-IN", ("അതെ", "ശരി", "athe", "sheri")),
    "punjabi": ("pa-IN", ("ਹਾਂ", "ਜੀ", "ਅੱਛਾ", "haanji")),
    "odia": ("or-IN", ("ହଁ", "ଠିକ ଅଛି", "han")),
}
ENGLISH = ("yeah", "okay", "uh huh", "right", "i see", "mm hmm", "yes", "go on", "got it")

NO_LIST = {
    "english": ("en-IN", ("righto", "okiedokie", "indeedy", "mhmkay", "splendid", "fab")),
    "hindi": ("hi-IN", ("shabash", "zabardast", "mast", "हुकुम", "शाबाश", "khoob")),
}
"""What people do say, and the languages' data do not have: words alone, as two that nobody knows
are words like any other."""


def _murmurs(name: str, says: str, *acts: Speak, language: str = "en-IN") -> Scenario:
    return Scenario(f"backchannel-{name}", says, (QUESTION, *acts), language=language, turns=1)


def _in_language(name: str) -> Scenario:
    language, said = LISTS[name]
    return _murmurs(name, name.capitalize(), murmur(*said, cue=Into(1500)), language=language)


def _in_no_list(name: str) -> Scenario:
    language, said = NO_LIST[name]
    acts = (QUESTION, Speak(said, Into(1500), Meaning.UNKNOWN))
    return Scenario(f"unknown-{name}", name.capitalize(), acts, language=language, turns=2)


SCENARIOS = grouped(
    Group.BACKCHANNELS,
    _murmurs("english", "English", murmur(*ENGLISH, cue=Into(1500))),
    *map(_in_language, LISTS),
    _murmurs("early", "as the answer begins", murmur(*ENGLISH, cue=Into(200))),
    _murmurs(
        "repeated",
        "several in one breath",
        murmur("haan haan haan", "ji ji accha", "haan theek hai", cue=Into(1500)),
        language="hi-IN",
    ),
    _murmurs(
        "drawn-out",
        "long vowels",
        murmur("hmmmmmmm", "haaaaaan", "accchaaaa", cue=Into(1500)),
        language="hi-IN",
    ),
    _murmurs(
        "often",
        "three times in one answer",
        murmur("haan", "hmm", "ji", cue=Into(700)),
        murmur("accha", "theek hai", cue=After(1200)),
        murmur("haan", "ji haan", cue=After(1200)),
        language="hi-IN",
    ),
) + grouped(Group.UNKNOWN, *map(_in_no_list, NO_LIST))
