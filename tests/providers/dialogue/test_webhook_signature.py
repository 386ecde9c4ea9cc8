"""The signature of a request."""

from __future__ import annotations

import pytest

from exobridge_providers.dialogue.webhook_signature import signed, signing_key

# The example of https://github.com/standard-webhooks/standard-webhooks, its libraries' tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_is_that_of_standard_webhooks() -> None:
    """A receiver may use the libraries of the specification."""
    headers = signed(signing_key(SECRET), ID, TIMESTAMP, BODY)
    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": SIGNATURE,
    }


@pytest.mark.parametrize(
    ("request_id", "timestamp", "body"),
    [("other", TIMESTAMP, BODY), (ID, TIMESTAMP + 1, BODY), (ID, TIMESTAMP, BODY + b" ")],
)
def test_it_covers_all_that_matters(request_id: str, timestamp: int, body: bytes) -> None:
    """The id, the time and each byte of the body."""
    headers = signed(signing_key(SECRET), request_id, timestamp, body)
    assert headers["webhook-signature"] != SIGNATURE


def test_a_secret_may_be_any_text() -> None:
    """Only behind the specification's prefix it is base64."""
    assert signing_key("correct horse") == b"correct horse"
    assert len(signing_key(SECRET)) == 24
    for wrong in ("whsec_abc", "whsec_abcd efgh", "whsec_abcd%efgh"):
        with pytest.raises(ValueError, match="no base64"):
            signing_key(wrong)
