"""Check a model's weights and bring them into the fastest format of this machine."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from scripts._detector import check_classes
from scripts._engine import import_ultralytics
from scripts._files import sha256_of, write_json, write_text
from scripts._log import UserError, log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def compile_model(
    weights: str, sha256: Iterable[str], form: str, imgsz_px: int, out: Path, store: Path, work: Path
) -> list[str]:
    """Write the model and model.json (file, format, names, batch, sha256 of the weights); return its class names."""
    out.mkdir(parents=True, exist_ok=True)
    source = Path(weights)
    ultralytics = import_ultralytics(work, offline=source.exists())
    if not source.exists():
        source = fetch_weights(weights, store / "models")
    found = check_weights(source, sha256)
    if source.is_dir():
        file, card = _take_openvino(source, out)
    else:
        file, card = _take_weights(ultralytics, source, form, imgsz_px, out)
    names = [name for _, name in sorted(card["names"].items())]
    write_json(
        out / "model.json",
        {"weights": source.name, "weights_sha256": found, "file": file, "names": names, "batch": card["batch"]},
    )
    return names


def fetch_weights(name: str, folder: Path) -> Path:
    """Return the path of a published model's weights, fetched into `folder` once."""
    from ultralytics.utils.downloads import attempt_download_asset

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    if not target.exists():
        try:
            attempt_download_asset(str(target), retry=1)
        except Exception as error:
            logging.warning("%s", error)
    if not target.exists():
        raise UserError(
            f"model '{name}' is not in {Path.cwd()} or {folder} and could not be fetched: put the file there"
        )
    return target


def check_weights(source: Path, sha256: Iterable[str]) -> str:
    """Return the sha256 of the weights; raise UserError, before anything unpickles them, if another is wanted."""
    found, wanted = sha256_of(source), set(sha256) - {""}
    if other := wanted - {found}:
        raise UserError(
            f"weights_sha256: {source} has {found}, not {other.pop()}: not loaded, since weights can carry code"
        )
    logging.info("%s: sha256 %s%s", source, found, "" if wanted else " (any accepted: weights_sha256 is empty)")
    return found


def _take_openvino(source: Path, out: Path) -> tuple[str, dict[str, Any]]:
    file = "model_openvino_model"  # the suffix tells ultralytics the format
    if not (source / "metadata.yaml").is_file():
        raise UserError(f"model folder {source} has no metadata.yaml: it is not an OpenVINO export of ultralytics")
    shutil.copytree(source, out / file, copy_function=shutil.copyfile)  # no links: a new export must not change it
    return file, _read_metadata(out / file)


def _take_weights(ultralytics: Any, source: Path, form: str, imgsz_px: int, out: Path) -> tuple[str, dict[str, Any]]:
    import torch

    file = f"model{source.suffix}"
    shutil.copyfile(source, out / file)
    try:
        model = ultralytics.YOLO(str(out / file), task="detect")
    except Exception as error:  # ultralytics and pickle raise what they like on a damaged file
        raise UserError(f"{source} cannot be loaded as ultralytics weights: {type(error).__name__}: {error}") from error
    if model.task != "detect":
        raise UserError(f"{source} is a model for '{model.task}'; allowed: a detection model")
    if form == "native" or (form == "auto" and torch.cuda.is_available()):
        return file, {"names": dict(model.names), "batch": None}
    model.export(format="openvino", imgsz=imgsz_px, dynamic=True, batch=1, device="cpu", verbose=False)
    (out / file).unlink()
    return "model_openvino_model", _read_metadata(out / "model_openvino_model", clean=True)


def _read_metadata(folder: Path, clean: bool = False) -> dict[str, Any]:
    """Return names and batch of an export (None: any batch)."""
    path = folder / "metadata.yaml"
    metadata = yaml.safe_load(path.read_text(encoding="utf-8"))
    if clean:  # a clock or a path in it would give other bytes each time
        kept = {k: v for k, v in metadata.items() if k not in ("date", "description")}
        write_text(path, yaml.safe_dump(kept, sort_keys=True))
    dynamic = metadata.get("dynamic") or (metadata.get("args") or {}).get("dynamic")
    return {"names": metadata["names"], "batch": None if dynamic else int(metadata["batch"])}


if __name__ == "__main__":
    log_to(snakemake.log[0])
    compiled_names = compile_model(
        **snakemake.params.model,
        sha256=[snakemake.config[role]["weights_sha256"] for role in snakemake.params.roles],
        out=Path(snakemake.output.model),
        store=Path(snakemake.config["store"]),
        work=Path(snakemake.params.work),
    )
    # Hashes and class lists are read from the config rather than passed as params: another list compiles nothing anew.
    for role in snakemake.params.roles:
        check_classes(
            snakemake.config[role]["classes"], compiled_names, f"{role}.classes", snakemake.config[role]["model"]
        )
