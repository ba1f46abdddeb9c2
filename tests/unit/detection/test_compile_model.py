"""Every kind of model comes into the format that runs, once, and decides as its weights do."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.detection.compile_model import choose_format, compile_model, export_options, read_card
from scripts.inputs.model_choice import is_served
from scripts.model.inference import Inference
from tests._clips import extract
from tests._infer import detect_alone
from tests._models import compiled
from tests.conftest import DEMO

DETECTOR = DEMO / "detector.pt"
NAMES = ["car", "person", "dog"]


def card_of(weights: Path, folder: Path, form: str = "auto", name: str = "m") -> dict[str, Any]:
    """Compile with a store in `folder` and return the card."""
    card: dict[str, Any] = json.loads((compiled(weights, 320, folder / name, form) / "model.json").read_text())
    return card


@pytest.mark.parametrize(
    ("form", "suffix", "cuda", "tensorrt", "chosen"),
    [
        ("auto", ".pt", False, False, "openvino"),
        ("auto", ".pt", True, True, "tensorrt"),
        ("auto", ".pt", True, False, "native"),
        ("auto", ".onnx", False, False, "openvino"),
        ("auto", ".onnx", True, True, "native"),
        ("auto", ".engine", True, True, "native"),
        ("openvino", ".pt", True, True, "openvino"),
        ("tensorrt", ".pt", True, True, "tensorrt"),
        ("native", ".pt", False, False, "native"),
    ],
)
def test_the_format_follows_from_config_weights_and_machine(
    form: str, suffix: str, cuda: bool, tensorrt: bool, chosen: str
) -> None:
    assert choose_format(form, suffix, cuda, tensorrt) == chosen


def test_tensorrt_where_it_cannot_be_is_refused_with_a_remedy() -> None:
    for suffix, cuda, tensorrt in ((".pt", False, True), (".pt", True, False), (".onnx", True, True)):
        with pytest.raises(UserError, match="models.format: tensorrt needs .*pip install tensorrt"):
            choose_format("tensorrt", suffix, cuda, tensorrt)


def test_exports_take_any_rectangle_and_tensorrt_half_precision() -> None:
    assert export_options("openvino", 320)["dynamic"] and export_options("tensorrt", 320)["dynamic"]
    assert (export_options("tensorrt", 320)["quantize"], export_options("tensorrt", 320)["batch"]) == (16, 16)


def test_an_export_names_its_classes_in_every_way_that_ultralytics_writes_them() -> None:
    known = {"names": {0: "a", 1: "b"}, "batch": 4, "imgsz": [640, 480], "task": "detect"}
    card = {"file": "f", "names": ["a", "b"], "batch": 4, "imgsz_px": 640, "most": 16}
    assert read_card(known, "m", "f") == card
    assert read_card({key: str(value) for key, value in known.items()}, "m", "f") == card
    free = {"batch": None, "imgsz_px": None}
    assert read_card(known | {"dynamic": True}, "m", "f") == card | free
    assert read_card(known | {"args": {"dynamic": True}}, "m", "f") == card | free
    assert read_card(known | {"dynamic": True}, "m", "f.engine")["most"] == 4, "what TensorRT was built for"
    for wrong in (None, {}, known | {"task": "segment"}):
        with pytest.raises(UserError, match="m does not say that it is a detection model"):
            read_card(wrong, "m", "f")


def test_an_engine_is_taken_as_it_is(tmp_path: Path) -> None:
    """Only its head is read here: no test machine has a GPU."""
    metadata = json.dumps({"names": dict(enumerate(NAMES)), "batch": 8, "imgsz": [640, 640], "task": "detect"}).encode()
    (tmp_path / "fast.engine").write_bytes(len(metadata).to_bytes(4, "little") + metadata + b"engine")
    card = card_of(tmp_path / "fast.engine", tmp_path)
    assert (card["file"], card["names"], card["batch"]) == ("model.engine", NAMES, 8)
    assert (tmp_path / "m/model.engine").read_bytes() == (tmp_path / "fast.engine").read_bytes()
    (tmp_path / "wrong.engine").write_bytes(b"engine of somebody else")
    with pytest.raises(UserError, match="wrong.engine does not say"):
        compile_model(str(tmp_path / "wrong.engine"), [], "auto", 320, tmp_path / "n", tmp_path / "s", tmp_path / "w")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return some hundred frames of the demo's clips."""
    folder, found = tmp_path_factory.mktemp("images"), []
    for name in ("avenue", "crossing", "night", "park"):
        extract(DEMO / f"clips/{name}.mp4", folder / name, interval_s=0.2)
        found += sorted((folder / name / "out").glob("*.jpg"))
    return found


def decisions(model: Path, images: list[Path], work: Path) -> set[Path]:
    """Return the images that pass."""
    query = Inference(confidence=0.4, iou=0.7, imgsz_px=320, classes=tuple(NAMES))
    seen = detect_alone(model, images, query, work, threads=2)
    assert len(seen) == len(images)
    return {one.image for one in seen if one.classes}


@pytest.fixture(scope="module")
def shown(compiled_demo: Path, images: list[Path], tmp_path_factory: pytest.TempPathFactory) -> set[Path]:
    """Return the images that pass by the weights themselves."""
    return decisions(compiled_demo / "native", images, tmp_path_factory.mktemp("native"))


def test_compiled_models_decide_as_their_weights_do(
    compiled_demo: Path, images: list[Path], shown: set[Path], tmp_path: Path
) -> None:
    card = json.loads((compiled_demo / "openvino/model.json").read_text())
    assert (card["file"], card["names"]) == ("model_openvino_model", NAMES)
    exported = decisions(compiled_demo / "openvino", images, tmp_path / "w")
    assert len(images) >= 150 and 0 < len(shown) < len(images)
    assert len(shown ^ exported) / len(images) <= 0.005


def test_onnx_becomes_openvino(images: list[Path], shown: set[Path], tmp_path: Path) -> None:
    export = (
        "import sys; from ultralytics import YOLO; YOLO(sys.argv[1]).export(format='onnx', imgsz=320, simplify=False)"
    )
    (tmp_path / "d.pt").write_bytes(DETECTOR.read_bytes())
    subprocess.run([sys.executable, "-c", export, str(tmp_path / "d.pt")], cwd=tmp_path, check=True)
    card = card_of(tmp_path / "d.onnx", tmp_path)
    assert (card["file"], card["names"], card["batch"], card["imgsz_px"]) == ("model_openvino_model", NAMES, 1, 320)
    some = images[::10]
    assert decisions(tmp_path / "m", some, tmp_path / "w") == shown & set(some) != set()


def test_an_export_of_a_fixed_batch_takes_any_number_of_pictures(
    images: list[Path], shown: set[Path], tmp_path: Path
) -> None:
    export = "import sys; from ultralytics import YOLO; "
    export += "YOLO(sys.argv[1]).export(format='openvino', imgsz=320, batch=4)"
    (tmp_path / "d.pt").write_bytes(DETECTOR.read_bytes())
    subprocess.run([sys.executable, "-c", export, str(tmp_path / "d.pt")], cwd=tmp_path, check=True)
    card = card_of(tmp_path / "d_openvino_model", tmp_path)
    assert (card["batch"], card["imgsz_px"]) == (4, 320)
    assert decisions(tmp_path / "m", images[:7], tmp_path / "w") == shown & set(images[:7]) != set()


def test_what_was_compiled_once_is_taken_from_the_store(compiled_demo: Path, tmp_path: Path) -> None:
    shutil.copytree(compiled_demo / "store", tmp_path / "store")
    [entry] = (tmp_path / "store/models").glob("detector-*")
    (entry / "model_openvino_model/mark").write_text("built before")
    card_of(DETECTOR, tmp_path, name="again")
    assert (tmp_path / "again/model_openvino_model/mark").exists()
    card_of(DETECTOR, tmp_path, "native", "native")
    assert sorted(path.name for path in (tmp_path / "store/models").iterdir()) == [entry.name, "lock"]


def test_models_on_a_server_are_known_by_their_address(tmp_path: Path) -> None:
    assert is_served("http://localhost:8000/yolo") and is_served("grpc://10.0.0.1:8001/a-b")
    assert not any(map(is_served, ["yolo26n.pt", "http://host/", "https://host/x", "http://host/a/b", "file:///x"]))
    with pytest.raises(UserError, match="on a server, where its weights cannot be checked"):
        compile_model("http://127.0.0.1:9/m", ["0" * 64], "auto", 320, tmp_path / "m", tmp_path / "s", tmp_path / "w")
    with pytest.raises(UserError, match="9/m: (to ask a Triton server, pip install|no Triton server answers)"):
        compile_model("http://127.0.0.1:9/m", [""], "auto", 320, tmp_path / "m", tmp_path / "s", tmp_path / "w")
