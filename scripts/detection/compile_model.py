"""Check a model's weights and bring them into the fastest format of this machine."""

import ast
import hashlib
import logging
import shutil
from collections.abc import Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from scripts.core.errors import UserError
from scripts.core.files import unfinished, write_json, write_text
from scripts.core.layout import MODEL_CARD
from scripts.core.locks import hold_folder
from scripts.inputs.model_choice import chosen_model, is_served, roles_of
from scripts.job.budget import MARKS, at_work
from scripts.job.environment import inference_threads, is_submission
from scripts.job.start import start_job
from scripts.model.card import check_classes
from scripts.model.engine import import_ultralytics
from scripts.model.inference import RuntimeOptions
from scripts.model.weights import check_weights, fetch_weights
from scripts.warm.client import start_early

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


Card = dict[str, Any]
OPENVINO = "model_openvino_model"  # the suffixes tell ultralytics the format
ENGINE = "model.engine"
BATCH = 16  # pictures at a time, where a model takes any number


def compile_model(
    weights: str, sha256: Iterable[str], form: str, imgsz_px: int, out: Path, store: Path, work: Path
) -> list[str]:
    """Write the model and model.json (file, names, batch, input size, sha256 of weights); return its class names."""
    out.mkdir(parents=True, exist_ok=True)
    if is_served(weights):
        card = ask_server(weights, sha256, work)
    else:
        source = Path(weights)
        if not source.exists():
            source = fetch_weights(weights, store / "models", work)
        found = check_weights(source, sha256)
        card = take_model(source, found, form, imgsz_px, out, store / "models", work)
        card |= {"weights": source.name, "weights_sha256": found}
    write_json(out / MODEL_CARD, card)
    names: list[str] = card["names"]
    return names


def ask_server(url: str, sha256: Iterable[str], work: Path) -> Card:
    """Return the card of a model that a Triton server runs, from what ultralytics wrote into its configuration."""
    if set(sha256) - {""}:
        raise UserError(f"weights_sha256: {url} is on a server, where its weights cannot be checked: leave it empty")
    import_ultralytics(work, offline=True)
    from ultralytics.utils.triton import TritonRemoteModel

    try:
        metadata = TritonRemoteModel(url).metadata
    except ImportError as error:
        raise UserError(f"{url}: to ask a Triton server, pip install 'tritonclient[all]'") from error
    except Exception as error:  # each protocol has errors of its own
        raise UserError(f"{url}: no Triton server answers for this model: {error}") from error
    return read_card(metadata, url, url) | {"file": url, "weights": url, "weights_sha256": ""}


def take_model(source: Path, sha256: str, form: str, imgsz_px: int, out: Path, cache: Path, work: Path) -> Card:
    """Put the model into `out` in the format that runs; return file, names and batch."""
    if source.is_dir():
        if not (source / "metadata.yaml").is_file():
            raise UserError(f"model folder {source} has no metadata.yaml: it is not an OpenVINO export of ultralytics")
        shutil.copytree(source, out / OPENVINO, copy_function=shutil.copyfile)  # a link would change with a new export
        known = yaml.safe_load((out / OPENVINO / "metadata.yaml").read_text(encoding="utf-8"))
        return read_card(known, str(source), OPENVINO)
    ultralytics = import_ultralytics(work, offline=True)
    import torch

    chosen = choose_format(form, source.suffix, torch.cuda.is_available(), find_spec("tensorrt") is not None)
    logging.info("%s runs as %s", source, chosen)
    if chosen == "native":
        file = f"model{source.suffix}"
        shutil.copyfile(source, out / file)
        known = _load(ultralytics, source) if source.suffix == ".pt" else _read_metadata(out / file)
        return read_card(known, str(source), file)
    entry = cache / f"{source.stem}-{cache_key(sha256, chosen, imgsz_px)}"
    if not entry.exists():
        with hold_folder(cache):
            if not entry.exists():  # another run that shares the store was faster
                build(ultralytics, source, chosen, imgsz_px, entry)
    shutil.copytree(entry, out, dirs_exist_ok=True, copy_function=shutil.copyfile)
    file = ENGINE if chosen == "tensorrt" else OPENVINO
    return read_card(_read_metadata(out / file), str(source), file)


def choose_format(form: str, suffix: str, has_cuda: bool, has_tensorrt: bool) -> str:
    """Return in which format weights run: `native` (as they are), `openvino` or `tensorrt`."""
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


def cache_key(sha256: str, form: str, imgsz_px: int) -> str:
    """Return a name for what comes of these weights, settings, libraries and, with TensorRT, this GPU."""
    import torch

    parts = [sha256, form, str(imgsz_px), version("ultralytics"), version("torch")]
    parts += [version("openvino")] if form == "openvino" else [version("tensorrt"), torch.cuda.get_device_name()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def export_options(form: str, imgsz_px: int) -> dict[str, Any]:
    """Return how ultralytics exports to a format: any rectangle, and with TensorRT half precision and any batch."""
    if form == "tensorrt":
        return {"format": "engine", "quantize": 16, "batch": BATCH, "dynamic": True, "imgsz": imgsz_px, "device": "0"}
    return {"format": "openvino", "batch": 1, "dynamic": True, "imgsz": imgsz_px, "device": "cpu"}


def build(ultralytics: Any, source: Path, form: str, imgsz_px: int, entry: Path) -> None:
    """Make `entry`, a folder with the model in this format, whole or not at all."""
    with unfinished(entry.parent) as folder:
        copy = folder / f"model{source.suffix}"  # ultralytics writes beside it, and names the export after it
        shutil.copyfile(source, copy)
        if copy.suffix == ".onnx":
            _convert_onnx(copy)
        else:
            _load(ultralytics, copy, str(source))
            ultralytics.YOLO(str(copy), task="detect").export(**export_options(form, imgsz_px), verbose=False)
        for other in folder.iterdir():
            if other.name not in (OPENVINO, ENGINE):
                other.unlink()
        if form == "openvino":
            _clean(folder / OPENVINO / "metadata.yaml")
        folder.rename(entry)


def _load(ultralytics: Any, weights: Path, told: str = "") -> dict[str, Any]:
    """Return names and batch of .pt weights; raise UserError if they are none, or of another task."""
    try:
        model = ultralytics.YOLO(str(weights), task="detect")
    except Exception as error:  # ultralytics and pickle raise what they like on a damaged file
        raise UserError(
            f"{told or weights} cannot be loaded as ultralytics weights: {type(error).__name__}: {error}"
        ) from error
    if model.task != "detect":
        raise UserError(f"{told or weights} is a model for '{model.task}'; allowed: a detection model")
    return {"names": dict(model.names), "dynamic": True}


def _convert_onnx(source: Path) -> None:
    """Write an OpenVINO model beside an ONNX one."""
    import openvino

    metadata = _read_metadata(source)
    openvino.save_model(openvino.convert_model(source), source.parent / OPENVINO / "model.xml", compress_to_fp16=False)
    write_text(source.parent / OPENVINO / "metadata.yaml", yaml.safe_dump(metadata))


def _clean(metadata: Path) -> None:
    """Take clock and paths out of an export's description, which would give other bytes each time."""
    known = yaml.safe_load(metadata.read_text(encoding="utf-8"))
    kept = {key: value for key, value in known.items() if key not in ("date", "description")}
    write_text(metadata, yaml.safe_dump(kept, sort_keys=True))


def _read_metadata(file: Path) -> dict[str, Any]:
    from ultralytics.nn.backends.base import BaseBackend

    known: dict[str, Any] = BaseBackend.read_metadata(file)
    return known


def read_card(metadata: dict[str, Any] | None, source: str, file: str) -> Card:
    """Return a model's file, names, fixed batch and input size (None: any) and largest batch, by what it says."""
    if not metadata or not metadata.get("names") or metadata.get("task", "detect") != "detect":
        raise UserError(f"{source} does not say that it is a detection model exported by ultralytics, and its classes")
    told = {key: metadata.get(key) for key in ("names", "args", "dynamic", "batch", "imgsz")}
    known: dict[str, Any] = {k: ast.literal_eval(v) if isinstance(v, str) else v for k, v in told.items()}
    arguments: dict[str, Any] = known["args"] or {}
    dynamic = known["dynamic"] or arguments.get("dynamic")
    names = [name for _, name in sorted((int(key), name) for key, name in known["names"].items())]
    batch = int(known["batch"] or 1)
    fixed = {"batch": batch, "imgsz_px": max(known["imgsz"] or [640])}
    most = batch if file.endswith(".engine") else BATCH  # TensorRT takes no more than it was built for
    return {"file": file, "names": names, "most": most} | (dict.fromkeys(fixed) if dynamic else fixed)


if __name__ == "__main__":
    start_job(snakemake.log[0])
    # Roles, hashes and class lists are no parameters: others compile nothing anew, and so label nothing anew.
    roles = roles_of(snakemake.config, snakemake.wildcards.model)
    with at_work(MARKS, "filter", snakemake.wildcards.model):  # no filter can begin before
        compiled_names = compile_model(
            **snakemake.params.model,
            sha256=[chosen_model(snakemake.config, role)["weights_sha256"] for role in roles],
            out=Path(snakemake.output.model),
            store=Path(snakemake.config["store"]),
            work=Path(snakemake.params.work),
        )
        for role in roles:
            chosen = chosen_model(snakemake.config, role)
            check_classes(chosen["classes"], compiled_names, f"{role}.classes", chosen["model"])
        # The filter's model loads while the first frames are extracted; the other one is not needed for long.
        # In a submission to a cluster it would end with this job.
        if "filter" in roles and snakemake.config["detector"]["warm"] and not is_submission():
            runtime = RuntimeOptions(inference_threads(), Path(snakemake.params.work), warm=True)
            start_early(Path(snakemake.output.model), runtime)
