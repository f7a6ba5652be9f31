"""The live service: chunks from the bus in, readings out."""

from threadpoolctl import threadpool_limits

from analytics.registry import ANALYZERS
from analytics.router import Router
from kiosk import messages, topics
from kiosk.bus import Bus, Delivery, send
from kiosk.errors import Refused
from kiosk.messages import Chunk, Reading, Session


async def serve(bus: Bus, *, router: Router | None = None) -> None:
    """Analyse until cancelled. Of the router's `counters` metrics can be made."""
    router = router or Router()
    # only what somebody analyses: the broker keeps the rest away, and no payload is decoded in vain
    wanted = [topics.pattern("chunk", name=signal) for signal in ANALYZERS]
    # products of small matrices: a second thread would only spin
    with threadpool_limits(1):
        await _serve(bus, router, wanted)


async def _serve(bus: Bus, router: Router, wanted: list[str]) -> None:
    async with bus.subscribe(topics.pattern("session"), *wanted) as subscription:
        while batch := await subscription.batch():
            for delivery in batch:
                for kiosk, reading in handle(router, delivery):
                    if not await send(bus, kiosk, reading):
                        router.counters.unsent += 1


def handle(router: Router, delivery: Delivery) -> list[tuple[str, Reading]]:
    """The readings that one delivery completes; what makes no sense is counted."""
    try:
        where, message = messages.decode(delivery.topic, delivery.payload)
    except Refused as refused:
        router.counters.refused[refused.reason] += 1
        return []
    if isinstance(message, Chunk):
        return [(where.kiosk, reading) for reading in router.feed(where.kiosk, message)]
    if isinstance(message, Session):
        router.session(where.kiosk, message)
    return []
