"""The format of a model follows from the configuration, the weights and the machine."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.core.errors import UserError
from scripts.detection.model_format import cache_key, choose_format, export_options, has_cuda


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


def test_impossible_tensorrt_is_refused_with_a_remedy() -> None:
    for suffix, cuda, tensorrt in ((".pt", False, True), (".pt", True, False), (".onnx", True, True)):
        with pytest.raises(UserError, match="models.format: tensorrt needs .*pip install tensorrt"):
            choose_format("tensorrt", suffix, cuda, tensorrt)


def test_exports_take_any_rectangle_and_tensorrt_half_precision() -> None:
    assert export_options("openvino", 320)["dynamic"] and export_options("tensorrt", 320)["dynamic"]
    assert (export_options("tensorrt", 320)["quantize"], export_options("tensorrt", 320)["batch"]) == (16, 16)


def test_a_built_model_is_named_by_weights_format_and_input_size() -> None:
    keys = {cache_key(sha256, "openvino", px) for sha256 in ("1" * 64, "2" * 64) for px in (320, 640)}
    assert len(keys) == 4 and cache_key("1" * 64, "openvino", 320) in keys


@pytest.mark.parametrize(
    ("device", "pytorch_finds_one", "has_one"),
    [("nvidia0", True, True), ("dxg", True, True), ("nvidia0", False, False), ("null", True, False)],
)
def test_a_machine_has_a_gpu_if_there_is_a_device_and_pytorch_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, pytorch_finds_one: bool, has_one: bool
) -> None:
    """No test machine has a GPU, so what PyTorch would find is made up."""
    (tmp_path / device).touch()
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: pytorch_finds_one))
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert has_cuda(tmp_path) == has_one
