"""reelsieve: from a table of video URLs to a training-ready, deduplicated, detected image dataset."""

import time
from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

from scripts.core.errors import UserError
from scripts.core.layout import CHECKOUT
from scripts.download.retries import RETRY_TARGETS
from scripts.inputs.config import check_keys_once, find_config
from scripts.job.start import UNTIL_STARTED
from scripts.run.begin import check_lock_and_disk, start_run, stop_run
from scripts.run.damage import make_damaged_again
from scripts.run.leftovers import end_run
from scripts.run.preflight import check_folder, check_submitted_paths
from scripts.run.progress import show_progress, stop_progress
from scripts.run.shards import delete_old_shards, make_missing_again
from scripts.run.snakemake_internals import (
    batch_groups,
    is_main_workflow,
    named_config_files,
    own_rules,
    path_patterns,
    renamed_rules,
    runs_all_jobs_here,
    start_scripts_with,
    submits_jobs,
    targets_of,
)
from scripts.run.waiting_jobs import start_waiting_jobs
from scripts.run.warm_jobs import start_job_server

min_version("9.27.1")  # the oldest version that the tests ran on

STARTED = time.time()

# A workflow that uses this one as a module configures it and shows the progress. It may also rename the rules.
IS_MAIN = is_main_workflow(workflow)
RENAMED = renamed_rules(workflow, RETRY_TARGETS)

# A run folder (--directory) uses its own config/config.yaml if it has one, otherwise the checkout's.
try:
    check_folder(Path())
    check_lock_and_disk()
    OWN_CONFIG = find_config(Path("config")) if IS_MAIN else None
    for path in (CHECKOUT / "config/config.yaml", *named_config_files(workflow)):
        check_keys_once(path)
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
    """Make everything that is kept: the outputs of each video, the dataset, the report, the provenance."""
    default_target: True
    input:
        lambda wildcards: make_damaged_again(workflow, Path("results"), VIDEOS, SHARDS),
        lambda wildcards: make_missing_again(workflow, Path("results"), VIDEOS, config),
        shards=all_shards,
        detections=DETECTIONS,
        kept="results/dedup/kept.json",
        copies="results/dedup/copies.parquet",
        distances="results/dedup/distances.json",
        dataset="results/dataset",
        report="results/report.html",
        registry="results/registry.tsv",
        times="benchmarks/times.html",
        provenance="results/provenance.json",
    localrule: True


rule retry_failed:
    """Download videos again that failed for a temporary reason, and update everything below."""
    input:
        rules.all.input,
    localrule: True


OURS = own_rules(workflow, globals())
batch_groups(workflow, OURS, list(VIDEOS))


onstart:
    try:
        if submits_jobs(workflow):
            check_submitted_paths(Path())
        targets = [RENAMED.get(target, target) for target in targets_of(workflow)]
        if targets != ["verify"]:  # it reads the existing results, also if the table has changed
            start_run(VIDEOS, config, path_patterns(OURS), targets)
            delete_old_shards(Path("results"), SHARDS)
            if IS_MAIN and runs_all_jobs_here(workflow):
                if config["detector"]["warm"]:
                    start_waiting_jobs(workflow)
                if config["warm_jobs"]:
                    start_scripts_with(start_job_server())
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
