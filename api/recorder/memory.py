"""What the recorder remembers between transactions, so that it need not ask the database for each message."""

from collections import OrderedDict
from typing import TypeVar

from api.ledger import Ledger
from api.recorder.batch import Key
from api.store.arrivals import Kiosk
from kiosk.messages import Status

MOST_STREAMS = 50_000
MOST_RANGES = 500_000
"""Beyond holes, of all streams together. What is forgotten of them is found again by the key, row by row."""
MOST_SUSPECTS = 100_000

Kept = TypeVar("Kept")
Of = TypeVar("Of")


class Memory:
    """The least recently used goes. Nothing is here that the database would not tell again, but for the suspects."""

    def __init__(self) -> None:
        self.ledgers: OrderedDict[Key, Ledger] = OrderedDict()
        self.owners: OrderedDict[str, str] = OrderedDict()
        """Session -> the kiosk it belongs to."""
        self.touched: OrderedDict[str, int] = OrderedDict()
        """Session -> when its row was told last that something came."""
        self.devices: OrderedDict[tuple[str, str], tuple[Status, int]] = OrderedDict()
        self.kiosks: OrderedDict[str, tuple[Kiosk, int]] = OrderedDict()
        """Kiosks that spoke lately, and when we looked."""
        self.suspects: OrderedDict[str, int] = OrderedDict()
        """What was kept aside, by digest: when it came first."""

    def forget(self) -> None:
        """A transaction failed: what stands here may be ahead of the database. It is read anew."""
        for memory in (self.ledgers, self.owners, self.touched, self.devices, self.kiosks):
            memory.clear()

    def tidy(self) -> None:
        """Forget what was not used for long. Between transactions only: one that is under way needs its ledgers."""
        for memory in (self.ledgers, self.owners, self.touched, self.devices, self.kiosks):
            while len(memory) > MOST_STREAMS:
                memory.popitem(last=False)
        ranges = sum(len(ledger.beyond) for ledger in self.ledgers.values())
        while ranges > MOST_RANGES:
            ranges -= len(self.ledgers.popitem(last=False)[1].beyond)
        while len(self.suspects) > MOST_SUSPECTS:
            self.suspects.popitem(last=False)


def remember(memory: OrderedDict[Of, Kept], key: Of, value: Kept) -> None:
    """Keep as the most recent."""
    memory[key] = value
    memory.move_to_end(key)
