"""How often somebody may try, whatever account they try: token buckets, per address and for all."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from api import errors
from api.errors import Failed

MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` at once, and then `refill` a second."""

    burst: float
    refill: float


PER_ADDRESS = Rate(20, 0.5)
"""A whole ward that logs in at once behind one address, and then one attempt in two seconds."""
FOR_ALL = Rate(100, 5)
"""What two threads hash easily, so that those who are logged in notice nothing."""


class Throttle:
    """Remembers in this process how much is left to whom."""

    def __init__(
        self, per_address: Rate = PER_ADDRESS, for_all: Rate = FOR_ALL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_address, self._for_all, self._clock = per_address, for_all, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._common = (for_all.burst, clock())

    def take(self, address: str) -> None:
        """Let one attempt through, or Failed(TOO_MANY) with the seconds until the next one."""
        now = self._clock()
        network = _network(address)
        left = _left(self._per_address, self._buckets.get(network, (self._per_address.burst, now)), now)
        common = _left(self._for_all, self._common, now)
        wait = max((1 - left) / self._per_address.refill, (1 - common) / self._for_all.refill)
        if wait > 0:
            raise Failed(errors.TOO_MANY, retry_after=max(1, math.ceil(wait)))
        self._common = (common - 1, now)
        self._buckets[network] = (left - 1, now)
        self._buckets.move_to_end(network)
        while len(self._buckets) > MOST_ADDRESSES:
            # the one that was quiet longest: most of its bucket is full again
            self._buckets.popitem(last=False)


def _left(rate: Rate, bucket: tuple[float, float], now: float) -> float:
    return min(rate.burst, bucket[0] + (now - bucket[1]) * rate.refill)


def _network(address: str) -> str:
    """Who has one IPv6 address has 2**64 of them."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address):
        return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def address_of(connection: HTTPConnection, *, behind_proxy: bool) -> str:
    """Where a request comes from. Of X-Forwarded-For only the last entry is the proxy's own, and so believed."""
    said = connection.headers.getlist("x-forwarded-for") if behind_proxy else []
    if said:
        return said[-1].rpartition(",")[2].strip()
    return connection.client.host if connection.client is not None else ""
