"""reelsieve: from a table of video URLs to a training-ready, deduplicated, detected image dataset."""

import time
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from scripts._config import find_config
from scripts._log import UserError
from scripts._start import start_run
from scripts._takedown import path_patterns

min_version("9.0")

STARTED = time.time()

# A run folder (--directory) with a config/config.yaml of its own uses that one, whole; others use the checkout's.
try:
    OWN_CONFIG = find_config(Path("config"))
except UserError as error:
    raise WorkflowError(str(error)) from None


configfile: str(OWN_CONFIG or workflow.source_path("config/config.yaml"))


include: "rules/common.smk"
include: "rules/sources.smk"
include: "rules/download.smk"
include: "rules/frames.smk"
include: "rules/models.smk"
include: "rules/filter.smk"
include: "rules/dedup.smk"
include: "rules/detect.smk"
include: "rules/dataset.smk"
include: "rules/report.smk"
include: "rules/provenance.smk"
include: "rules/rehydrate.smk"
include: "rules/store.smk"


rule all:
    """Everything that is kept: each per-video output, the dataset, the report, what it was made with."""
    default_target: True
    input:
        records=collect("results/download/{video}/video.json", video=VIDEOS),
        media=MEDIA,
        frames=RAW_FRAMES,
        filtered=collect("results/filtered/{video}", video=VIDEOS),
        hashes=collect("results/hashes/{video}", video=VIDEOS),
        vectors=VECTORS,
        detections=detections,
        distances="results/dedup/distances.json",
        dataset="results/dataset",
        report="results/report.html",
        registry="results/registry.tsv",
        provenance="results/provenance.json",
    localrule: True


rule retry_failed:
    """Try again the videos that failed for a reason that may pass, and do all that follows from it."""
    input:
        rules.all.input,
    localrule: True


onstart:
    try:
        start_run(VIDEOS, config, path_patterns(workflow.rules), workflow.dag_settings.targets)
    except UserError as error:
        raise WorkflowError(str(error)) from None
    write_retry_numbers(Path("results"), retries())


onsuccess:
    print_summary(Path("results"), STARTED)


onerror:
    print_failure(log)
