"""Plain numbers out of text: what float() gives, or nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.files import decimals
from sensors.files.decimals import columns

NUMBERS = st.from_regex(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,6})?|\.[0-9]{1,8})", fullmatch=True)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1)))
def test_numbers_are_to_the_last_bit_what_python_makes_of_them(rows: list[list[str]]) -> None:
    text = "head\n" + "\n".join(",".join(row) for row in rows)
    found = columns(text, 5, len(rows[0]), delimiter="," if len(rows[0]) > 1 else "")
    assert found is not None
    assert found.tolist() == [[float(cell) for cell in row] for row in rows]


@pytest.mark.parametrize(
    "rows",
    ["1,2\n3", "1,2\n\n3,4", "1,,2", "1 ,2", "1e5,2", "nan,1", ".,1", "1.2.3,4", "--1,1", "1-,2", "-,1", "1,2\r\n3,4",
     "1234567890123456,1", "\u0661,2", "1;2"],
)  # fmt: skip
def test_what_is_no_plain_table_is_left_to_others(rows: str) -> None:
    assert columns(rows, 0, 2, delimiter=",") is None


@given(st.text(alphabet="0123456789.+-,\n eE", max_size=60))
def test_nothing_is_read_that_float_does_not_read(text: str) -> None:
    found = columns(text, 0, 2, delimiter=",")
    if found is not None:
        assert (
            found.tolist()
            == [[float(cell) for cell in line.split(",")] for line in text.rstrip().split("\n")][: len(found)]
        )


def test_pieces_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decimals, "PIECE", 64)
    values = np.round(np.random.default_rng(0).normal(0, 100, (500, 3)), 4)
    found = columns("\n".join(",".join(f"{v:.4f}" for v in row) for row in values) + "\n", 0, 3, delimiter=",")
    assert found is not None
    assert np.array_equal(found, values)


def test_a_line_longer_than_a_piece_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decimals, "PIECE", 8)
    assert columns("1234567890.5,1234567890.5\n1,2", 0, 2, delimiter=",") is None
