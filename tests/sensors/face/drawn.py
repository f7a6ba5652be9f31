"""A face of 478 landmarks with known proportions, turned, sized and placed at will."""

import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Points
from sensors.face.units.distances import PLACE, REST

Floats = NDArray[np.float64]

FIXED = {
    10: (0.0, 82.62, 44.82), 151: (0.0, 65.45, 50.27), 9: (0.0, 48.86, 53.85), 168: (0.0, 32.71, 52.36),
    6: (0.0, 24.73, 57.89), 197: (0.0, 17.28, 63.17), 195: (0.0, 10.59, 67.75), 5: (0.0, 3.66, 72.43),
    4: (0.0, -4.63, 75.87), 2: (0.0, -20.9, 60.6),
}  # fmt: skip
SIDES = {
    (133, 362): (-18.56, 25.85, 37.58), (33, 263): (-44.46, 26.64, 31.73), (127, 356): (-77.43, 23.65, -20.05),
    (234, 454): (-76.64, 6.73, -24.36), (162, 389): (-75.56, 41.07, -9.92), (21, 251): (-70.88, 54.35, 1.0),
}  # fmt: skip
EYES = (26.64 + 25.85) / 2


def drawn(
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    size: float = 2.0,
    x: float = 320.0,
    y: float = 240.0,
    **moved: float,
) -> Points:
    """The population's face at rest with some of its `DISTANCES` moved by millimetres; angles in degrees."""
    of = {name: float(REST[place]) + moved.pop(name, 0.0) for name, place in PLACE.items()}
    assert not moved, moved
    shape = np.zeros((478, 3))
    for place, at in FIXED.items():
        shape[place] = at
    for (right, left), (across, up, deep) in SIDES.items():
        shape[right], shape[left] = (across, up, deep), (-across, up, deep)

    def both(right: int, left: int, across: float, up: float, deep: float = 40.0) -> None:
        shape[right], shape[left] = (-across, up, deep), (across, up, deep)

    both(55, 285, of["brow_gap"] / 2, of["brow_inner"])
    both(107, 336, of["brow_gap"] / 2 + 2.0, of["brow_inner"])
    both(46, 276, 52.0, of["brow_outer"])
    both(70, 300, 56.0, of["brow_outer"])
    middle = (of["upper_lid"] + of["lower_lid"]) / 2 + EYES
    for top, low, top_left, low_left in ((159, 145, 386, 374), (158, 153, 385, 380), (160, 144, 387, 373)):
        across = 31.0 + (top - 159)
        both(top, top_left, across, middle + of["aperture"] / 2)
        both(low, low_left, across, middle - of["aperture"] / 2)
    for right, left in ((50, 280), (101, 330), (118, 347)):
        both(right, left, 42.0, of["cheek"])
    for right, left in ((64, 294), (98, 327)):
        both(right, left, 15.0, of["nostril"])
    base = FIXED[2][1]
    corners = base - of["corner_rise"]
    meeting = corners - of["corner_y"]
    both(61, 291, of["corner_x"], corners)
    shape[13], shape[14] = (0.0, meeting + of["gap"] / 2, 50.0), (0.0, meeting - of["gap"] / 2, 50.0)
    shape[0] = shape[37] = shape[267] = (0.0, base - of["upper_lip"], 55.0)
    shape[39] = shape[40] = shape[269] = shape[270] = (0.0, base - of["lip_side"], 53.0)
    shape[17] = shape[84] = shape[314] = (0.0, shape[14, 1] - of["lower_red"], 54.0)
    shape[152] = (0.0, base - of["chin"], 45.0)
    turned = shape @ _turn(yaw, pitch, roll).T * size
    return np.asarray(turned * (1.0, -1.0, -1.0) + (x, y, 0.0), np.float32)


def _turn(yaw: float, pitch: float, roll: float) -> Floats:
    a, b, c = np.radians((yaw, pitch, roll))
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)
