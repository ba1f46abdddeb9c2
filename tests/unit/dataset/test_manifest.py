"""A manifest that others publish is not trusted."""

from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.core.schemas import PUBLISHED
from scripts.core.tables import write_table
from scripts.dataset.manifest import class_names_of, read_published
from tests._published import published_row


@pytest.mark.parametrize(
    "fault",
    [
        {"file": "../../x.jpg"}, {"file": "images/train/../../x.jpg"}, {"file": "images/other/v.jpg"}, {"file": None},
        {"frame": "../1.jpg"}, {"video": "../v"}, {"sha256": "x"}, {"phash": ""}, {"width": 0}, {"height": None},
    ],
)  # fmt: skip
def test_rows_that_lead_elsewhere_are_refused(tmp_path: Path, fault: dict[str, Any]) -> None:
    write_table(tmp_path / "m.parquet", [published_row()], PUBLISHED, '{"names": ["car"]}')
    assert read_published(tmp_path / "m.parquet", "v")[0]["frame"] == published_row()["frame"]
    assert read_published(tmp_path / "m.parquet", "w") == [] and class_names_of(tmp_path / "m.parquet") == ["car"]
    write_table(tmp_path / "m.parquet", [published_row(), published_row(**fault)], PUBLISHED, "[]")
    with pytest.raises(UserError, match="is not what reelsieve writes"):
        read_published(tmp_path / "m.parquet")
    with pytest.raises(UserError, match="does not name the classes"):
        class_names_of(tmp_path / "m.parquet")
