"""Each row type has the columns of its table."""

import pyarrow as pa
import pytest

from scripts.core import schemas


@pytest.mark.parametrize(
    ("schema", "row"),
    [
        (schemas.FRAMES, schemas.FrameRow),
        (schemas.FILTER, schemas.FilterRow),
        (schemas.COPIES, schemas.CopyRow),
        (schemas.DETECTIONS, schemas.DetectionRow),
        (schemas.LEDGER, schemas.LedgerRow),
        (schemas.PUBLISHED, schemas.PublishedRow),
        (schemas.RETAKEN, schemas.RetakenRow),
    ],
)
def test_the_type_of_a_row_has_the_columns_of_the_table(schema: pa.Schema, row: type) -> None:
    assert set(schema.names) == row.__required_keys__ | row.__optional_keys__  # type: ignore[attr-defined]


def test_images_have_columns_of_their_labels_and_their_ledger_row() -> None:
    assert set(schemas.IMAGES.names) <= schemas.ImageRow.__required_keys__
