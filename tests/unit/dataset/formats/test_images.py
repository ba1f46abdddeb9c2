"""Boxes are rounded and converted, ids are stable, and a row with objects comes first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset.formats import images
from scripts.dataset.formats.images import objects_of, stable_ids, typical_first, xywh
from tests._dataset_rows import image_row


def test_objects_are_rounded_because_tables_hold_32_bit_floats() -> None:
    row = image_row("v/1.jpg", ["dog"], boxes_xyxy_px=[[0.1000000015, 2.0, 33.3300018, 4.0]])
    assert list(objects_of(row)) == [([0.1, 2.0, 33.33, 4.0], "dog", 0.9123)]


def test_boxes_become_left_top_width_height() -> None:
    assert xywh([20.1, 10.0, 60.4, 50.0]) == [20.1, 10.0, 40.3, 40.0]


def test_the_first_row_with_objects_moves_to_the_front() -> None:
    empty, other, full = image_row("v/1.jpg", []), image_row("v/2.jpg", []), image_row("v/3.jpg", ["dog"])
    assert typical_first([empty, other, full]) == [full, empty, other]
    assert typical_first([empty, other]) == [empty, other] and typical_first([]) == []


@given(st.lists(st.text(), unique=True), st.integers(1, 4))
def test_ids_differ_and_names_that_are_added_change_none_of_them(names: list[str], kept: int) -> None:
    ids = stable_ids(names)
    assert set(ids) == set(names) and len(set(ids.values())) == len(names)
    assert stable_ids(names[::-1]) == ids
    assert stable_ids(names[:kept]).items() <= ids.items()


def test_names_of_equal_hashes_get_ids_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "ID_BITS", 1)
    assert stable_ids("abcd") == {"a": 1, "b": 2, "c": 3, "d": 4}
