"""Write labels in COCO's format: a JSON document per split."""

from typing import Any

from scripts.core.files import write_json
from scripts.core.row_types import ImageRow
from scripts.dataset.formats.images import Dataset, area, image_name, object_name, objects_of, stable_ids, xywh

NOT_STATED = "not stated"  # the licence of a video without any


def write_coco(dataset: Dataset) -> None:
    """Write annotations/instances_{split}.json for each split."""
    for split in dataset.images:
        write_json(dataset.folder / "annotations" / f"instances_{split}.json", coco(dataset, split))


def coco(dataset: Dataset, split: str) -> dict[str, Any]:
    """Return a COCO instances document; file names are relative to the dataset's folder, categories count from 1.

    Ids are unique over all splits, and stay the same when videos are added: documents can be merged and compared.
    """
    used = {row["video"] for rows in dataset.images.values() for row in rows}
    licences = stable_ids(licence_of(dataset, video) for video in used)
    rows = dataset.images[split]
    return {
        "info": {"description": "Made by reelsieve"},
        "licenses": [{"id": number, "name": text, "url": _url_in(text)} for text, number in licences.items()],
        "categories": [{"id": i, "name": name, "supercategory": name} for i, name in enumerate(dataset.classes, 1)],
        "images": [_image(dataset, row, licences) for row in rows],
        "annotations": [annotation for row in rows for annotation in _annotations(dataset, row)],
    }


def licence_of(dataset: Dataset, video: str) -> str:
    """Return the licence of a video as the table or its site states it."""
    return dataset.licences.get(video) or NOT_STATED


def _url_in(licence: str) -> str:
    return licence if licence.startswith(("https://", "http://")) else ""


def _image(dataset: Dataset, row: ImageRow, licences: dict[str, int]) -> dict[str, Any]:
    return {
        "id": dataset.ids[image_name(row)],
        "file_name": row["file"],
        "width": row["width"],
        "height": row["height"],
        "license": licences[licence_of(dataset, row["video"])],
        "video": row["video"],
        "pts_s": row["pts_s"],
    }


def _annotations(dataset: Dataset, row: ImageRow) -> list[dict[str, Any]]:
    """Return the objects of an image. Without the key `segmentation`, pycocotools draws nothing."""
    return [
        {
            "id": dataset.ids[object_name(row, number)],
            "image_id": dataset.ids[image_name(row)],
            "category_id": dataset.classes.index(label) + 1,
            "bbox": xywh(box),
            "area": area(box),
            "segmentation": [],
            "iscrowd": 0,
            "score": score,
        }
        for number, (box, label, score) in enumerate(objects_of(row))
    ]
