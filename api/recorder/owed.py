"""Receipts that are owed: the newest word for each stream, said a few times a second."""

import asyncio
import contextlib

from api.recorder.batch import Batch, Key
from kiosk.bus import Bus, send
from kiosk.errors import Refused
from kiosk.messages import MAX_REFUSED, Receipt

RECEIPT_EVERY = 0.2


class Owed:
    """Receipts to send, the newest per stream. Touched by the event loop only."""

    def __init__(self) -> None:
        self._receipts: dict[Key, Receipt] = {}

    def add(self, committed: Batch) -> None:
        """What was committed may be said."""
        for key, receipt in committed.receipts.items():
            earlier = self._receipts.get(key)
            refused = earlier.refused + receipt.refused if earlier else receipt.refused
            self._receipts[key] = Receipt(receipt.stream, receipt.upto, receipt.ended, refused)

    async def send(self, bus: Bus) -> None:
        """Say how far each stream is committed, a few times a second and not for each chunk; until cancelled."""
        while True:
            await asyncio.sleep(RECEIPT_EVERY)
            owed, self._receipts = self._receipts, {}
            for (kiosk, stream), said in owed.items():
                for begin in range(0, max(len(said.refused), 1), MAX_REFUSED):
                    refused = said.refused[begin : begin + MAX_REFUSED]
                    # a stream whose name makes no topic cannot be answered
                    with contextlib.suppress(Refused):
                        await send(bus, kiosk, Receipt(stream, said.upto, said.ended, refused))
