"""Check a model's weights and compile them into the fastest format of this machine."""

import logging
import shutil
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.errors import UserError
from scripts.core.files import sha256_of, write_json
from scripts.core.layout import MODEL_CARD
from scripts.core.locks import hold_folder
from scripts.detection.model_build import (
    build_model,
    fit_metadata,
    read_folder_metadata,
    read_metadata,
    read_shape,
    read_weights,
    suppresses_itself,
)
from scripts.detection.model_format import ENGINE, OPENVINO, cache_key, choose_format, has_cuda
from scripts.inputs.model_choice import chosen_model, is_served, roles_of
from scripts.job.budget import MARKS, at_work
from scripts.job.environment import inference_threads, is_submission
from scripts.job.start import start_job
from scripts.model.card import ModelCard, ModelFile, check_classes, check_most, describe_file
from scripts.model.engine import import_ultralytics
from scripts.model.inference import RuntimeOptions
from scripts.model.load import COPY
from scripts.model.weights import check_weights, fetch_weights
from scripts.warm.client import start_early
from scripts.warm.devices import cuda_devices, use_alone

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def compile_for_roles(
    chosen: Mapping[str, Mapping[str, Any]], spec: Mapping[str, Any], out: Path, store: Path, runtime: RuntimeOptions
) -> None:
    """Compile the model that some roles share, check their classes, and start the filter's detector early.

    `chosen` has the choice of each role, `spec` the weights, form and imgsz_px that they share.
    """
    sha256 = [choice["weights_sha256"] for choice in chosen.values()]
    with use_alone(cuda_devices()[:1] or ["cpu"]):  # a model that is compiled for a GPU is tried on the first one
        card = compile_model(**spec, sha256=sha256, out=out, store=store, work=runtime.work)
    for role, choice in chosen.items():
        check_classes(choice["classes"], card["names"], f"{role}.classes", choice["model"])
        check_most(choice["max_objects"], card["most_objects"], f"{role}.max_objects", choice["model"])
    if starts_early(chosen, runtime.warm, is_submission()):
        start_early(out, runtime)


def starts_early(roles: Iterable[str], warm: bool, submitted: bool) -> bool:
    """Return whether the warm detector loads this model now, while the first frames are extracted.

    Only the filter needs its model soon. In a submission to a cluster the detector would end with this job.
    """
    return "filter" in roles and warm and not submitted


def compile_model(
    weights: str, sha256: Iterable[str], form: str, imgsz_px: int, out: Path, store: Path, work: Path
) -> ModelCard:
    """Write the model and its card into `out` and return the card.

    Raise UserError if the weights are missing, or have none of the wanted `sha256` (empty: any).
    """
    out.mkdir(parents=True, exist_ok=True)
    if is_served(weights):
        file, name, found, compiled = describe_served(weights, sha256, work), weights, "", ""
    else:
        source = Path(weights)
        if not source.exists():
            source = fetch_weights(weights, store / "models", work)
        copy = copy_weights(source, out)
        found = check_weights(copy, sha256, source)
        file = place_model(copy, source, found, form, imgsz_px, store / "models", work)
        name, compiled = source.name, sha256_of(out / file["file"])
    card: ModelCard = {**file, "weights": name, "weights_sha256": found, "compiled_sha256": compiled}
    if card["task"] == "obb":
        logging.warning("%s finds rotated boxes: labels are the upright boxes around them", weights)
    write_json(out / MODEL_CARD, card)
    return card


def describe_served(url: str, sha256: Iterable[str], work: Path) -> ModelFile:
    """Return the description of a model on a Triton server, from the metadata in the server's configuration."""
    if set(sha256) - {""}:
        raise UserError(f"weights_sha256: {url} is on a server, where its weights cannot be checked: leave it empty")
    import_ultralytics(work, offline=True)
    from ultralytics.utils.triton import TritonRemoteModel

    try:
        metadata = TritonRemoteModel(url).metadata
    except ImportError as error:
        raise UserError(f"{url}: to use a Triton server, pip install 'tritonclient[all]'") from error
    except Exception as error:  # each protocol raises its own errors
        raise UserError(f"{url}: no Triton server answers for this model: {error}") from error
    return describe_file(metadata, url, url)


def copy_weights(source: Path, out: Path) -> Path:
    """Copy the model to a name of ours and return that: what is checked is what is loaded, see load_model()."""
    if not source.is_dir():
        return Path(shutil.copyfile(source, out / f"{COPY}{source.suffix}"))
    if not (source / "metadata.yaml").is_file():
        raise UserError(f"model folder {source} has no metadata.yaml: it is not an OpenVINO export of ultralytics")
    return Path(shutil.copytree(source, out / OPENVINO, copy_function=shutil.copyfile))  # a link could change later


def place_model(copy: Path, source: Path, sha256: str, form: str, imgsz_px: int, cache: Path, work: Path) -> ModelFile:
    """Bring our copy of `source` into the format that this machine runs, built at most once per `cache`.

    Of a folder, and of a model that was built before, only the description is read: PyTorch need not be loaded.
    """
    out = copy.parent
    if copy.is_dir():
        return describe_openvino(copy, source)
    format_ = choose_format(form, copy.suffix, has_cuda(), find_spec("tensorrt") is not None)
    logging.info("%s runs as %s", source, format_)
    if format_ == "native":
        return describe_native(copy, source, work)
    entry = cache / f"{source.stem}-{cache_key(sha256, format_, imgsz_px)}"
    if not entry.exists():
        with hold_folder(cache):
            if not entry.exists():  # another run with the same store may have built it
                build_model(import_ultralytics(work, offline=True), copy, format_, imgsz_px, entry, str(source))
    copy.unlink()
    shutil.copytree(entry, out, dirs_exist_ok=True, copy_function=shutil.copyfile)
    if format_ == "tensorrt":
        import_ultralytics(work, offline=True)
        return describe_file(read_metadata(out / ENGINE), str(source), ENGINE)
    return describe_openvino(out / OPENVINO, source)


def describe_native(copy: Path, source: Path, work: Path) -> ModelFile:
    """Return the description of a model that runs as it is."""
    ultralytics = import_ultralytics(work, offline=True)
    if copy.suffix == ".pt":
        known = read_weights(ultralytics, copy, str(source))
        return describe_file(known, str(source), copy.name, most_objects=known["most_objects"])
    metadata = read_metadata(copy)
    shape = read_shape(copy, str(source)) if copy.suffix == ".onnx" and metadata else None
    return describe_file(metadata, str(source), copy.name, shape)


def describe_openvino(folder: Path, source: Path) -> ModelFile:
    """Return the description of our OpenVINO folder. What it takes is read from its graph."""
    known = read_folder_metadata(folder)
    describe_file(known, str(source), folder.name)  # before its graph is read
    shape = read_shape(folder, str(source))
    fit_metadata(folder, shape)
    most = known.get("most_objects") or (shape.rows if suppresses_itself(known) else None)
    return describe_file(known, str(source), folder.name, shape, most)


if __name__ == "__main__":
    start_job(snakemake.log[0])
    roles = roles_of(snakemake.config, snakemake.wildcards.model)
    runtime = RuntimeOptions(inference_threads(), Path(snakemake.params.work), snakemake.config["detector"]["warm"])
    out, store = Path(snakemake.output.model), Path(snakemake.config["store"])
    with at_work(MARKS, "filter", snakemake.wildcards.model):  # no filter can start before this job ends
        chosen = {role: chosen_model(snakemake.config, role) for role in roles}
        compile_for_roles(chosen, snakemake.params.model, out, store, runtime)
