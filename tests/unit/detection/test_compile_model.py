"""Every kind of model comes into the format that runs, once, and decides as its weights do."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.core.files import sha256_of
from scripts.detection.compile_model import compile_model, starts_early
from scripts.inputs.model_choice import is_served
from scripts.model.inference import Inference
from tests._clips import extract
from tests._forked import TORCH, run_loaded
from tests._infer import detect_alone
from tests._models import compiled
from tests.conftest import DEMO, REPO

DETECTOR = DEMO / "detector.pt"
NAMES = ["car", "person", "dog"]


def card_of(weights: Path, folder: Path, form: str = "auto", name: str = "m") -> dict[str, Any]:
    """Compile with a store in `folder` and return the card."""
    card: dict[str, Any] = json.loads((compiled(weights, 320, folder / name, form) / "model.json").read_text())
    return card


def test_an_engine_is_taken_as_it_is(tmp_path: Path) -> None:
    """Only its head is read here: no test machine has a GPU."""
    metadata = json.dumps({"names": dict(enumerate(NAMES)), "batch": 8, "imgsz": [640, 640], "task": "detect"}).encode()
    (tmp_path / "fast.engine").write_bytes(len(metadata).to_bytes(4, "little") + metadata + b"engine")
    card = card_of(tmp_path / "fast.engine", tmp_path)
    assert (card["file"], card["names"], card["batch"]) == ("model.engine", NAMES, 8)
    assert (tmp_path / "m/model.engine").read_bytes() == (tmp_path / "fast.engine").read_bytes()
    (tmp_path / "wrong.engine").write_bytes(b"engine of somebody else")
    with pytest.raises(UserError, match="wrong.engine has no metadata"):
        compile_model(str(tmp_path / "wrong.engine"), [], "auto", 320, tmp_path / "n", tmp_path / "s", tmp_path / "w")


WITHOUT_PYTORCH = """
import sys
from pathlib import Path
from scripts.detection.compile_model import compile_model
weights, store, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
compile_model(weights, [], "openvino", 320, out, store, out.parent / "work")
assert sys.modules["openvino_telemetry"] is None
print(*{"torch", "ultralytics"} & sys.modules.keys())
"""


@pytest.mark.parametrize("weights", ["weights", "folder"])
def test_a_model_that_was_built_before_is_described_without_pytorch(
    compiled_demo: Path, tmp_path: Path, weights: str
) -> None:
    source = DETECTOR if weights == "weights" else compiled_demo / "openvino/model_openvino_model"
    shutil.copytree(compiled_demo / "store", tmp_path / "store")
    command = [sys.executable, "-c", WITHOUT_PYTORCH, str(source), str(tmp_path / "store"), str(tmp_path / "m")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    assert not done.stdout.split()
    card, known = (
        json.loads((folder / "model.json").read_text()) for folder in (tmp_path / "m", compiled_demo / "openvino")
    )
    assert card["names"] == known["names"] and card["compiled_sha256"] == known["compiled_sha256"]


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
    run_loaded(TORCH, export, tmp_path / "d.pt", folder=tmp_path)
    card = card_of(tmp_path / "d.onnx", tmp_path)
    assert (card["file"], card["names"], card["batch"], card["imgsz_px"]) == ("model_openvino_model", NAMES, 1, 320)
    some = images[::10]
    assert decisions(tmp_path / "m", some, tmp_path / "w") == shown & set(some) != set()


EXPORT = """
import sys
import onnx
from ultralytics import YOLO
YOLO(sys.argv[1]).export(format="onnx", imgsz=320, dynamic=True, simplify=False)
path = sys.argv[1].replace(".pt", ".onnx")
model = onnx.load(path)
older = [entry for entry in model.metadata_props if entry.key not in ("args", "dynamic")]
del model.metadata_props[:]
model.metadata_props.extend(older)
onnx.save(model, path)
"""


@pytest.mark.public_report(
    "found by us 13",
    saw="an ONNX file by an older ultralytics runs at 320 px although it takes any size, whatever imgsz_px says",
    here="what a model takes is read from its graph",
)
def test_an_onnx_of_any_size_whose_metadata_does_not_say_so_runs_at_imgsz_px(
    images: list[Path], compiled_demo: Path, tmp_path: Path
) -> None:
    (tmp_path / "d.pt").write_bytes(DETECTOR.read_bytes())
    run_loaded(TORCH, EXPORT, tmp_path / "d.pt", folder=tmp_path)
    card = card_of(tmp_path / "d.onnx", tmp_path)
    assert (card["file"], card["batch"], card["imgsz_px"]) == ("model_openvino_model", None, None)
    for px in (192, 320):
        query, some = Inference(confidence=0.3, iou=0.7, imgsz_px=px, classes=()), images[10:40:10]
        found = detect_alone(tmp_path / "m", some, query, tmp_path / "w")
        expected = detect_alone(compiled_demo / "openvino", some, query, tmp_path / "w")
        assert [one.classes for one in found] == [one.classes for one in expected]
        assert sum(len(one.classes) for one in found) >= 3
        for one, other in zip(found, expected, strict=True):
            for box, near in zip(one.boxes_xyxy_px, other.boxes_xyxy_px, strict=True):
                assert max(abs(a - b) for a, b in zip(box, near, strict=True)) < 1
    query = Inference(confidence=0.05, iou=0.7, imgsz_px=192, classes=())
    smaller = detect_alone(tmp_path / "m", images[10:12], query, tmp_path / "w")
    larger = detect_alone(tmp_path / "m", images[10:12], Inference(0.05, 0.7, 320, ()), tmp_path / "w")
    assert smaller != larger


OTHER_NAMES = """
import sys
from pathlib import Path
from scripts.model.engine import import_ultralytics
source, target, work = sys.argv[1:]
ultralytics = import_ultralytics(Path(work), offline=True)
model = ultralytics.YOLO(source)
model.model.names = {0: "person", 1: "dog", 2: "car"}
model.save(target)
"""


@pytest.mark.public_report(
    "ultralytics/yolov5 13334",
    saw="a file called yolov5s.pt is replaced by yolov5su.pt",
    here="a copy under a name of ours is checked and loaded, so the file that is named is the one that runs",
)
@pytest.mark.public_report(
    "ultralytics/ultralytics 6228",
    saw="yolov5n.pt is asked for, and yolov5nu.pt is loaded or downloaded",
    here="local weights of any name are loaded themselves; the published ones have to be named as they are",
)
@pytest.mark.parametrize("form", ["native", "auto"])
def test_weights_named_like_old_ones_of_ultralytics_are_loaded_themselves(tmp_path: Path, form: str) -> None:
    folder = Path("/tmp") / f"w{os.getpid()}"  # ultralytics leaves paths with a `u` alone
    folder.mkdir()
    try:
        named = folder / "yolov5s.pt"
        named.write_bytes(DETECTOR.read_bytes())
        run_loaded(TORCH, OTHER_NAMES, DETECTOR, folder / "yolov5su.pt", tmp_path / "w")
        assert card_of(named, tmp_path, form)["names"] == NAMES
        (folder / "yolov5su.pt").write_bytes(pickle.dumps(Bomb()))
        assert card_of(named, tmp_path, form, name="n")["names"] == NAMES
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.public_report(
    "found by us 17",
    saw="an apostrophe in the path of weights or of the store: ultralytics removes it, and the file is not found",
    here="weights are loaded by a plain path, whatever the folder is called",
)
@pytest.mark.parametrize("form", ["native", "auto"])
def test_an_apostrophe_in_a_path_does_no_harm(images: list[Path], shown: set[Path], tmp_path: Path, form: str) -> None:
    folder = tmp_path / " bob's .pt folder "
    folder.mkdir()
    (folder / "bob's best.pt").write_bytes(DETECTOR.read_bytes())
    assert card_of(folder / "bob's best.pt", folder, form)["names"] == NAMES
    some = images[::20]
    assert decisions(folder / "m", some, folder / "w") == shown & set(some) != set()


def test_an_export_of_a_fixed_batch_takes_any_number_of_pictures(
    images: list[Path], shown: set[Path], tmp_path: Path
) -> None:
    export = "import sys; from ultralytics import YOLO; "
    export += "YOLO(sys.argv[1]).export(format='openvino', imgsz=320, batch=4)"
    (tmp_path / "d.pt").write_bytes(DETECTOR.read_bytes())
    run_loaded(TORCH, export, tmp_path / "d.pt", folder=tmp_path)
    card = card_of(tmp_path / "d_openvino_model", tmp_path)
    assert (card["batch"], card["imgsz_px"]) == (4, 320)
    assert decisions(tmp_path / "m", images[:7], tmp_path / "w") == shown & set(images[:7]) != set()


def test_a_compiled_model_is_taken_from_the_store(compiled_demo: Path, tmp_path: Path) -> None:
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
    with pytest.raises(UserError, match="9/m: (to use a Triton server, pip install|no Triton server answers)"):
        compile_model("http://127.0.0.1:9/m", [""], "auto", 320, tmp_path / "m", tmp_path / "s", tmp_path / "w")


class Bomb:
    """A pickle that does harm when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (open, ("harm-was-done", "w"))  # type: ignore[return-value]


def test_weights_with_another_sha256_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evil.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="not loaded"):
        compile_model("evil.pt", ["", "0" * 64], "native", 320, tmp_path / "m", tmp_path / "s", tmp_path / "w")
    assert not Path("harm-was-done").exists()


def test_compiled_twice_gives_the_same_files(model: Path, tmp_path: Path) -> None:
    compiled(DETECTOR, 320, tmp_path / "m")
    for file in sorted(p for p in model.rglob("*") if p.is_file()):
        assert (tmp_path / "m" / file.relative_to(model)).read_bytes() == file.read_bytes(), file.name


def test_an_openvino_folder_is_taken_as_it_is(model: Path, tmp_path: Path) -> None:
    exported = model / "model_openvino_model"
    card = card_of(exported, tmp_path)
    assert (card["names"], card["weights_sha256"]) == (["car", "person", "dog"], sha256_of(exported))
    with pytest.raises(UserError, match="no metadata.yaml"):
        compile_model(str(tmp_path / "w"), [], "auto", 320, tmp_path / "n", tmp_path / "s", tmp_path / "w")


# In a process of its own, as a job: see tests/_infer.py.
ROLES = """
import json, sys
from pathlib import Path
from scripts.core.errors import UserError
from scripts.detection.compile_model import compile_for_roles
from scripts.model.inference import RuntimeOptions
exported, folder = sys.argv[1], Path(sys.argv[2])
spec = {"weights": exported, "form": "auto", "imgsz_px": 320}
choice = {"model": exported, "weights_sha256": "", "classes": ["car"], "max_objects": 300}
chosen = [
    {"filter": choice, "detect": choice | {"classes": ["cat"]}},
    {"filter": choice},
    {"detect": choice | {"weights_sha256": "0" * 64}},
]
answers = []
for number, roles in enumerate(chosen):
    try:
        compile_for_roles(roles, spec, folder / str(number), folder / "s", RuntimeOptions(1, folder / "w", warm=False))
        answers.append("")
    except UserError as error:
        answers.append(str(error))
print("ANSWERS", json.dumps(answers))
"""


def test_the_classes_of_every_role_are_checked(model: Path, tmp_path: Path) -> None:
    printed = run_loaded(TORCH, ROLES, model / "model_openvino_model", tmp_path)
    unknown, right, other = json.loads(printed.split("ANSWERS ")[1])
    assert unknown.startswith("detect.classes: ") and "has no class 'cat'" in unknown and right == ""
    assert other.startswith("weights_sha256: ") and f"not {'0' * 64}" in other


def test_only_the_detector_of_the_filter_starts_early() -> None:
    assert starts_early(["filter", "detect"], warm=True, submitted=False)
    assert not starts_early(["detect", "dedup"], warm=True, submitted=False)
    assert not starts_early(["filter"], warm=False, submitted=False)
    assert not starts_early(["filter"], warm=True, submitted=True)
