"""Each split with images has a file of metadata beside them."""

import json
from pathlib import Path

from scripts.dataset.formats.imagefolder import write_imagefolder
from scripts.dataset.formats.images import Dataset
from tests._dataset_rows import image_row


def test_metadata_has_a_line_per_image_and_no_file_without_images(tmp_path: Path) -> None:
    rows = [image_row("v/1.jpg", []), image_row("v/2.jpg", ["dog"])]
    write_imagefolder(Dataset(tmp_path, ["dog"], {"train": rows, "val": []}))
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["train"]
    lines = (tmp_path / "images/train/metadata.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert first["file_name"] == "v__2.jpg", "a row with objects comes first"
    assert first["objects"] == {"bbox": [[20.0, 10.0, 40.0, 40.0]], "categories": ["dog"], "confidence": [0.9123]}
    assert second["objects"] == {"bbox": [], "categories": [], "confidence": []}
