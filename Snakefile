"""reelsieve: from a table of video URLs to a training-ready, deduplicated, detected image dataset."""

import time
from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

from scripts.core.errors import UserError
from scripts.download.retries import RETRY_TARGETS
from scripts.inputs.config import find_config
from scripts.job.start import UNTIL_STARTED
from scripts.run.batches import batch_groups
from scripts.run.begin import check_lock_and_disk, start_run, stop_run
from scripts.run.leftovers import end_run
from scripts.run.preflight import check_folder
from scripts.run.progress import show_progress, stop_progress
from scripts.run.takedown import path_patterns

min_version("9.0")

STARTED = time.time()

# A workflow that uses this one as a module gives it a configuration, and shows its own progress.
# It may also give the rules other names.
IS_MAIN = workflow.modifier.is_main_snakefile()
RENAMED = {workflow.modifier.modify_rulename(rule): rule for rule in RETRY_TARGETS}

# A run folder (--directory) with a config/config.yaml of its own uses that one, whole; others use the checkout's.
try:
    check_folder(Path())
    check_lock_and_disk()
    OWN_CONFIG = find_config(Path("config")) if IS_MAIN else None
except UserError as error:
    stop_run(error)


configfile: str(OWN_CONFIG or workflow.source_path("config/config.yaml"))


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/download.smk"
include: "rules/frames.smk"
include: "rules/detection.smk"
include: "rules/dedup.smk"
include: "rules/dataset.smk"
include: "rules/report.smk"
include: "rules/rehydrate.smk"


if workflow.is_main_process and IS_MAIN:
    show_progress(logger, Path("results"), print_last_run)
    shell.prefix(UNTIL_STARTED)


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
        times="benchmarks/times.html",
        provenance="results/provenance.json",
    localrule: True


rule retry_failed:
    """Try again the videos that failed for a reason that may pass, and do all that follows from it."""
    input:
        rules.all.input,
    localrule: True


OURS = [rule for rule in workflow.rules if rule.module_globals is globals()]  # none of a workflow that uses this one
batch_groups(workflow, OURS, list(VIDEOS))


onstart:
    try:
        asked = [RENAMED.get(target, target) for target in workflow.dag_settings.targets]
        if asked != ["verify"]:  # which looks at what is there, whatever the table says by now
            start_run(VIDEOS, config, path_patterns(OURS), asked)
    except UserError as error:
        stop_run(error)
    write_retry_numbers(Path("results"), retries())


onsuccess:
    stop_progress(logger)
    end_run()
    print_summary(Path("results"), STARTED)


onerror:
    stop_progress(logger)
    end_run()
    print_failure(log)
