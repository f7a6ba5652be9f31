"""Which engine finds faces: by name, or the best of those that this installation has."""

from pathlib import Path

from kiosk import models
from kiosk.errors import BadModel
from sensors.face.following import Following
from sensors.face.seen import Finder

ENGINES = ("auto", "mesh", "tasks")
"""mesh: the networks in MediaPipe's wheel. tasks: its Tasks API with `face_landmarker.task`."""


def finder(engine: str, folder: Path | None) -> Finder:
    """An engine ready to run, or BadModel with what is missing."""
    if engine not in ENGINES:
        raise BadModel(f"there is no face engine {engine!r}; there are {', '.join(ENGINES)}")
    if engine == "tasks":
        return _tasks(folder)
    try:
        return _mesh(folder)
    except BadModel as error:
        if engine == "mesh":
            raise
        try:
            return _tasks(folder)
        except BadModel as other:
            raise BadModel(f"no face engine works: mesh: {error}; tasks: {other}") from None


def _mesh(folder: Path | None) -> Finder:
    from sensors.face.detect import BlazeFace, YuNet
    from sensors.face.mesh import MeshNetwork

    network = MeshNetwork()
    return Following(YuNet(folder) if folder is not None and installed("yunet", folder) else BlazeFace(), network)


def _tasks(folder: Path | None) -> Finder:
    from sensors.face.detect import YuNet
    from sensors.face.tasks import TasksNetwork, TasksTiles

    if folder is None:
        raise BadModel("the Tasks API needs a folder of models with face_landmarker in it")
    network = TasksNetwork(folder)
    return Following(YuNet(folder) if installed("yunet", folder) else TasksTiles(network), network)


def installed(name: str, folder: Path) -> bool:
    """Whether a network's file is here and right."""
    return models.status(models.known(name), folder) == "installed"
