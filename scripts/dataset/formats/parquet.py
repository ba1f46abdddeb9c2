"""Write a parquet table per split, and an MLCommons Croissant description that reads its records from them."""

from collections.abc import Mapping
from typing import Any

from scripts.core.files import sha256_of, write_json
from scripts.core.schemas import IMAGES
from scripts.core.tables import write_table
from scripts.dataset.formats.images import Dataset

# The context of Croissant 1.0; validators compare it.
TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
    "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
)  # fmt: skip
CONTEXT = {
    **{name: f"cr:{name}" for name in TERMS},
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}

COLUMNS = {
    "file": ("sc:Text", "Path of the image in the dataset's folder."),
    "video": ("sc:Text", "Id of the video that it was taken from."),
    "pts_s": ("sc:Float", "Seconds of playing time at which the video shows it."),
    "width": ("sc:Integer", "Width in pixels."),
    "height": ("sc:Integer", "Height in pixels."),
}
OBJECTS: dict[str, tuple[str | list[str], str]] = {
    # mlcroissant 1.1.1 reads boxes only from text and JSON; with a number type first it also reads parquet's lists.
    "boxes_xyxy_px": (["sc:Float", "cr:BoundingBox"], "Left, top, right and bottom in pixels."),
    "classes": ("sc:Text", "Class by name."),
    "confidences": ("sc:Float", "The model's confidence, 0 to 1."),
}


def write_parquet(dataset: Dataset) -> None:
    """Write data/{split}.parquet, a row per image without its bytes."""
    for split, rows in dataset.images.items():
        write_table(dataset.folder / "data" / f"{split}.parquet", map(columns_of, rows), IMAGES)


def columns_of(row: Mapping[str, object]) -> dict[str, object]:
    """Return the columns of the table from a row of an image."""
    return {name: row[name] for name in IMAGES.names}


def write_croissant(dataset: Dataset, licences: list[str]) -> None:
    """Write croissant.json; the parquet tables must exist."""
    write_json(dataset.folder / "croissant.json", croissant(dataset, licences))


def croissant(dataset: Dataset, licences: list[str]) -> dict[str, Any]:
    """Return the description: files, images with their objects, and the pixels.

    It has no date, so that equal input gives equal bytes. The pixels are a record set of their own: mlcroissant would
    decode all pictures of a joined set, also for users who read only labels.
    """
    counts = ", ".join(f"{len(rows)} {split}" for split, rows in dataset.images.items())
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "reelsieve-dataset",
        "description": f"Frames of videos with machine-made boxes of objects ({counts} images), made by reelsieve.",
        "license": licences or ["ATTRIBUTION.tsv"],
        "distribution": _files(dataset),
        "recordSet": [_image_records(), _picture_records()],
    }


def _files(dataset: Dataset) -> list[dict[str, Any]]:
    tables = [
        {
            "@type": "cr:FileObject",
            "@id": f"data/{split}.parquet",
            "name": f"{split}.parquet",
            "contentUrl": f"data/{split}.parquet",
            "encodingFormat": "application/x-parquet",
            "sha256": sha256_of(dataset.folder / "data" / f"{split}.parquet"),
        }
        for split in dataset.images
    ]
    sets = [("tables", "application/x-parquet", "data/*.parquet"), ("pictures", "image/jpeg", "images/*/*.jpg")]
    return tables + [
        {"@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": form, "includes": glob}
        for name, form, glob in sets
    ]


def _field(name: str, kind: str | list[str], source: dict[str, Any], description: str) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": name, "name": name, "dataType": kind, "source": source} | (
        {"description": description}
    )


def _column(name: str) -> dict[str, Any]:
    return {"fileSet": {"@id": "tables"}, "extract": {"column": name}}


def _image_records() -> dict[str, Any]:
    of_name = {
        "fileSet": {"@id": "tables"},
        "extract": {"fileProperty": "filename"},
        "transform": {"regex": r"^(.*)\.parquet$"},
    }
    plain = [_field(f"images/{name}", kind, _column(name), text) for name, (kind, text) in COLUMNS.items()]
    objects = [
        _field(f"images/objects/{name}", kind, _column(name), text) | {"repeated": True}
        for name, (kind, text) in OBJECTS.items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "key": {"@id": "images/file"},
        "field": [
            *plain,
            _field("images/split", "sc:Text", of_name, "train, val or test; no video is in two."),
            {
                "@type": "cr:Field",
                "@id": "images/objects",
                "name": "images/objects",
                "description": "The objects that the final model found, strongest first.",
                "repeated": True,
                "subField": objects,
            },
        ],
    }


def _picture_records() -> dict[str, Any]:
    def source(name: str) -> dict[str, Any]:
        return {"fileSet": {"@id": "pictures"}, "extract": {"fileProperty": name}}

    return {
        "@type": "cr:RecordSet",
        "@id": "pictures_by_file",
        "name": "pictures_by_file",
        "key": {"@id": "pictures_by_file/file"},
        "field": [
            _field("pictures_by_file/file", "sc:Text", source("fullpath"), "As images/file."),
            _field("pictures_by_file/image", "sc:ImageObject", source("content"), "The picture."),
        ],
    }
