"""Sound -> features: pure functions over mono sound at 16 kHz, and the few things that remember what came before."""
