"""Boxes are rounded and converted, and a row with objects comes first."""

from scripts.dataset.formats.images import objects_of, typical_first, xywh
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
