"""COCO's own library loads, draws and evaluates the labels."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.collections import PatchCollection
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from scripts.inputs.videos import SPLITS
from tests._exported import (
    CLASSES,
    assert_same,
    corners,
)


@pytest.mark.parametrize("split", SPLITS)
def test_pycocotools_loads_each_split(dataset: Path, split: str) -> None:
    coco = COCO(str(dataset / f"annotations/instances_{split}.json"))
    names = {number: category["name"] for number, category in coco.cats.items()}
    assert list(names.values()) == CLASSES
    found = {
        Path(image["file_name"]).stem: [
            (corners(a["bbox"]), names[a["category_id"]]) for a in coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        ]
        for number, image in coco.imgs.items()
    }
    assert_same(found, split)


@pytest.mark.public_report(
    "label-studio 7096", saw="of two images with one name in two folders, the YOLO export keeps one",
    here="names hold the video, so each image has its own label file",
)  # fmt: skip
@pytest.mark.public_report(
    "yolo2labelme 1", saw="an image without a label file ends the conversion",
    here="each image has a label file, an empty one if it shows nothing",
)  # fmt: skip
@pytest.mark.parametrize("split", ["train", "val"])
def test_cocos_own_evaluation_of_the_labels_against_themselves_is_perfect(dataset: Path, split: str) -> None:
    coco = COCO(str(dataset / f"annotations/instances_{split}.json"))
    results = [
        {key: annotation[key] for key in ("image_id", "category_id", "bbox", "score")}
        for annotation in coco.anns.values()
    ]
    found = coco.loadRes(results)
    evaluation = COCOeval(coco, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[[0, 1, 8]].tolist() == pytest.approx([1.0, 1.0, 1.0])
    for annotation in found.anns.values():  # results get the masks that boxes alone do not have
        left, top, wide, high = annotation["bbox"]
        assert abs(int(found.annToMask(annotation).sum()) - wide * high) <= wide + high + 1


@pytest.mark.public_report(
    "cocodataset/cocoapi 482",
    saw="showAnns raises 'datasetType not supported' for objects with boxes alone",
    here="objects have an empty segmentation: showAnns draws them",
)
@pytest.mark.public_report(
    "Weed-AI/Weed-AI 287",
    saw="boxes without the key segmentation stop pycocotools",
    here="the key is there, with an empty list",
)
def test_pycocotools_draws_boxes_and_finds_classes_by_their_group(dataset: Path) -> None:
    matplotlib.use("Agg")
    coco = COCO(str(dataset / "annotations/instances_train.json"))
    assert coco.getCatIds(supNms=[CLASSES[1]]) == [2] and coco.getCatIds(catNms=CLASSES) == [1, 2]
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=coco.getImgIds(catIds=[2])[0]))
    axes = plt.figure().gca()
    coco.showAnns(annotations, draw_bbox=True)
    drawn = next(child for child in axes.get_children() if isinstance(child, PatchCollection))
    assert len(drawn.get_paths()) == len(annotations) > 0
    plt.close("all")
