"""A loaded model gives the same detections in every format and with any number of threads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.model.engine import is_out_of_memory, predict_batch
from scripts.model.inference import Detections, Inference
from tests._clips import DEFAULTS, extract
from tests._detectors import ASK
from tests._infer import detect_alone
from tests._models import compiled
from tests._traced import read_audit
from tests.conftest import REAL, REPO


def test_formats_agree_and_repeat(
    model: Path, compiled_demo: Path, images: list[Path], alone: list[Detections], tmp_path: Path
) -> None:
    first = alone
    assert [d.image.name for d in first] == ["000001000.jpg", "000002000.jpg", "000003000.jpg"]
    assert sorted(first[0].classes) == ["car", "dog", "person"] and first[1].classes == []
    assert first == detect_alone(model, images, ASK, tmp_path / "w", threads=2)
    native = detect_alone(compiled_demo / "native", images, ASK, tmp_path / "w", threads=2)
    assert [sorted(d.classes) for d in native] == [sorted(d.classes) for d in first]
    for a, b in zip(first[0].boxes_xyxy_px, native[0].boxes_xyxy_px, strict=True):
        assert max(abs(x - y) for x, y in zip(a, b, strict=True)) < 2


class Small:
    """Stands for a device with memory for a few images, because no test machine has too little on demand."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, arrays: list[int]) -> list[int]:
        if len(arrays) > self.most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return arrays


def test_a_batch_is_halved_until_it_fits() -> None:
    assert predict_batch(Small(3), list(range(16)), "cuda:0", None) == list(range(16))
    with pytest.raises(UserError, match="cuda:0 has too little memory for 16 image"):
        predict_batch(Small(3), list(range(16)), "cuda:0", 16)
    with pytest.raises(UserError, match="cuda:0 has too little memory for 1 image"):
        predict_batch(Small(0), list(range(16)), "cuda:0", None)
    assert predict_batch(Small(0), [], "cuda:0", None) == []
    assert is_out_of_memory(MemoryError()) and not is_out_of_memory(RuntimeError("shape mismatch"))


@pytest.mark.skipif(not REAL.exists(), reason="no real videos beside the checkout")
@pytest.mark.parametrize(("name", "at_least"), [("bottle-detection.mp4", 0.1), ("car-detection.mp4", 0.15)])
def test_skipped_copies_of_a_fixed_camera_lose_no_class(tmp_path: Path, name: str, at_least: float) -> None:
    video, work = REAL / "videos" / name, tmp_path / "work"
    rows = extract(video, tmp_path, interval_s=0.2)
    distinct = extract(video, tmp_path / "distinct", interval_s=0.2, similar_bits=DEFAULTS["similar_bits"])
    kept = {row["frame"] for row in distinct if row["keep"]}
    assert at_least <= 1 - len(kept) / len(rows) <= 0.3
    compiled(REAL / "model/yolo11n_int8_openvino_model", 640, tmp_path / "model")
    images = [tmp_path / "out" / row["frame"] for row in rows]
    query = Inference(confidence=0.35, iou=0.7, imgsz_px=640, classes=())
    shown = {d.image.name: set(d.classes) for d in detect_alone(tmp_path / "model", images, query, work, threads=2)}
    classes = set().union(*shown.values())
    assert len(classes) >= 3 and classes == set().union(*(shown[frame] for frame in kept))


IMPORTS = """
import os, sys
from pathlib import Path
from scripts.model.engine import import_ultralytics
import_ultralytics(Path(sys.argv[1]), offline=sys.argv[2] == "offline")
from openvino import convert_model
from openvino.tools.ovc import telemetry_utils
telemetry_utils.init_ovc_telemetry().send_event("ovc", "conversion", "a model")
"""


@pytest.mark.public_report(
    "ultralytics/ultralytics 1196",
    saw="without network, ultralytics looks for a newer version of itself on PyPI and fails",
    here="its import looks up no name, also before a download of published weights",
)
@pytest.mark.parametrize("network", ["offline", "online"])
def test_loading_the_libraries_sends_nothing(tmp_path: Path, network: str) -> None:
    """The real openvino-telemetry is not in the lock, so one that would notice its import stands for it."""
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "openvino_telemetry.py").write_text("raise SystemExit('openvino_telemetry was imported')\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("YOLO_", "XDG_", "MPL"))}
    environment |= {
        "HOME": str(tmp_path / "home"),
        "AUDIT_LOG": str(tmp_path / "audit.log"),
        "PYTHONPATH": os.pathsep.join(map(str, (planted, REPO / "tests/audit", REPO))),
    }
    command = [sys.executable, "-c", IMPORTS, str(tmp_path / "work"), network]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    trace = read_audit(tmp_path / "audit.log")
    assert not trace.names and not trace.addresses
    assert trace.paths and not (tmp_path / "home").exists()


LOADED = """
import sys
from pathlib import Path
from scripts.model.engine import Engine
Engine(Path(sys.argv[1]), "cpu", 1, Path(sys.argv[2]))
assert sys.modules["torchvision"].ops.nms
assert not [name for name in sys.modules if name.startswith(("torch._dynamo", "sympy"))]
import torch._dynamo.utils
assert Path(torch._dynamo.utils.__file__).is_file()
"""


def test_an_engine_loads_torchvision_without_half_of_pytorch(model: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOADED, str(model), str(tmp_path / "work")], cwd=REPO, check=True)


@pytest.mark.parametrize("used", ["is_compile_supported", "another"])
def test_a_torchvision_that_needs_more_of_pytorch_gets_it(tmp_path: Path, used: str) -> None:
    """Packages of three lines stand for versions of PyTorch and torchvision that do not exist yet."""
    for name in ("torch/_dynamo", "torchvision"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "torch/__init__.py").touch()
    (tmp_path / "torch/_dynamo/__init__.py").touch()
    (tmp_path / "torch/_dynamo/utils.py").write_text("is_compile_supported = another = 'real'\n")
    (tmp_path / "torchvision/__init__.py").write_text(f"from torch._dynamo.utils import {used} as used\n")
    code = "import sys; from scripts.model.engine import import_torchvision; import_torchvision(); import torchvision"
    code += "; import torch._dynamo.utils as u; print(torchvision.used == 'real', u.another)"
    command, path = [sys.executable, "-c", code], os.pathsep.join((str(tmp_path), str(REPO)))
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(used == "another"), "real"]
