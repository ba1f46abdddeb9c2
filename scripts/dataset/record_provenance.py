"""Tell what the dataset was made with: code, packages, settings, models; nothing of the machine or the hour."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import sha256_of, write_json
from scripts.dataset.versions import PACKAGES, commit_of, installed_versions, model_facts, tool_versions
from scripts.inputs.settings import runtime_settings
from scripts.job.start import start_job
from scripts.model.card import read_model_card

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def record_provenance(
    checkout: Path,
    settings: Mapping[str, Any],
    code: Mapping[str, str],
    models: Mapping[str, Path],
    asked: Mapping[str, str],
    out: Path,
) -> None:
    """Write provenance.json.

    `code` holds per rule the hash of its code; `models` the compiled model of each role, `asked` the sha256 that was
    asked of its weights.
    """
    write_json(
        out,
        {
            "workflow": {"name": "reelsieve", **commit_of(checkout), "code": dict(code)},
            "versions": tool_versions() | installed_versions(PACKAGES, checkout / "envs"),
            "settings": dict(settings),
            "models": {role: model_told(model, asked[role]) for role, model in models.items()},
        },
    )


def model_told(model: Path, asked: str) -> dict[str, Any]:
    """Return a model's name, its classes, and the hashes of the weights asked for, found, and of what runs."""
    card = read_model_card(model)
    name, found = model_facts(card).values()
    served = "://" in card["file"]  # its card names the host
    return {
        "name": name,
        "weights_sha256_asked": asked,
        "weights_sha256": found,
        "file": name if served else card["file"],
        "compiled_sha256": "" if served else sha256_of(model / card["file"]),
        "classes": card["names"],
    }


if __name__ == "__main__":
    start_job(snakemake.log[0])
    logging.info(
        "settings that change no result: %s", json.dumps(runtime_settings(snakemake.config)), extra={"log_only": True}
    )
    record_provenance(
        checkout=Path(__file__).resolve().parents[2],
        settings=snakemake.params.settings,
        code=snakemake.params.rules,
        models={role: Path(model) for role, model in zip(snakemake.params.asked, snakemake.input.models, strict=True)},
        asked=snakemake.params.asked,
        out=Path(snakemake.output.provenance),
    )
