"""The files, and what is refused in them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from exobridge.errors import ConfigError
from exobridge.numbers import NumberBook
from exobridge.settings import Settings
from exobridge.templates import (
    Template,
    load_templates,
    provider_uses,
)
from exobridge.templates.provider_table import Choice
from exobridge_providers import denoise
from exobridge_providers.registry import Kind
from tests.templates.reading import load, refused


def test_the_shipped_templates_are_always_there() -> None:
    """Without a directory there is a reception and a shop to try."""
    templates = load_templates(None, Settings())
    assert set(templates) == {"default", "demo"}


def test_a_file_of_the_same_name_replaces_a_shipped_template(tmp_path: Path) -> None:
    """The own default.toml counts; what is no template is left alone."""
    (tmp_path / "default.toml").write_text('greeting = "Mine."\n[dialogue]\nprovider = "echo"')
    (tmp_path / "README.md").write_text("not a template")
    (tmp_path / ".hidden.toml").write_text("not = a template")
    templates = load_templates(tmp_path, Settings())
    assert set(templates) == {"default", "demo"}
    assert templates["default"].greeting == "Mine."


def test_the_models_defaults_are_a_complete_template(tmp_path: Path) -> None:
    """A file may say next to nothing: everything else has its default."""
    template = load(tmp_path, '[dialogue]\nprovider = "echo"')
    assert template.greeting == Template().greeting
    assert template.turns == Template().turns
    assert template.hours is None


def test_where_a_template_names_no_provider_the_settings_do(tmp_path: Path) -> None:
    """The variables are the house's choice, the file is the number's."""
    settings = Settings(
        dialogue_provider="echo", vad_provider="none", exotel_template_applet_app_id="77"
    )
    template = load(tmp_path, "", settings)
    assert (template.dialogue.provider, template.vad.provider) == ("echo", "none")
    assert template.telephony_config.applet_app_id == "77"
    own = '[vad]\nprovider = "silero"\n[telephony_config]\napplet_app_id = "88"'
    template = load(tmp_path, own, settings)
    assert template.vad.provider == "silero"
    assert template.telephony_config.applet_app_id == "88"


def test_the_shipped_reception_gives_way_to_another_dialogue_provider() -> None:
    """DIALOGUE_PROVIDER works without writing a template; the demo stays the demo."""
    templates = load_templates(None, Settings(dialogue_provider="echo", vad_provider="none"))
    assert [(use.kind, use.name) for use in provider_uses(templates["default"])] == [
        (Kind.REALTIME, "echo")
    ]
    assert templates["demo"].dialogue.provider == "scripted"


def test_a_call_needs_the_providers_of_its_template(tmp_path: Path) -> None:
    """A scripted call needs all four stages, each with its own options."""
    template = load_templates(None, Settings())["default"]
    assert {use.kind: use.name for use in provider_uses(template)} == {
        Kind.DIALOGUE: "scripted",
        Kind.VAD: "silero",
        Kind.STT: "moonshine",
        Kind.TTS: "hibari",
    }
    echo = load(tmp_path, '[dialogue]\nprovider = "echo"\noptions = {delay_ms = 5}')
    assert [(use.kind, use.options) for use in provider_uses(echo)] == [
        (Kind.REALTIME, {"delay_ms": 5}),
        (Kind.VAD, {}),
    ]


ECHO = '[dialogue]\nprovider = "echo"\n'
SCRIPT = (
    '[dialogue]\nprovider = "scripted"\n[[dialogue.options.intents]]\n'
    'name = "bye"\nphrases = ["bye"]\nhang_up = true\n'
)
DEAF = "[turns]\nbarge_in = false\n"
RULE = '[[routes]]\nname = "a"\n'
TARGET = '[transfer.targets.a]\nnumbers = ["+919811122233"]\n'
OPENAI = '[dialogue]\nprovider = "openai"\n[dialogue.options]\nmodel = "a"\n'
TOOL = "[[dialogue.options.tools]]\nname = 'hang_up'\ndescription = 'a'\nurl = '"
"""Up to its URL; its name is that of an action."""


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("greting = 'x'", "greting", "Did you mean greeting?"),
        ("[turns]\nend_silence = 5", "turns.end_silence", "Did you mean end_silence_ms?"),
        ("[limits]\nzzz = 5", "limits.zzz", "max_call_seconds"),
        ("[hours]\nmonday = []", "hours.monday", "Did you mean mon?"),
        ("[turns]\nend_silence_ms = 100", "turns.end_silence_ms", "templates.md"),
        ('[turns]\nend_silence_ms = "500"', "turns.end_silence_ms", "templates.md"),
        ("[turns]\nend_silence_ms = 300.5", "turns.end_silence_ms", "templates.md"),
        ('[turns]\nbarge_in = "yes"', "turns.barge_in", "templates.md"),
        (f"{DEAF}barge_in_ms = 400", "turns.barge_in_ms", "barge_in = true"),
        (f"{DEAF}min_words = 2", "turns.min_words", "barge_in = true"),
        (f"{DEAF}backchannels = ['hmm']", "turns.backchannels", "barge_in = true"),
        (f"{DEAF}interrupt_words = ['stop']", "turns.interrupt_words", "barge_in = true"),
        (f"{DEAF}protect_greeting_ms = 9", "turns.protect_greeting_ms", "barge_in = true"),
        ("barge_in = false", "barge_in", "It belongs under [turns]."),
        (f"{RULE}when = {{ caler = 'hidden' }}", "routes[0].when.caler", "Did you mean caller?"),
        (f"{RULE}caller = 'hidden'", "routes[0].caller", "It belongs under [routes.when]."),
        (f"{RULE}zzz = 1", "routes[0].zzz", "Known here: name, when, then."),
        (f"{RULE}then = {{ branch = 'c' }}", "routes[0].then.branch", "templates.md"),
        (f"{RULE}then = {{ brnch = 'b' }}", "routes[0].then.brnch", "Did you mean branch?"),
        ("[routes]\nname = 'a'", "routes", "[[routes]], with two brackets"),
        ("[transfer]\nparallel = 3", "transfer.parallel", "under [transfer.targets.NAME]."),
        (f"{TARGET}atempts = 3", "transfer.targets.a.atempts", "Did you mean attempts?"),
        (
            f"{TARGET}[transfer.targets.a.hours]\nmonday = []",
            "transfer.targets.a.hours.monday",
            "mean mon?",
        ),
        ("[limits]\nmax_call_seconds = 3601", "limits.max_call_seconds", "templates.md"),
        ("turns = 5", "turns", "templates.md"),
        ('stt = "moonshine"', "stt", "templates.md"),
        ('language = "english"', "language", "en-IN"),
        ('greeting = "Hello {"', "greeting", "{{"),
        ('greeting = "Hello {company}"', "greeting", "[variables]"),
        ('[texts]\nidle = "Hello {caler}"', "texts.idle", "caller"),
        ('[texts]\nidel = "Hello?"', "texts.idel", "Did you mean idle?"),
        ('[texts.hi]\nidle = "Hello {caler}"', "texts.hi.idle", "caller"),
        ('[texts.hi]\nidel = "Hello?"', "texts.hi.idel", "Did you mean idle?"),
        ('[texts.hindi]\nidle = "Hello?"', "texts.hindi", "[texts.hi]"),
        ('[texts.en]\nidle = "Hello?"', "texts.en", "[texts] itself"),
        ('[refusal]\nbusy = "{x.y}"', "refusal.busy", "{name}"),
        ('[variables]\ncaller = "x"', "variables.caller", "lower-case"),
        ('[variables]\nCompany = "x"', "variables.Company", "lower-case"),
        ("[variables]\ncompany = 5", "variables.company", "templates.md"),
        ("[vad]\nstart_probability = 0.3", "vad.end_probability", "lower"),
        ('[hours]\ntimezone = "India"\nmon = ["09:00-10:00"]', "hours.timezone", "Asia/Kolkata"),
        ('[hours]\ntimezone = "../etc/passwd"', "hours.timezone", "Asia/Kolkata"),
        ("[hours]", "hours", "09:00-18:00"),
        ('[hours]\nmon = ["09:00-12:00", "11:00-13:00"]', "hours.mon", "Join"),
        ('[hours]\nmon = "09:00-12:00"', "hours.mon", "templates.md"),
        ('[hours]\nclosed_dates = ["26.1.2026"]', "hours.closed_dates[0]", "2026-01-26"),
        ("[hours]\nclosed_dates = [20260126]", "hours.closed_dates[0]", "2026-01-26"),
        ("[refusal]\nmode = 302", "refusal.mode", "templates.md"),
        ('[answer]\nbody = "applet"', "answer.applet", "applet"),
        ('[answer]\napplet = "vip"', "answer.applet", "Remove it"),
        ('[answer]\nbody = "applet"\napplet = "http://x.com/y"', "answer.applet", "vip-connect"),
        (
            '[answer]\nbody = "applet"\napplet = "https://notexotel.com/y"',
            "answer.applet",
            "vip-connect",
        ),
        ("[stream]\nsample_rate = 44100", "stream.sample_rate", "templates.md"),
        ('[stream]\nencoding = "mulaw"\nsample_rate = 16000', "stream.sample_rate", "pcm16"),
        ('[voicemail]\naction = "message"', "voicemail.message", "what to say"),
        ('[voicemail]\nmessage = "Call us."', "voicemail.message", "Remove it"),
        (
            '[voicemail]\naction = "message"\nmessage = "Hi {caler}"',
            "voicemail.message",
            "caller",
        ),
        (
            "[limits]\nmax_call_seconds = 60\nwarning_seconds = 60",
            "limits.warning_seconds",
            "shorter",
        ),
        ('[stt]\nprovider = "moonshin"', "stt.provider", "deepgram-flux, elevenlabs, moonshine,"),
        ('[vad]\nprovider = "off"', "vad.provider", "none"),
        ('[vad]\nprovider = "none"', "vad.provider", "silero"),
        ("[tts.options]\nspeedd = 1", "tts.options.speedd", "Did you mean speed?"),
        ("[tts.options]\nzzzz = 1", "tts.options.zzzz", "options are: "),
        (
            '[telephony_config]\napplet_app_id = "a/b"',
            "telephony_config.applet_app_id",
            "templates.md",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_key_and_cure(
    text: str, key: str, hint: str, tmp_path: Path
) -> None:
    """One mistake, one line: the file, the dotted key, and what to do."""
    error = refused(tmp_path, f"{text}\n{SCRIPT}")
    assert error.where == f"{tmp_path / 'reception.toml'}: {key}"
    assert hint in error.cure
    assert not error.also


def test_noise_suppression_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, with the command that installs it."""
    monkeypatch.setitem(sys.modules, denoise.PACKAGE, None)
    error = refused(tmp_path, f'[audio]\ndenoise = "webrtc"\n{SCRIPT}')
    assert error.where.endswith("reception.toml: audio.denoise")
    assert "pip install 'exobridge[denoise]'" in error.cure


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('[dialogue]\nprovider = "chatty"', "dialogue.provider", "Known: echo, "),
        ('[dialogue]\nprovider = "scripted"', "dialogue.options.intents", "intents"),
        (f"{ECHO}options = {{delay = 5}}", "dialogue.options.delay", "Did you mean delay_ms?"),
        (f"{ECHO}[stt]", "stt", "Remove"),
        (f"{ECHO}[tts]", "tts", "Remove"),
        (f"{ECHO}[audio]", "audio", "Remove"),
        (f"{ECHO}[turns]", "turns", "Remove"),
        (f"{ECHO}[texts]", "texts", "Remove"),
        (f"{ECHO}[voicemail]", "voicemail", "Remove"),
        (f"{ECHO}[limits]\nfiller_ms = 5", "limits.filler_ms", "Remove"),
        (f"{ECHO}[limits]\nidle_reprompts = 2", "limits.idle_reprompts", "Remove"),
        (f"{ECHO}[limits]\nwarning_seconds = 5", "limits.warning_seconds", "Remove"),
        (SCRIPT.replace("bye", "b{x}ye"), "dialogue.options.intents[0].name", "providers.md"),
        (f'{OPENAI}base_url = "http://a.example"', "dialogue.options.base_url", "providers.md"),
        (f"{OPENAI}{TOOL}https://a.example'", "dialogue.options.tools", "providers.md"),
        (f"{OPENAI}{TOOL}a.example'", "dialogue.options.tools[0].url", "providers.md"),
    ],
)
def test_a_dialogue_that_cannot_work_is_named(
    text: str, key: str, hint: str, tmp_path: Path
) -> None:
    """An unknown provider, wrong options, and tables that would do nothing."""
    error = refused(tmp_path, text)
    assert error.where.endswith(f"reception.toml: {key}")
    assert hint in error.cure
    assert "value error" not in error.problem


def test_a_short_call_needs_no_word_about_its_warning(tmp_path: Path) -> None:
    """Only a warning that was asked for has to fit."""
    template = load(tmp_path, f"[limits]\nmax_call_seconds = 30\n{SCRIPT}")
    assert template.limits.warning_seconds > template.limits.max_call_seconds


FAKE_STT = "exobridge_providers.testing.fakes:FakeStt"
FAKE_TTS = "exobridge_providers.testing.fakes:FakeTts"


def test_a_table_may_name_several_providers(tmp_path: Path) -> None:
    """Each with its own options and voice, the preferred first."""
    text = (
        f'{SCRIPT}[stt]\nprovider = "moonshine, {FAKE_STT}"\n'
        f'[stt.options."{FAKE_STT}"]\ndelay_ms = 5\n'
        f'[tts]\nprovider = "{FAKE_TTS},hibari"\nvoice = "asha"\n[tts.options.hibari]\nspeed = 2.0'
    )
    template = load(tmp_path, text)
    assert template.stt.provider == f"moonshine,{FAKE_STT}"
    assert template.stt.choices() == (
        Choice("moonshine", {}),
        Choice(FAKE_STT, {"delay_ms": 5}),
    )
    assert template.tts.choices() == (
        Choice(FAKE_TTS, {}, "asha"),
        Choice("hibari", {"speed": 2.0}),
    )
    named = [(use.kind, use.name) for use in provider_uses(template)]
    assert named[2:] == [
        (Kind.STT, "moonshine"),
        (Kind.STT, FAKE_STT),
        (Kind.TTS, FAKE_TTS),
        (Kind.TTS, "hibari"),
    ]


def test_the_shipped_reception_keeps_its_script_as_one_of_several() -> None:
    """When the other dialogue fails, the reception answers."""
    fake = "exobridge_providers.testing.fakes:FakeDialogue"
    template = load_templates(None, Settings(dialogue_provider=f"{fake},scripted"))["default"]
    other, scripted = template.dialogue.choices()
    assert (other.name, other.options, scripted.name) == (fake, {}, "scripted")
    assert scripted.options == load_templates(None, Settings())["default"].dialogue.options


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('[stt]\nprovider = "moonshine,"', "stt.provider", "one,another"),
        ('[stt]\nprovider = "moonshine,moonshine"', "stt.provider", "once"),
        ('[stt]\nprovider = "a,b,c,d,e,f"', "stt.provider", "best"),
        (
            '[stt]\nprovider = "moonshine,moonshin"',
            "stt.provider",
            "deepgram-flux, elevenlabs, moonshine,",
        ),
        (
            f'[stt]\nprovider = "moonshine,{FAKE_STT}"\n[stt.options]\nlanguages = []',
            "stt.options.languages",
            f'[stt.options.moonshine], [stt.options."{FAKE_STT}"]',
        ),
        (
            f'[stt]\nprovider = "moonshine,{FAKE_STT}"\n[stt.options]\nmoonshine = 1',
            "stt.options.moonshine",
            "[stt.options.moonshine]",
        ),
        (
            f'[tts]\nprovider = "hibari,{FAKE_TTS}"\n[tts.options.hibari]\nspeedd = 1',
            "tts.options.hibari.speedd",
            "Did you mean speed?",
        ),
        (f'[tts]\nprovider = "hibari,{FAKE_TTS}"\nvoice = "a,b,c"', "tts.voice", "for each"),
        ('[vad]\nprovider = "silero,none"', "vad.provider", "silero"),
    ],
)
def test_what_is_wrong_with_several_providers_is_named(
    text: str, key: str, hint: str, tmp_path: Path
) -> None:
    """With what to do."""
    error = refused(tmp_path, f"{text}\n{SCRIPT}")
    assert error.where == f"{tmp_path / 'reception.toml'}: {key}"
    assert hint in error.cure


@pytest.mark.parametrize("text", ["", 'language = "en-US"', '[transfer]\ntarget = "support"\n'])
def test_a_template_without_a_dialogue_has_the_receptions(text: str, tmp_path: Path) -> None:
    """So that rules alone are a template. Another DIALOGUE_PROVIDER takes its place, and as one of
    several the script keeps its own options."""
    text = text.replace("support", "+919811122233")
    script = load_templates(None, Settings())["default"].dialogue
    assert load(tmp_path, text).dialogue == script
    fake = "exobridge_providers.testing.fakes:FakeDialogue"
    other = load(tmp_path, text, Settings(dialogue_provider=fake)).dialogue
    assert (other.provider, other.options) == (fake, {})
    both = load(tmp_path, text, Settings(dialogue_provider=f"{fake},scripted")).dialogue
    assert both.choices()[1].options == script.options


@pytest.mark.parametrize("text", ['language = "hi-IN"', '[dialogue]\nprovider = "scripted"'])
def test_a_template_that_needs_a_script_of_its_own_is_told_so(text: str, tmp_path: Path) -> None:
    """An English script is none for Hindi, and who names scripts means to write one."""
    assert refused(tmp_path, text).where.endswith("reception.toml: dialogue.options.intents")


def test_nothing_stands_in_for_a_speech_to_speech_provider(tmp_path: Path) -> None:
    """Nor does it stand in for a dialogue."""
    text = '[dialogue]\nprovider = "scripted,echo"\n[[dialogue.options.scripted.intents]]\n'
    error = refused(tmp_path, f'{text}name = "bye"\nphrases = ["bye"]\nhang_up = true')
    assert error.where.endswith("reception.toml: dialogue.provider")
    assert "echo hears and speaks for itself" in error.problem


def test_a_refusal_that_is_spoken_needs_a_voice_beside_speech_to_speech(tmp_path: Path) -> None:
    """With mode "say" the TTS table is used, whoever holds the conversations."""
    text = f'{ECHO}[refusal]\nmode = "say"\n[tts]\nprovider = "hibari"'
    uses = provider_uses(load(tmp_path, text))
    assert [use.kind for use in uses] == [Kind.REALTIME, Kind.VAD, Kind.TTS]


def test_a_table_that_would_do_nothing_is_refused_for_the_settings_provider_too(
    tmp_path: Path,
) -> None:
    """It does not matter whether the file or DIALOGUE_PROVIDER chose speech to speech."""
    error = refused(tmp_path, "[turns]\nbarge_in = false", Settings(dialogue_provider="echo"))
    assert error.where.endswith("reception.toml: turns")


def test_a_refused_value_is_not_repeated(tmp_path: Path) -> None:
    """A provider's options may hold a key: it stands in no message and in no chained error."""
    key = "planted-key-0123456789"
    for text in (
        f'{SCRIPT}[tts.options]\napi_key = "{key}"',
        f'[turns]\nend_silence_ms = "{key}"\n{SCRIPT}',
        f'greeting = "{key} {{"\n{SCRIPT}',
        f'[variables]\nsecret = ["{key}"]\n{SCRIPT}',
    ):
        error = refused(tmp_path, text)
        assert key not in str(error)
        assert error.__cause__ is None
        assert error.__context__ is None


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("broken.toml", b"greeting = ", "TOML"),
        ("latin.toml", "greeting = 'ümlaut'".encode("latin-1"), "UTF-8"),
        ("Big Sales.toml", b"", "name"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    name: str, content: bytes, problem: str, tmp_path: Path
) -> None:
    """A broken file is an error with its name, not a traceback."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_templates(tmp_path, Settings())
    assert caught.value.where == str(tmp_path / name)
    assert problem in caught.value.problem


def test_a_directory_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    """Even a folder called x.toml does not end in a traceback."""
    (tmp_path / "odd.toml").mkdir()
    with pytest.raises(ConfigError) as caught:
        load_templates(tmp_path, Settings())
    assert caught.value.where == str(tmp_path / "odd.toml")


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """One start shows everything that is to be mended."""
    (tmp_path / "a.toml").write_text("[turns]\nend_silence_ms = 1\nbarge_in = 1\n" + SCRIPT)
    (tmp_path / "b.toml").write_text('language = ""\n' + SCRIPT)
    with pytest.raises(ConfigError) as caught:
        load_templates(tmp_path, Settings())
    wheres = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert wheres == ["turns.end_silence_ms", "turns.barge_in", "language"]


def test_a_directory_that_is_none_names_its_variable(tmp_path: Path) -> None:
    """A wrong EXOBRIDGE_TEMPLATES_DIR is no silent start with the shipped templates."""
    with pytest.raises(ConfigError) as caught:
        load_templates(tmp_path / "absent", Settings())
    assert caught.value.where == "EXOBRIDGE_TEMPLATES_DIR"


def test_a_number_with_a_template_that_is_not_there_names_it() -> None:
    """The first call is too late to find out that sales.toml is missing."""
    settings = Settings(numbers=NumberBook.parse("8047112233=sales,8047112244=demo"))
    with pytest.raises(ConfigError, match=r"no template named sales.*default, demo") as caught:
        load_templates(None, settings)
    assert caught.value.where == "EXOTEL_NUMBERS"


def test_the_encoding_of_the_settings_holds_where_a_template_names_none(tmp_path: Path) -> None:
    """STREAM_ENCODING is the default of every template, and a template's own word wins."""
    (tmp_path / "plain.toml").write_text("")
    (tmp_path / "own.toml").write_text('[stream]\nencoding = "pcm16"\n')
    templates = load_templates(
        tmp_path, Settings(stream_encoding="mulaw", dialogue_provider="echo")
    )
    assert templates["plain"].stream.encoding == "mulaw"
    assert templates["own"].stream.encoding == "pcm16"


def test_a_provider_can_be_named_by_its_class(tmp_path: Path) -> None:
    """``module:Class`` needs no package with an entry point; a wrong one is told with a cure."""
    fake = "exobridge_providers.testing.fakes:FakeRealtime"
    (tmp_path / "own.toml").write_text(f'[dialogue]\nprovider = "{fake}"\n')
    assert load_templates(tmp_path, Settings())["own"].dialogue.provider == fake
    (tmp_path / "own.toml").write_text('[dialogue]\nprovider = "no.such.module:Thing"\n')
    with pytest.raises(ConfigError, match=r"own\.toml: dialogue\.provider"):
        load_templates(tmp_path, Settings())
