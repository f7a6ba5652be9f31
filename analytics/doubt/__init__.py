"""The 95 % interval of an HRV value: where the five-minute value of the same state lies."""

from analytics.doubt.five_minutes import interval

__all__ = ["interval"]
