"""Each split with images has a table of metadata beside them, and the card the types of its columns."""

from pathlib import Path

from scripts.core.tables import read_rows
from scripts.dataset.formats.coco import coco
from scripts.dataset.formats.imagefolder import features, write_imagefolder
from scripts.dataset.formats.images import Dataset
from tests._dataset_rows import image_row


def test_metadata_has_a_row_per_image_and_no_file_without_images(tmp_path: Path) -> None:
    rows = [image_row("v/1.jpg", []), image_row("v/2.jpg", ["dog"])]
    dataset = Dataset(tmp_path, ["car", "dog"], {"train": rows, "val": []})
    write_imagefolder(dataset)
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["train"]
    second, first = read_rows(tmp_path / "images/train/metadata.parquet")
    assert first["file_name"] == "v__2.jpg"
    in_coco = coco(dataset, "train")["annotations"][0]
    assert first["image_id"] == in_coco["image_id"]
    assert first["objects"] == {
        "id": [in_coco["id"]],
        "bbox": [[20.0, 10.0, 40.0, 40.0]],
        "area": [1600.0],
        "category": [1],
        "confidence": [0.9123],
    }
    assert second["objects"] == dict.fromkeys(first["objects"], [])
    kinds = features(dataset.classes)
    assert [kind["name"] for kind in kinds] == ["image", *list(first)[1:]]
    assert [kind["name"] for kind in kinds[-1]["struct"]] == list(first["objects"])
