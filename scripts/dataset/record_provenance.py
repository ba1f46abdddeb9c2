"""Record the code, packages, settings and models of a dataset, without anything about the machine or the time."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from scripts.core.files import sha256_of, write_json
from scripts.core.layout import CHECKOUT
from scripts.dataset.versions import PACKAGES, commit_of, installed_versions, model_facts, tool_versions
from scripts.inputs.settings import runtime_settings
from scripts.job.start import start_job
from scripts.model.card import read_model_card

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


class ModelProvenance(TypedDict):
    """A model in provenance.json; `compiled_sha256` is empty for a model on a server."""

    name: str
    weights_sha256_asked: str
    weights_sha256: str
    file: str
    compiled_sha256: str
    classes: list[str]


def record_provenance(
    checkout: Path,
    settings: Mapping[str, Any],
    code: Mapping[str, str],
    models: Mapping[str, Path],
    required: Mapping[str, str],
    out: Path,
) -> None:
    """Write provenance.json.

    `code` holds the code hash of each rule, `models` the compiled model of each role, `required` the sha256 that the
    configuration requires of its weights (empty: any).
    """
    write_json(
        out,
        {
            "workflow": {"name": "reelsieve", **commit_of(checkout), "code": dict(code)},
            "versions": tool_versions() | installed_versions(PACKAGES, checkout / "envs"),
            "settings": dict(settings),
            "models": {role: describe_model(model, required[role]) for role, model in models.items()},
        },
    )


def describe_model(model: Path, required: str) -> ModelProvenance:
    """Return the name, hashes and classes of a compiled model; `required` is the sha256 that its weights must have."""
    card = read_model_card(model)
    facts = model_facts(card)
    served = "://" in card["file"]  # then the card names the host, which is private
    return {
        "name": facts["name"],
        "weights_sha256_asked": required,
        "weights_sha256": facts["sha256"],
        "file": facts["name"] if served else card["file"],
        "compiled_sha256": "" if served else sha256_of(model / card["file"]),
        "classes": card["names"],
    }


def log_runtime_settings(config: Mapping[str, Any]) -> None:
    """Log the settings that change no result; provenance.json omits them."""
    text = json.dumps(runtime_settings(config))
    logging.info("settings that change no result: %s", text, extra={"log_only": True})


if __name__ == "__main__":
    start_job(snakemake.log[0])
    log_runtime_settings(snakemake.config)
    record_provenance(
        checkout=CHECKOUT.resolve(),
        settings=snakemake.params.settings,
        code=snakemake.params.rules,
        models=dict(zip(snakemake.params.required, map(Path, snakemake.input.models), strict=True)),
        required=snakemake.params.required,
        out=Path(snakemake.output.provenance),
    )
