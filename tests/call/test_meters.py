"""What the facts do not tell."""

from __future__ import annotations

from exobridge.call.meters import Meters
from exobridge.exotel.stream import Counters, ExotelStream
from exobridge.templates import Template
from exobridge_providers.errors import ProviderAuthError, ProviderUnavailableError

TEMPLATE = Template.model_validate(
    {"stt": {"provider": "ears"}, "dialogue": {"provider": "mind"}, "vad": {"provider": "none"}}
)


def test_frames_of_open_and_of_closed_streams_are_added_up() -> None:
    """A stream counts while it runs and for good, however often it is closed."""
    meters = Meters()
    one, other = ExotelStream(), ExotelStream()
    for stream in (one, other):
        meters.stream_opened(stream.counters)
        stream.receive("garbage")
    assert meters.frames() == Counters(received=2, bad=2)
    meters.stream_closed(one.counters)
    meters.stream_closed(one.counters)
    other.receive("garbage")
    assert meters.frames() == Counters(received=3, bad=3)
    meters.stream_closed(other.counters)
    assert meters.frames() == Counters(received=3, bad=3)


def test_failures_are_counted_by_the_name_in_the_template() -> None:
    """What a plugin calls itself in its errors is no label."""
    meters = Meters()
    meters.provider_failed(TEMPLATE, "stt", ProviderUnavailableError("down", provider="whoever"))
    meters.provider_failed(TEMPLATE, "stt", ProviderUnavailableError("down"))
    meters.provider_failed(TEMPLATE, "realtime", ProviderAuthError("no"))
    assert meters.provider_errors == {("stt", "ears", True): 2, ("realtime", "mind", False): 1}


def test_of_several_providers_the_one_that_failed_is_counted() -> None:
    """Whether the call could go on without it or not; one that is not named is no label."""
    meters = Meters()
    several = Template.model_validate({"stt": {"provider": "ears, spare"}})
    meters.session_lost("stt", "ears", ProviderUnavailableError("down"))
    meters.provider_failed(several, "stt", ProviderAuthError("no", provider="spare"))
    meters.provider_failed(several, "stt", ProviderAuthError("no", provider="whoever"))
    assert meters.provider_errors == {
        ("stt", "ears", True): 1,
        ("stt", "spare", False): 1,
        ("stt", "ears", False): 1,
    }
