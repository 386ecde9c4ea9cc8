"""How often one address may ask: a token bucket each, in a bounded table. Pure; time is passed in.

The table keeps, of each address, when its bucket will be full again: one number stands for the
whole bucket (the virtual scheduling form of the leaky bucket, ITU-T I.371). One that is full is as
good as none, so forgetting the addresses that have not asked for longest costs nearly nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address

from exobridge.addresses import Address

MAX_ADDRESSES = 4096
"""Addresses that are remembered."""

BURST_S = 2.0
"""What may come at once, as the requests of so many seconds."""

TOLD_S = 60.0
"""Seconds between two words about one address."""

_HOST_BITS = 64
"""An IPv6 network of this size is one subscriber's (RFC 6177)."""


@dataclass(slots=True)
class _Bucket:
    full_at: float
    told_at: float = float("-inf")
    refused: int = 0


class AddressRate:
    """The buckets of this process.

    Args:
        per_second: Requests that one address may make, for as long as it likes; 0: any number.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._buckets: OrderedDict[int, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def takes(self, address: Address | None, now: float) -> bool:
        """Count a request.

        Args:
            address: Whose; ``None`` are all those that cannot be told apart.
            now: Seconds of a clock that does not jump.

        Returns:
            Whether it may pass.
        """
        if not self._per_second:
            return True
        bucket = self._bucket(address, now)
        full_at = max(bucket.full_at, now) + 1 / self._per_second
        if full_at - now > BURST_S:
            bucket.refused += 1
            return False
        bucket.full_at = full_at
        return True

    def to_tell(self, address: Address | None, now: float) -> int:
        """How many requests of this address were refused since it was last told; 0: it is too
        early to speak of it again."""
        bucket = self._bucket(address, now)
        if now - bucket.told_at < TOLD_S:
            return 0
        refused, bucket.refused, bucket.told_at = bucket.refused, 0, now
        return refused

    def _bucket(self, address: Address | None, now: float) -> _Bucket:
        key = _key(address)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(now)
            if len(self._buckets) > MAX_ADDRESSES:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket


def _key(address: Address | None) -> int:
    """One number for one subscriber."""
    if address is None:
        return -1
    if isinstance(address, IPv6Address):
        return (int(address) >> _HOST_BITS) + (1 << 32)  # beyond what IPv4 takes
    return int(address)
