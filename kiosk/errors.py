"""What can go wrong in a way that a person can act on. Everything else is a bug and may crash."""


class KioskError(Exception):
    """Anything with a cause that its reader can mend; the text says which."""


class Refused(KioskError):
    """A message that is not accepted. `reason` is one word for counters and receipts, the text is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class BadSettings(KioskError):
    """A setting is missing or makes no sense."""


class BadRecording(KioskError):
    """A file or an upload that cannot be read as a recording."""


class BadModel(KioskError):
    """A network file that is missing, truncated, changed or not in `models.toml`."""


class BusDown(KioskError):
    """The broker cannot be reached within the time that the caller had."""


class DriverFailed(KioskError):
    """A device is absent, went away or speaks nonsense. The supervisor tries again."""
