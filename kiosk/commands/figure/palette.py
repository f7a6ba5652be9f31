"""Colours that people with any colour vision tell apart (Okabe & Ito 2008), and the shape that goes with each."""

from collections.abc import Mapping
from types import MappingProxyType

from kiosk.commands.figure.panels import Mark

INK, GREY, PALE = "#222222", "#8a8a8a", "#d9d9d9"
BLUE, ORANGE, VERMILLION, PURPLE, SKY, GREEN = "#0072b2", "#e69f00", "#d55e00", "#cc79a7", "#56b4e9", "#009e73"
LINES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, INK, GREY, "#b8a100")
"""Of a chart, in their order."""
COLOURS: Mapping[Mark, str] = MappingProxyType(
    {Mark.MEASURED: BLUE, Mark.CORRECTED: ORANGE, Mark.ECTOPIC: VERMILLION, Mark.REMOVED: PURPLE}
)
SHAPES: Mapping[Mark, str] = MappingProxyType(
    {Mark.MEASURED: "o", Mark.CORRECTED: "s", Mark.ECTOPIC: "^", Mark.REMOVED: "x"}
)
"""As matplotlib names them."""
SYMBOLS: Mapping[Mark, str] = MappingProxyType(
    {Mark.MEASURED: "circle", Mark.CORRECTED: "square", Mark.ECTOPIC: "triangle-up", Mark.REMOVED: "x"}
)
"""As plotly names them."""
BANDS: Mapping[str, str] = MappingProxyType({"VLF": GREY, "LF": SKY, "HF": GREEN})
