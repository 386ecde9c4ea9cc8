"""Hindi, in Devanagari. Each number up to 99 has a name of its own."""

from __future__ import annotations

import re

from exobridge.ear.language import Clock, Currency, Language, Noun

_UP_TO_99 = """
    शून्य एक दो तीन चार पाँच छह सात आठ नौ
    दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस
    बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस
    तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस
    चालीस इकतालीस बयालीस तैंतालीस चवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास
    पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ
    साठ इकसठ बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर
    सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर अठहत्तर उनासी
    अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी
    नब्बे इक्यानवे बानवे तिरानवे चौरानवे पचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे
"""
_NAMES = tuple(_UP_TO_99.split())
_SCALES = ((10_000_000, "करोड़"), (100_000, "लाख"), (1000, "हज़ार"), (100, "सौ"))
_ORDINALS = {1: "पहला", 2: "दूसरा", 3: "तीसरा", 4: "चौथा", 6: "छठा"}
_ALPHABET = """
    ए बी सी डी ई एफ़ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई ज़ेड
"""
_LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _ALPHABET.split(), strict=True))
_PART_OF_DAY = re.compile(r"(?:सुबह|सवेरे|दोपहर|शाम|रात)(?:\s(?:के|को))?\s*$")


def number_words(number: int) -> str:
    """A whole number, 0 or more: 120500 is "एक लाख बीस हज़ार पाँच सौ"."""
    if number < 100:
        return _NAMES[number]
    scale, word = next(each for each in _SCALES if number >= each[0])
    count, rest = divmod(number, scale)
    words = f"{number_words(count)} {word}"
    return f"{words} {number_words(rest)}" if rest else words


def _letters(letters: str) -> str:
    return " ".join(_LETTERS[letter] for letter in letters)


def _ordinal(number: int) -> str:
    return _ORDINALS.get(number) or f"{number_words(number)}वाँ"


def _year(year: int) -> str:
    """1998 is nineteen hundred and ninety-eight; from 2000 on, a number like any other."""
    century, rest = divmod(year, 100)
    if century % 10 == 0:
        return number_words(year)
    words = f"{number_words(century)} सौ"
    return f"{words} {number_words(rest)}" if rest else words


def _decade(year: int) -> str:
    return f"{_year(year)} का दशक"


def _clock(time: Clock) -> str:
    hour = time.hour
    if time.half:
        hour = hour % 12 + (12 if time.half == "PM" else 0)
    words = f"{number_words(hour % 12 or 12)} बजे"
    if time.minute:
        words = f"{number_words(hour % 12 or 12)} बजकर {number_words(time.minute)} मिनट"
    known = time.half or hour == 0 or hour > 12
    if not known or _PART_OF_DAY.search(time.before):
        return words
    return f"{_part_of_day(hour)} {words}"


def _part_of_day(hour: int) -> str:
    if 4 <= hour < 12:
        return "सुबह"
    if 12 <= hour < 16:
        return "दोपहर"
    return "शाम" if 16 <= hour < 20 else "रात"


def _fraction(part: int, whole: int) -> str:
    if (part, whole) == (1, 2):
        return "आधा"
    if whole in (3, 4) and 0 < part < whole and (part, whole) != (2, 4):
        return f"{number_words(part)} {'तिहाई' if whole == 3 else 'चौथाई'}"
    return f"{number_words(part)} बटा {number_words(whole)}"


def _mixed(count: int, part: int, whole: int) -> str:
    match (part, whole):
        case (1, 2):
            return {1: "डेढ़", 2: "ढाई"}.get(count) or f"साढ़े {number_words(count)}"
        case (1, 4):
            return "सवा" if count == 1 else f"सवा {number_words(count)}"
        case (3, 4):
            return f"पौने {number_words(count + 1)}"
        case _:
            return f"{number_words(count)} सही {_fraction(part, whole)}"


def _scaled(number: str, scale: str) -> str:
    """Two and a half lakh has a word; a decimal point would be stilted."""
    whole, _, decimals = number.partition(".")
    if decimals == "5" and len(whole) <= 3 and int(whole):
        return f"{_mixed(int(whole), 1, 2)} {scale}"
    return f"{HINDI.number(number)} {scale}"


def _out_of(score: str, highest: str) -> str:
    return f"{HINDI.number(highest)} में से {HINDI.number(score)}"


def _same(word: str) -> Noun:
    return Noun(word, word)


HINDI = Language(
    stop="।",
    digits=_NAMES[:10],
    letters=_letters,
    cardinal=number_words,
    ordinal=_ordinal,
    day=number_words,
    year=_year,
    decade=_decade,
    clock=_clock,
    fraction=_fraction,
    mixed=_mixed,
    scaled=_scaled,
    out_of=_out_of,
    point="दशमलव",
    joined="और",
    to="से",
    by="बटा",
    per="प्रति",
    each={
        "month": "माह",
        "day": "दिन",
        "week": "सप्ताह",
        "year": "वर्ष",
        "night": "रात",
        "hour": "घंटा",
        "minute": "मिनट",
        "second": "सेकंड",
        "person": "व्यक्ति",
        "head": "व्यक्ति",
        "seat": "सीट",
        "piece": "नग",
        "unit": "यूनिट",
        "call": "कॉल",
    },
    always="चौबीसों घंटे सातों दिन",
    seconds="{} सेकंड",
    signs={
        "#": "नंबर",
        "%": "प्रतिशत",
        "&": "और",
        "+": "प्लस",
        "-": "माइनस",
        ".": "डॉट",
        "/": "या",
        ":": "अनुपात",
        "<": "से कम",
        "=": "बराबर",
        ">": "से ज़्यादा",
        "@": "एट",
        "^": "की घात",
        "_": "अंडरस्कोर",
        "x": "बाई",
        "~": "लगभग",
        "°": "डिग्री",
        "±": "प्लस या माइनस",
        "×": "गुणा",
        "÷": "भाग",
        "→": "से",
        "≤": "ज़्यादा से ज़्यादा",
        "≥": "कम से कम",
        "a/c": "खाता",
        "hyphen": "हाइफ़न",
    },
    months=(
        *("जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त"),
        *("सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"),
    ),
    weekdays=("सोमवार", "मंगलवार", "बुधवार", "गुरुवार", "शुक्रवार", "शनिवार", "रविवार"),
    scales={
        "hundred": "सौ",
        "thousand": "हज़ार",
        "lakh": "लाख",
        "crore": "करोड़",
        "million": "मिलियन",
        "billion": "बिलियन",
    },
    currencies={
        "INR": Currency(Noun("रुपया", "रुपये"), Noun("पैसा", "पैसे")),
        "USD": Currency(_same("डॉलर"), _same("सेंट")),
        "EUR": Currency(_same("यूरो"), _same("सेंट")),
        "GBP": Currency(_same("पाउंड"), _same("पेंस")),
        "AED": Currency(_same("दिरहम"), _same("फ़िल्स")),
    },
    units={
        "%": _same("प्रतिशत"),
        "°": _same("डिग्री"),
        "°C": _same("डिग्री सेल्सियस"),
        "°F": _same("डिग्री फ़ारेनहाइट"),
        "kg": _same("किलोग्राम"),
        "g": _same("ग्राम"),
        "mg": _same("मिलीग्राम"),
        "km": _same("किलोमीटर"),
        "m": _same("मीटर"),
        "cm": _same("सेंटीमीटर"),
        "mm": _same("मिलीमीटर"),
        "ft": _same("फ़ुट"),
        "sq ft": _same("वर्ग फ़ुट"),
        "l": _same("लीटर"),
        "ml": _same("मिलीलीटर"),
        "km/h": _same("किलोमीटर प्रति घंटा"),
        "hr": Noun("घंटा", "घंटे"),
        "in": _same("इंच"),
        "yr": _same("साल"),
        "min": _same("मिनट"),
        "sec": _same("सेकंड"),
        "KB": _same("केबी"),
        "MB": _same("एमबी"),
        "GB": _same("जीबी"),
        "TB": _same("टीबी"),
        "Mbps": _same("एमबीपीएस"),
        "Gbps": _same("जीबीपीएस"),
        "kbps": _same("केबीपीएस"),
        "kW": _same("किलोवाट"),
        "kWh": _same("किलोवाट घंटे"),
    },
)
"""The rules of Hindi."""
