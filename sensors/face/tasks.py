"""MediaPipe's Tasks API with `face_landmarker.task`: the engine where the wheel has no networks inside (0.10.22 on)."""

from pathlib import Path

import numpy as np

from kiosk import models
from kiosk.errors import BadModel
from sensors.face.crop import Square, around, cut
from sensors.face.detect import squared
from sensors.face.library import mediapipe, quiet_start
from sensors.face.seen import Pixels, Points

SIZE = 256
"""Side of the picture given to it; it finds the face in there once more, by itself."""
MOST_IN_TILE = 3


class TasksNetwork:
    """The landmarks of the one face in a square, and of all faces in a picture."""

    def __init__(self, folder: Path) -> None:
        checked = models.read("face_landmarker", folder)
        with quiet_start():
            try:
                library = mediapipe()
                from mediapipe.tasks.python import BaseOptions, vision
            except ImportError as error:
                raise BadModel(f"this MediaPipe has no Tasks API: {error}") from None
            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=checked),
                running_mode=vision.RunningMode.IMAGE,
                num_faces=MOST_IN_TILE,
            )
            try:
                self._landmarker = vision.FaceLandmarker.create_from_options(options)
            except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
                # its errors quote the whole network
                raise BadModel(f"MediaPipe's Tasks API cannot start ({type(error).__name__})") from None
            self.name = f"mediapipe-{library.__version__}-tasks"
            self._picture, self._format = library.Image, library.ImageFormat.SRGB
            # the first picture makes the rest of the noise
            self.everyone(np.zeros((SIZE, SIZE, 3), np.uint8))

    def points(self, pixels: Pixels, square: Square) -> Points | None:
        """The landmarks of the face in the middle of a square."""
        crop = cut(pixels, square, SIZE)
        found = self.everyone(crop.pixels)
        if not found:
            return None
        middle = min(found, key=lambda each: float(np.hypot(*(each[:, :2].mean(axis=0) - SIZE / 2))))
        return crop.in_picture(middle)

    def everyone(self, pixels: Pixels) -> list[Points]:
        """The landmarks of all faces that are large in a picture."""
        picture = self._picture(image_format=self._format, data=np.ascontiguousarray(pixels))
        size = np.array([pixels.shape[1], pixels.shape[0], pixels.shape[1]], np.float32)
        return [
            np.array([(point.x, point.y, point.z) for point in face], np.float32) * size
            for face in self._landmarker.detect(picture).face_landmarks
        ]

    def close(self) -> None:
        """Give its memory back."""
        self._landmarker.close()


class TasksTiles:
    """A detector where there is no other: the whole picture, then three squares of its height, side by side.

    The detector in the bundle is the short-range one: without YuNet a face two metres away may be missed.
    """

    name = "tiles"

    def __init__(self, network: TasksNetwork) -> None:
        self._network = network

    def squares(self, pixels: Pixels) -> list[Square]:
        """Faces in the picture, else in its parts."""
        found = self._network.everyone(pixels)
        if found:
            return [around(points) for points in found]
        squares: list[Square] = []
        for left, top, part in squared(pixels):
            corner = np.array([left, top, 0], np.float32)
            squares += [around(points + corner) for points in self._network.everyone(part)]
        return squares

    def close(self) -> None:
        """Nothing of its own: the network is closed by who made it."""
