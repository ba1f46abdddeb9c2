"""A card describes a compiled model, and a configuration that does not fit it is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.model.card import (
    ModelCard,
    Shape,
    check_classes,
    check_most,
    check_roles,
    class_names,
    describe_file,
    runs_on_cpu,
)

CARD: ModelCard = {
    "file": "model_openvino_model",
    "task": "detect",
    "names": ["car", "person"],
    "most": 16,
    "batch": None,
    "imgsz_px": None,
    "most_objects": 300,
    "weights": "w.pt",
    "weights_sha256": "1" * 64,
    "compiled_sha256": "2" * 64,
}


def test_metadata_is_read_in_every_form_that_ultralytics_writes() -> None:
    known = {"names": {0: "a", 1: "b"}, "batch": 4, "imgsz": [640, 480], "task": "detect"}
    card = {"file": "f", "names": ["a", "b"], "batch": 4, "imgsz_px": 640, "most": 16}
    card |= {"task": "detect", "most_objects": None}
    assert describe_file(known, "m", "f") == card
    assert describe_file({key: str(value) for key, value in known.items()}, "m", "f") == card
    free = {"batch": None, "imgsz_px": None}
    assert describe_file(known | {"dynamic": True}, "m", "f") == card | free
    assert describe_file(known | {"args": {"dynamic": True}}, "m", "f") == card | free
    assert describe_file(known | {"dynamic": True}, "m", "f.engine")["most"] == 4, "what TensorRT was built for"
    assert describe_file(known | {"names": ["a", "b"]}, "m", "f") == card
    assert describe_file(known | {"task": "segment"}, "m", "f") == card | {"task": "segment"}
    nothing: tuple[dict[str, Any] | None, ...] = (None, {})
    for wrong in nothing:
        with pytest.raises(UserError, match="m has no metadata of a model exported by ultralytics"):
            describe_file(wrong, "m", "f")
    with pytest.raises(UserError, match="m is a model for 'classify'; allowed: detect, segment, pose, obb"):
        describe_file(known | {"task": "classify"}, "m", "f")


def test_the_graph_decides_on_the_input_and_not_the_metadata() -> None:
    known = {"names": {0: "a"}, "batch": 1, "imgsz": [320, 320]}
    for shape, batch, imgsz_px in (
        (Shape(None, None, None), None, None),
        (Shape(1, None, 320), 1, None),
        (Shape(None, 384, 640), None, 640),
    ):
        card = describe_file(known, "m", "f", shape)
        assert (card["batch"], card["imgsz_px"]) == (batch, imgsz_px)


@pytest.mark.public_report(
    "found by us 12",
    saw="two classes of one name become one class, and naming it finds half of its objects",
    here="such a model is refused, with the name and the numbers of its classes",
)
def test_classes_of_one_name_and_missing_numbers_are_refused() -> None:
    with pytest.raises(UserError, match=r"m has 2 classes called 'car' \(numbers 0, 2\)"):
        class_names({0: "car", 1: "dog", 2: "car"}, "m")
    with pytest.raises(UserError, match=r"m has no name for class number 1, 3, 4, but names up to 5"):
        class_names({0: "car", 2: "dog", 5: "cat"}, "m")
    with pytest.raises(UserError, match=r"m has no name for class number 0"):
        class_names({1: "car"}, "m")
    assert class_names({"1": True, "0": 7}, "m") == ["7", "True"]


@pytest.mark.public_report(
    "ultralytics/ultralytics 3286",
    saw="max_det above 300 has no effect on RT-DETR",
    here="the run is refused, and the message says how many objects the model finds",
)
@pytest.mark.public_report(
    "THU-MIG/yolov10 396",
    saw="an image of a thousand objects gets 300, whatever max_det says",
    here="the run is refused where the model cannot find more, and the report says when a limit is reached",
)
def test_more_objects_than_a_model_can_find_are_refused() -> None:
    check_most(5000, None, "k", "m")
    check_most(300, 100, "k", "m")  # the default is nobody's wish
    with pytest.raises(UserError, match=r"filter.max_objects: m finds at most 300 objects in an image; allowed: up to"):
        check_most(301, 300, "filter.max_objects", "m")


def test_unknown_classes_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"filter.classes: m.pt has no class 'cat'; allowed: car, person, dog"):
        check_classes(["car", "cat"], ["car", "person", "dog"], "filter.classes", "m.pt")
    check_classes([], ["car"], "k", "m")


def choice(model: Path, classes: list[str], sha256: str = "") -> dict[str, Any]:
    return {"model": str(model), "weights_sha256": sha256, "classes": classes, "max_objects": 300}


def test_a_role_is_checked_by_the_card_unless_its_weights_are_newer(tmp_path: Path) -> None:
    weights, card = tmp_path / "w.pt", tmp_path / "m/model.json"
    card.parent.mkdir()
    unknown = {"filter": (choice(weights, ["cat"]), card.parent)}
    check_roles(unknown)  # no card yet
    card.write_text(json.dumps(CARD))
    other_sha256 = {"detect": (choice(weights, ["car"], "2" * 64), card.parent)}
    with pytest.raises(UserError, match=r"(?s)filter.classes: .* no class 'cat'.*\ndetect.weights_sha256: .* has 111"):
        check_roles(unknown | other_sha256)
    check_roles({"filter": (choice(weights, ["car"], "1" * 64), card.parent)})
    weights.touch()
    os.utime(weights, (2**31, 2**31))
    check_roles(unknown | other_sha256)


def test_an_exported_folder_is_checked_by_its_own_metadata(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("names: {0: car, 1: dog}\n")
    check_roles({"filter": (choice(tmp_path, ["dog"]), tmp_path / "m")})
    with pytest.raises(UserError, match="filter.classes: .* has no class 'cat'"):
        check_roles({"filter": (choice(tmp_path, ["cat"]), tmp_path / "m")})


def test_only_native_and_tensorrt_models_use_a_gpu() -> None:
    by_file = {"model_openvino_model": True, "http://h/m": True, "model.pt": False, "model.engine": False}
    for file, on_cpu in by_file.items():
        assert runs_on_cpu({**CARD, "file": file}) == on_cpu, file
