"""The BrainFlow library, imported where it is used, and silent."""

import warnings
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadSettings

Descriptor = dict[str, object]


class Board(Protocol):
    """What is used of a `BoardShim`."""

    def prepare_session(self) -> None:
        """Connect."""
        ...

    def start_stream(self, num_samples: int) -> None:
        """Begin to sample into a ring of so many."""
        ...

    def get_board_data(self, *, preset: int) -> NDArray[np.float64]:
        """(rows, samples) since the last call; they are taken out."""
        ...

    def stop_stream(self) -> None:
        """Stop sampling."""
        ...

    def release_session(self) -> None:
        """Disconnect."""
        ...


class Library(Protocol):
    """The module `brainflow.board_shim`, as far as it is used through this file."""

    def board(self, number: int, params: dict[str, str | int]) -> Board:
        """A board, not connected yet."""
        ...

    def names(self) -> dict[str, int]:
        """Every board that the library knows."""
        ...

    def presets(self, number: int) -> tuple[int, ...]:
        """The presets of a board, in order."""
        ...

    def descriptor(self, number: int, preset: int) -> Descriptor:
        """What a board's rows are."""
        ...

    def param_names(self) -> dict[str, type]:
        """What can be said of a connection, and whether it is a number or text."""
        ...


@cache
def library() -> Library:
    """The library, with its logger off: it writes to stderr what it has to say, serial numbers included."""
    try:
        with warnings.catch_warnings():
            # its binding finds its folder with pkg_resources
            warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
            from brainflow import board_shim

            # the first call loads what is compiled
            board_shim.BoardShim.disable_board_logger()
    except (ImportError, OSError) as error:
        raise BadSettings(f"BrainFlow is not usable here: {type(error).__name__}: {error}") from None
    return _Shim()


class _Shim:
    def board(self, number: int, params: dict[str, str | int]) -> Board:
        from brainflow.board_shim import BoardShim, BrainFlowInputParams

        given = BrainFlowInputParams()
        for name, value in params.items():
            setattr(given, name, value)
        made: Board = BoardShim(number, given)
        return made

    def names(self) -> dict[str, int]:
        from brainflow.board_shim import BoardIds

        return {each.name: int(each.value) for each in BoardIds if each.name != "NO_BOARD"}

    def presets(self, number: int) -> tuple[int, ...]:
        from brainflow.board_shim import BoardShim

        return tuple(sorted(int(each) for each in BoardShim.get_board_presets(number)))

    def descriptor(self, number: int, preset: int) -> Descriptor:
        from brainflow.board_shim import BoardShim

        found: Descriptor = BoardShim.get_board_descr(number, preset)
        return found

    def param_names(self) -> dict[str, type]:
        from brainflow.board_shim import BrainFlowInputParams

        return {name: type(value) for name, value in vars(BrainFlowInputParams()).items()}


@cache
def failure() -> type[Exception]:
    """What the library raises."""
    library()
    from brainflow.exit_codes import BrainFlowError

    kind: type[Exception] = BrainFlowError
    return kind
