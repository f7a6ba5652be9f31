"""Exposure, gain, white balance and focus of a webcam: left to the camera until they have settled, then held.

A camera that goes on correcting its brightness writes its corrections into the colour of the skin, where they are a
hundred times as large as a pulse. It is let settle on each visitor, held, and let go again where the light has changed
so much that the face would be lost.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2

from kiosk.messages import SECOND

SETTLE = 2.0
"""Seconds that a webcam's automatic exposure takes at most to come to rest, rounded up."""
CHECKED = 1.0
"""Seconds after which the picture must still be as bright as it was: some cameras forget what they had chosen."""
JUMP = 1.25
"""Times as bright or as dark that a picture may become when it is held."""
LOST = 2.0
"""Times as bright or as dark, for `LOST_FOR` seconds, that the light may become until the camera must settle again."""
LOST_FOR = 5.0
MANUAL_EXPOSURE, AUTOMATIC_EXPOSURE = 1.0, 3.0
"""V4L2's menu: 1 is manual, 3 aperture priority, which is all that webcams have of the automatic ones."""
NOT_THERE = -1.0
"""What OpenCV answers for a property that a camera does not have."""


@dataclass(frozen=True, slots=True)
class Control:
    """What a camera sets by itself: its switch, and the value to be held where the switch alone does not."""

    name: str
    switch: int | None
    held: float
    free: float
    value: int | None


CONTROLS = (
    Control("exposure", cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL_EXPOSURE, AUTOMATIC_EXPOSURE, cv2.CAP_PROP_EXPOSURE),
    Control("white balance", cv2.CAP_PROP_AUTO_WB, 0.0, 1.0, cv2.CAP_PROP_WB_TEMPERATURE),
    Control("focus", cv2.CAP_PROP_AUTOFOCUS, 0.0, 1.0, None),
    Control("gain", None, 0.0, 0.0, cv2.CAP_PROP_GAIN),
)


class Locks:
    """The state of one camera's controls. `step` is called with each picture's time and brightness."""

    def __init__(self, get: Callable[[int], float], put: Callable[[int, float], bool]) -> None:
        self._get, self._put = get, put
        self._since: int | None = None
        self._state = "settling"
        self._brightness = 0.0
        self._lost_since: int | None = None
        self.loose: tuple[str, ...] = ()
        """What the camera goes on setting by itself, although it was asked not to."""

    @property
    def held(self) -> bool:
        """Whether the camera has settled and was told to stay so."""
        return self._state in ("checking", "held")

    def free(self) -> None:
        """Let the camera settle, as when it is opened."""
        for each in CONTROLS:
            if each.switch is not None and self._get(each.switch) != NOT_THERE:
                self._put(each.switch, each.free)
        self._state, self._since, self._lost_since = "settling", None, None

    def step(self, at: int, brightness: float) -> None:
        """The next picture."""
        self._since = at if self._since is None else self._since
        passed = (at - self._since) / SECOND
        if self._state == "settling" and passed >= SETTLE:
            self._brightness = brightness
            self.loose = tuple(each.name for each in CONTROLS if not self._hold(each))
            self._state, self._since = "checking", at
        elif self._state == "checking" and passed >= CHECKED:
            if _apart(brightness, self._brightness) > JUMP:
                # held at something else than what it had chosen: worse than not held
                self.free()
                self.loose = ("exposure",)
                self._state = "given up"
            else:
                self._state = "held"
        elif self._state == "held":
            if _apart(brightness, self._brightness) <= LOST:
                self._lost_since = None
            elif self._lost_since is None:
                self._lost_since = at
            elif at - self._lost_since > LOST_FOR * SECOND:
                self.free()

    def _hold(self, control: Control) -> bool:
        """Whether a control is held now; one that the camera does not have needs no holding."""
        value = NOT_THERE if control.value is None else self._get(control.value)
        if control.switch is None:
            # without a switch, that it was written is all that holds it
            return control.value is None or value == NOT_THERE or self._put(control.value, value)
        if self._get(control.switch) == NOT_THERE:
            # fixed, as far as anybody can tell; exposure never is
            return control.name != "exposure"
        if not self._put(control.switch, control.held):
            return False
        # some refuse to be written, and are held by their switch alone
        if control.value is not None and value != NOT_THERE:
            self._put(control.value, value)
        return True


def _apart(one: float, other: float) -> float:
    return max(one + 1, other + 1) / min(one + 1, other + 1)
