"""English as it is spoken in India: thousand, lakh, crore; the day before the month."""

from __future__ import annotations

from exobridge.ear.language import Clock, Currency, Language, Noun

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10_000_000, "crore"), (100_000, "lakh"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_PARTS = {2: Noun("half", "halves"), 3: Noun("third", "thirds"), 4: Noun("quarter", "quarters")}


def number_words(number: int) -> str:
    """A whole number, 0 or more: 120500 is "one lakh twenty thousand five hundred"."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{_TENS[tens]} {_SMALL[ones]}" if ones else _TENS[tens]
    scale, word = next(each for each in _SCALES if number >= each[0])
    count, rest = divmod(number, scale)
    words = f"{number_words(count)} {word}"
    return f"{words} {number_words(rest)}" if rest else words


def _letters(letters: str) -> str:
    """With stops, as initials are written: AB is a word to a voice, and a lone A the article."""
    return (
        letters if len(letters) == 1 and letters != "A" else "".join(f"{each}." for each in letters)
    )


def _ordinal(number: int) -> str:
    before, space, last = number_words(number).rpartition(" ")
    word = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{before}{space}{word}"


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if century % 10 == 0 and rest < 10:
        return number_words(year)
    if rest == 0:
        return f"{number_words(century)} hundred"
    return f"{number_words(century)} {_minutes(rest)}"


def _decade(year: int) -> str:
    words = _year(year)
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _minutes(number: int) -> str:
    return f"oh {_SMALL[number]}" if number < 10 else number_words(number)


def _clock(time: Clock) -> str:
    half = time.half
    if not half and (time.hour == 0 or time.hour > 12):
        half = "AM" if time.hour == 0 else "PM"
    words = number_words(time.hour % 12 or 12)
    if time.minute:
        words = f"{words} {_minutes(time.minute)}"
    elif not half:
        words = f"{words} o'clock"
    return f"{words} {_letters(half)}" if half else words


def _fraction(part: int, whole: int) -> str:
    if not (whole in _PARTS and 0 < part < whole):
        return f"{number_words(part)} by {number_words(whole)}"
    if whole == 2:
        return "half"
    return f"{number_words(part)} {_PARTS[whole][part > 1]}"


def _mixed(count: int, part: int, whole: int) -> str:
    spoken = _fraction(part, whole)
    if part == 1 and whole in _PARTS:
        spoken = f"a {_PARTS[whole].one}"
    return f"{number_words(count)} and {spoken}"


def _scaled(number: str, scale: str) -> str:
    return f"{ENGLISH.number(number)} {scale}"


def _out_of(score: str, highest: str) -> str:
    return f"{ENGLISH.number(score)} out of {ENGLISH.number(highest)}"


def _dollar(one: str, many: str) -> Currency:
    return Currency(Noun(one, many), Noun("cent", "cents"))


ENGLISH = Language(
    stop=".",
    digits=_SMALL[:10],
    letters=_letters,
    cardinal=number_words,
    ordinal=_ordinal,
    day=_ordinal,
    year=_year,
    decade=_decade,
    clock=_clock,
    fraction=_fraction,
    mixed=_mixed,
    scaled=_scaled,
    out_of=_out_of,
    point="point",
    joined="and",
    to="to",
    by="by",
    per="per",
    each={},
    always="twenty four seven",
    seconds="and {} seconds",
    signs={
        "#": "number",
        "%": "percent",
        "&": "and",
        "+": "plus",
        "-": "minus",
        ".": "dot",
        "/": "or",
        ":": "to",
        "<": "less than",
        "=": "equals",
        ">": "more than",
        "@": "at",
        "^": "to the power",
        "_": "underscore",
        "x": "by",
        "~": "about",
        "°": "degrees",
        "±": "plus or minus",
        "×": "times",
        "÷": "divided by",
        "→": "to",
        "≤": "at most",
        "≥": "at least",
        "a/c": "account",
        "hyphen": "hyphen",
    },
    months=(
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December"),
    ),
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    scales={name: name for name in ("hundred", "thousand", "lakh", "crore", "million", "billion")},
    currencies={
        "INR": Currency(Noun("rupee", "rupees"), Noun("paisa", "paise")),
        "USD": _dollar("dollar", "dollars"),
        "EUR": _dollar("euro", "euros"),
        "GBP": Currency(Noun("pound", "pounds"), Noun("penny", "pence")),
        "AED": Currency(Noun("dirham", "dirhams"), Noun("fils", "fils")),
    },
    units={
        "%": Noun("percent", "percent"),
        "°": Noun("degree", "degrees"),
        "°C": Noun("degree Celsius", "degrees Celsius"),
        "°F": Noun("degree Fahrenheit", "degrees Fahrenheit"),
        "kg": Noun("kilogram", "kilograms"),
        "g": Noun("gram", "grams"),
        "mg": Noun("milligram", "milligrams"),
        "km": Noun("kilometre", "kilometres"),
        "m": Noun("metre", "metres"),
        "cm": Noun("centimetre", "centimetres"),
        "mm": Noun("millimetre", "millimetres"),
        "ft": Noun("foot", "feet"),
        "sq ft": Noun("square foot", "square feet"),
        "l": Noun("litre", "litres"),
        "ml": Noun("millilitre", "millilitres"),
        "km/h": Noun("kilometre per hour", "kilometres per hour"),
        "hr": Noun("hour", "hours"),
        "in": Noun("inch", "inches"),
        "yr": Noun("year", "years"),
        "min": Noun("minute", "minutes"),
        "sec": Noun("second", "seconds"),
        "KB": Noun("K B", "K B"),
        "MB": Noun("M B", "M B"),
        "GB": Noun("G B", "G B"),
        "TB": Noun("T B", "T B"),
        "Mbps": Noun("M B P S", "M B P S"),
        "Gbps": Noun("G B P S", "G B P S"),
        "kbps": Noun("K B P S", "K B P S"),
        "kW": Noun("kilowatt", "kilowatts"),
        "kWh": Noun("kilowatt hour", "kilowatt hours"),
    },
)
"""The rules of English."""
