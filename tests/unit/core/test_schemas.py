"""Each row type has the columns of its table."""

import pyarrow as pa
import pytest

from scripts.core import row_types, schemas


@pytest.mark.parametrize(
    ("schema", "row"),
    [
        (schemas.FRAMES, row_types.FrameRow),
        (schemas.FILTER, row_types.FilterRow),
        (schemas.SEEN, row_types.SeenRow),
        (schemas.COPIES, row_types.CopyRow),
        (schemas.DETECTIONS, row_types.DetectionRow),
        (schemas.LEDGER, row_types.LedgerRow),
        (schemas.PUBLISHED, row_types.PublishedRow),
        (schemas.RETAKEN, row_types.RetakenRow),
    ],
)
def test_the_type_of_a_row_has_the_columns_of_the_table(schema: pa.Schema, row: type) -> None:
    assert set(schema.names) == row.__required_keys__ | row.__optional_keys__  # type: ignore[attr-defined]


def test_images_have_columns_of_their_labels_and_their_ledger_row() -> None:
    assert set(schemas.IMAGES.names) <= row_types.ImageRow.__required_keys__
