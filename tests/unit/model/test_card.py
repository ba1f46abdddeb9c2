"""A card describes a compiled model, and a configuration that does not fit it is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.model.card import ModelCard, check_classes, check_roles, describe_file, runs_on_cpu

CARD: ModelCard = {
    "file": "model_openvino_model",
    "names": ["car", "person"],
    "most": 16,
    "batch": None,
    "imgsz_px": None,
    "weights": "w.pt",
    "weights_sha256": "1" * 64,
}


def test_metadata_is_read_in_every_form_that_ultralytics_writes() -> None:
    known = {"names": {0: "a", 1: "b"}, "batch": 4, "imgsz": [640, 480], "task": "detect"}
    card = {"file": "f", "names": ["a", "b"], "batch": 4, "imgsz_px": 640, "most": 16}
    assert describe_file(known, "m", "f") == card
    assert describe_file({key: str(value) for key, value in known.items()}, "m", "f") == card
    free = {"batch": None, "imgsz_px": None}
    assert describe_file(known | {"dynamic": True}, "m", "f") == card | free
    assert describe_file(known | {"args": {"dynamic": True}}, "m", "f") == card | free
    assert describe_file(known | {"dynamic": True}, "m", "f.engine")["most"] == 4, "what TensorRT was built for"
    for wrong in (None, {}, known | {"task": "segment"}):
        with pytest.raises(UserError, match="m has no metadata of a detection model"):
            describe_file(wrong, "m", "f")


def test_unknown_classes_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"filter.classes: m.pt has no class 'cat'; allowed: car, person, dog"):
        check_classes(["car", "cat"], ["car", "person", "dog"], "filter.classes", "m.pt")
    check_classes([], ["car"], "k", "m")


def choice(model: Path, classes: list[str], sha256: str = "") -> dict[str, Any]:
    return {"model": str(model), "weights_sha256": sha256, "classes": classes}


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
