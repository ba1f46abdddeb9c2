"""Count a dataset's images and boxes in the tools that others load it with, with one cache for all datasets given.

python -m tests.benchmarks.loaders demo/results/dataset ...

Most of these tools are no packages of this project: run it with the Python of any environment that has pyarrow and
some of them. Tools and formats that are not there are skipped. It exits with 1 if a count differs from that of
manifest.parquet.
"""

import argparse
import contextlib
import importlib
import importlib.metadata
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Counts = tuple[int, int]  # images, boxes


def module(name: str) -> Any:
    """Import a tool of which this project's environment knows nothing."""
    return importlib.import_module(name)


def splits_in(dataset: Path) -> list[str]:
    """Return the splits that have images."""
    return sorted(folder.name for folder in (dataset / "images").iterdir() if any(folder.glob("*.jpg")))


def total(counts: list[Counts]) -> Counts:
    """Add up the counts of splits."""
    return sum(images for images, _ in counts), sum(boxes for _, boxes in counts)


def in_manifest(dataset: Path) -> Counts:
    rows = module("pyarrow.parquet").read_table(dataset / "manifest.parquet")["classes"].to_pylist()
    return len(rows), sum(map(len, rows))


def in_parquet(dataset: Path) -> Counts:
    read = module("pyarrow.parquet").read_table
    rows = [row for table in sorted((dataset / "data").glob("*.parquet")) for row in read(table)["classes"].to_pylist()]
    return len(rows), sum(map(len, rows))


def in_pycocotools(dataset: Path) -> Counts:
    """Count, draw all boxes, and evaluate the labels against themselves."""
    counts = []
    module("matplotlib").use("Agg")
    for split in splits_in(dataset):
        coco = module("pycocotools.coco").COCO(str(dataset / f"annotations/instances_{split}.json"))
        boxes = coco.loadAnns(coco.getAnnIds())
        coco.showAnns(boxes, draw_bbox=True)
        evaluation = module("pycocotools.cocoeval").COCOeval(coco, coco.loadRes([dict(box) for box in boxes]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        assert abs(evaluation.stats[0] - 1) < 1e-9, evaluation.stats
        assert all(coco.getCatIds(supNms=[group["supercategory"]]) for group in coco.cats.values())
        counts.append((len(coco.imgs), len(boxes)))
    return total(counts)


def in_albumentations(dataset: Path) -> Counts:
    """Count the images whose boxes it accepts and mirrors."""
    tool = module("albumentations")
    pictures = module("cv2")
    mirror = tool.Compose([tool.HorizontalFlip(p=1)], bbox_params=tool.BboxParams("yolo", label_fields=["classes"]))
    counts = []
    for label in sorted((dataset / "labels").glob("*/*.txt")):
        rows = [line.split() for line in label.read_text().splitlines()]
        image = pictures.imread(str(dataset / "images" / label.parent.name / f"{label.stem}.jpg"))
        boxes = [[float(share) for share in row[1:]] for row in rows]
        found = mirror(image=image, bboxes=boxes, classes=[row[0] for row in rows])
        counts.append((1, len(found["bboxes"])))
    return total(counts)


def in_supervision_coco(dataset: Path) -> Counts:
    load = module("supervision").DetectionDataset.from_coco
    loaded = [load(str(dataset), str(dataset / f"annotations/instances_{split}.json")) for split in splits_in(dataset)]
    return total([(1, len(found)) for part in loaded for _, _, found in part])


def in_supervision_yolo(dataset: Path) -> Counts:
    load = module("supervision").DetectionDataset.from_yolo
    folders = [(dataset / "images" / split, dataset / "labels" / split) for split in splits_in(dataset)]
    loaded = [load(str(images), str(labels), str(dataset / "data.yaml")) for images, labels in folders]
    return total([(1, len(found)) for part in loaded for _, _, found in part])


def in_datasets(dataset: Path) -> Counts:
    """Count by the folder alone. All datasets of a call share one cache."""
    rows = [row for part in module("datasets").load_dataset(str(dataset)).values() for row in part]
    assert all(row["image"].size == (row["width"], row["height"]) for row in rows)
    return len(rows), sum(len(row["objects"]["category"]) for row in rows)


def in_webdataset(dataset: Path) -> Counts:
    shards = sorted(map(str, (dataset / "shards").glob("*.tar")))
    if not shards:
        raise FileNotFoundError("shards")
    samples = module("webdataset").WebDataset(shards, shardshuffle=False).decode("pil")
    return total([(1, len(sample["json"]["objects"])) for sample in samples])


def in_label_studio(dataset: Path) -> Counts:
    """Run the command of the dataset's card; it writes beside the labels, so in a folder of links."""
    card = (dataset / "README.md").read_text(encoding="utf-8")
    script = re.findall(r"```sh\n(.*?)```", card, re.DOTALL)[0]
    module("label_studio_sdk.converter")
    with tempfile.TemporaryDirectory() as name:
        for part in ("images", "labels", "classes.txt"):
            (Path(name) / part).symlink_to((dataset / part).resolve())
        paths = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-ec", script], cwd=name, env=paths, check=True, capture_output=True)
        made = (Path(name) / "label-studio").glob("*.json")
        tasks = [task for path in made for task in json.loads(path.read_text())]
    return len(tasks), sum(len(found["result"]) for task in tasks for found in task["annotations"])


def in_rfdetr(dataset: Path) -> Counts:
    """Let it tell the format, and read each split as its training does."""
    assert module("rfdetr.datasets").detect_roboflow_format(dataset) == "yolo"
    yolo = module("rfdetr.datasets.yolo")
    assert yolo.is_valid_yolo_dataset(str(dataset))
    parts = [
        yolo.YoloDetection(str(dataset / "images" / split), str(dataset / "labels" / split), str(dataset / "data.yaml"))
        for split in splits_in(dataset)
    ]
    return total([(1, len(part[number][1]["boxes"])) for part in parts for number in range(len(part))])


def in_fiftyone_coco(dataset: Path) -> Counts:
    """Read with its importer alone: a dataset of FiftyOne needs a database server."""
    importer = module("fiftyone.utils.coco").COCODetectionDatasetImporter
    counts = []
    for split in splits_in(dataset):
        labels = str(dataset / f"annotations/instances_{split}.json")
        with importer(data_path=str(dataset), labels_path=labels, label_types="detections") as samples:
            for path, _, found in samples:
                assert Path(path).is_file()
                counts.append((1, len(found.detections) if found else 0))
    return total(counts)


def in_fiftyone_yolo(dataset: Path) -> Counts:
    importer = module("fiftyone.utils.yolo").YOLOv5DatasetImporter
    counts = []
    for split in splits_in(dataset):
        with importer(dataset_dir=str(dataset), yaml_path="data.yaml", split=split) as samples:
            counts += [(1, len(found.detections) if found else 0) for _, _, found in samples]
    return total(counts)


def in_cvats_reader(dataset: Path) -> Counts:
    """Read what the card puts into cvat.zip with CVAT's edition of datumaro."""
    module("datumaro.plugins.yolo_format.importer")
    with tempfile.TemporaryDirectory() as name:
        for path in [dataset / "data.yaml", *dataset.glob("images/*/*.jpg"), *dataset.glob("labels/*/*.txt")]:
            link = Path(name) / path.relative_to(dataset)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
        loaded = module("datumaro.components.dataset").Dataset.import_from(name, "yolov8_detection")
        return total([(1, len(item.annotations)) for item in loaded])


LOADERS: list[tuple[str, str, Callable[[Path], Counts]]] = [
    ("manifest.parquet", "pyarrow", in_manifest),
    ("data/*.parquet", "pyarrow", in_parquet),
    ("pycocotools", "pycocotools", in_pycocotools),
    ("albumentations", "albumentations", in_albumentations),
    ("supervision, COCO", "supervision", in_supervision_coco),
    ("supervision, YOLO", "supervision", in_supervision_yolo),
    ("datasets", "datasets", in_datasets),
    ("webdataset", "webdataset", in_webdataset),
    ("Label Studio", "label-studio-sdk", in_label_studio),
    ("RF-DETR", "rfdetr", in_rfdetr),
    ("FiftyOne, COCO", "fiftyone", in_fiftyone_coco),
    ("FiftyOne, YOLO", "fiftyone", in_fiftyone_yolo),
    ("CVAT's datumaro", "datumaro", in_cvats_reader),
]


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "from source"


def row_of(tool: str, package: str, count: Callable[[Path], Counts], dataset: Path, wanted: Counts) -> tuple[str, bool]:
    """Return a line of the table, and whether the counts are right; a tool or format that is missing is skipped."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            images, boxes = count(dataset)
    except (ImportError, FileNotFoundError) as error:
        return f"{tool} | - | skipped: {error} |", True
    except Exception as error:  # a tool's own: this is what the table is for
        return f"{tool} | {version_of(package)} | FAILED: {' '.join(str(error).split())[:200]} |", False
    if (images, boxes) == (0, 0) and tool == "data/*.parquet":
        return f"{tool} | - | skipped: not among dataset.formats |", True
    right = (images, boxes) == wanted
    return f"{tool} | {version_of(package)} | {images} | {boxes}{'' if right else ' WRONG'}", right


def main(datasets: list[Path]) -> int:
    """Print a table per dataset; return 1 if a count is wrong."""
    outcomes = []
    for dataset in datasets:
        wanted = in_manifest(dataset)
        print(f"\n{dataset}\ntool | version | images | boxes\n---|---|---:|---:")
        for tool, package, count in LOADERS:
            line, right = row_of(tool, package, count, dataset, wanted)
            print(line, flush=True)
            outcomes.append(right)
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="+", type=Path, help="folders such as demo/results/dataset")
    chosen = [path.resolve() for path in parser.parse_args().datasets]
    with tempfile.TemporaryDirectory() as cache:  # set before any tool is imported
        os.environ |= {"HF_DATASETS_CACHE": cache, "HF_HUB_OFFLINE": "1", "FIFTYONE_DO_NOT_TRACK": "true"}
        sys.exit(main(chosen))
