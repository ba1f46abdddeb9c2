"""Choose the format in which a model runs, and how ultralytics exports to it."""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.model.card import BATCH

# Devices of the drivers of NVIDIA, Jetson boards, Windows and AMD. Without any of them, PyTorch finds no GPU.
GPU_DEVICES = ("nvidia*", "nvhost-ctrl*", "dxg", "kfd")
OPENVINO = "model_openvino_model"  # ultralytics recognises a format by the suffix
ENGINE = "model.engine"


def choose_format(form: str, suffix: str, has_cuda: bool, has_tensorrt: bool) -> str:
    """Return the format for weights with this suffix: `native` (as they are), `openvino` or `tensorrt`.

    `form` is config key models.format. Raise UserError if it asks for tensorrt and the machine or the weights lack it.
    """
    if suffix == ".engine" or form == "native":
        return "native"
    if form == "tensorrt" and not (has_cuda and has_tensorrt and suffix == ".pt"):
        raise UserError(
            "models.format: tensorrt needs .pt weights, a CUDA GPU and `pip install tensorrt-cu12 onnx onnxslim`;"
            " allowed here: auto, native, openvino"
        )
    if form != "auto":
        return form
    if not has_cuda:
        return "openvino"
    return "tensorrt" if has_tensorrt and suffix == ".pt" else "native"


def export_options(form: str, imgsz_px: int) -> dict[str, Any]:
    """Return the arguments of ultralytics' export: any rectangle; TensorRT also half precision and any batch."""
    if form == "tensorrt":
        return {"format": "engine", "quantize": 16, "batch": BATCH, "dynamic": True, "imgsz": imgsz_px, "device": "0"}
    return {"format": "openvino", "batch": 1, "dynamic": True, "imgsz": imgsz_px, "device": "cpu"}


def has_cuda(devices: Path = Path("/dev")) -> bool:
    """Return whether PyTorch can use a GPU. It is loaded only if there is the device of one, as that takes seconds."""
    if not any(next(devices.glob(name), None) for name in GPU_DEVICES):
        return False
    import torch

    return bool(torch.cuda.is_available())


def name_of_gpu() -> str:
    """Return the name of the first GPU."""
    import torch

    return str(torch.cuda.get_device_name())


def cache_key(sha256: str, form: str, imgsz_px: int) -> str:
    """Return a name that changes with the weights, the settings, the libraries and, for TensorRT, the GPU."""
    parts = [sha256, form, str(imgsz_px), version("ultralytics"), version("torch")]
    parts += [version("openvino")] if form == "openvino" else [version("tensorrt"), name_of_gpu()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
