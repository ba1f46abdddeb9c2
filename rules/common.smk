"""Shared by all stages: the checked configuration, the video table, input functions."""

import functools

import yaml

from scripts.core.code import code_hash_in
from scripts.core.errors import UserError
from scripts.core.layout import CHECKOUT  # workflow.basedir would be that of a workflow that uses this one
from scripts.download.options import DownloadOptions
from scripts.download.retries import retry_numbers, videos_to_retry, write_retry_numbers
from scripts.inputs.config import check_config
from scripts.inputs.model_choice import (
    DEDUP_RULES,
    EMBEDDING,
    chosen_model,
    hash_method,
    name_of,
    roles_in,
    roles_of,
    spec_of,
)
from scripts.inputs.published import manifest_of, published_options, published_row
from scripts.inputs.rows import rows_of
from scripts.inputs.settings import published_settings
from scripts.job.environment import name_run
from scripts.model.card import check_roles
from scripts.run.begin import read_kept, stop_run
from scripts.run.shards import all_shards_in, detections_to_gather, divide, outputs_to_gather
from scripts.run.snakemake_internals import cores_of, runs_remotely, set_default_resources, targets_of
from scripts.run.slots import download_slots, extract_slots, threads_per_extraction
from scripts.run.snakemake_internals import cores_of, runs_remotely, set_default_resources, slots_of, targets_of
from scripts.run.summary import print_failure, print_last_summary, print_summary

code_hash = functools.partial(code_hash_in, CHECKOUT / "scripts")  # a parameter of each rule, so that edits rerun jobs
# Jobs inherit the name of this process. The warm detector ends with it.
RUN_CORES = name_run(cores_of(workflow), runs_remotely(workflow))
ULTRALYTICS_FOLDER = ".snakemake/ultralytics"  # not in results/: its settings contain paths of this machine

try:
    check_config(config, yaml.safe_load((CHECKOUT / "config/schemas/config.schema.yaml").read_text()))
    VIDEOS = rows_of(config)
    config["download"] |= published_options(config, VIDEOS)
    DOWNLOAD = DownloadOptions.from_config(config["download"])
    check_roles({r: (chosen_model(config, r), Path("results/models") / name_of(config, r)) for r in roles_in(config)})
except UserError as error:
    stop_run(error)


AT_ONCE = min(len(VIDEOS), *(slots_of(workflow, slot, len(VIDEOS)) for slot in ("extract", "video")))
extract_threads = threads_per_extraction(RUN_CORES, AT_ONCE)


def keep(path):
    """Return the path unchanged: the counterpart of temp() for outputs that are kept."""
    return path


SHARDS = divide(VIDEOS)
DETECTIONS = collect("results/gathered/detections/{shard}", shard=SHARDS)
VECTORS = "results/vectors/{video}.npy" if config["dedup"]["method"] == EMBEDDING else ""
raw_frames = temp if config["cleanup_raw_frames"] else keep
media_folder = keep if config["keep_media"] else temp

# `--resources gpu=1` on the command line replaces the profile's whole list. All other slots would be unlimited without
# these numbers.
EXTRACT_SLOTS = extract_slots(RUN_CORES, extract_threads)
set_default_resources(workflow, {"gpu": 1, "download": download_slots(RUN_CORES), "extract": EXTRACT_SLOTS, "video": 4})


wildcard_constraints:
    video=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    model=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    shard=r"\d+of\d+",


model_spec = functools.partial(spec_of, config)  # of a role: `filter`, `detect` or `dedup`
model_name = functools.partial(name_of, config)
all_shards = functools.partial(all_shards_in, SHARDS, config)
outputs_of_shard = functools.partial(outputs_to_gather, workflow, SHARDS, VECTORS)


def spec_of_model(wildcards):
    """Return the settings that decide a compiled model."""
    return model_spec(roles_of(config, wildcards.model)[0])


def model_weights(wildcards):
    """Return the files of local weights, also those in a folder, so that a replaced file compiles the model again."""
    weights = Path(spec_of_model(wildcards)["weights"])
    files = [weights] if weights.is_file() else sorted(p for p in weights.rglob("*") if p.is_file())
    return [str(file) for file in files]


def local_media(wildcards):
    """Return the file of a local video."""
    video = VIDEOS[wildcards.video]
    return [video.url] if video.is_local else []


@functools.cache
def retries():
    """Return the number of retries of each video, including those of this run's target."""
    retry_transient = not RENAMED.keys().isdisjoint(targets_of(workflow))
    # Jobs only read the numbers that their run has written.
    to_retry = videos_to_retry(Path("results"), VIDEOS, DOWNLOAD, retry_transient) if workflow.is_main_process else ()
    return retry_numbers(Path("results"), VIDEOS, to_retry)


def times_retried(wildcards):
    """Return a video's number of retries. A higher one downloads it again."""
    return retries().get(wildcards.video, 0)


def print_last_run():
    """Print the summary of the last run: this run was to make everything, and had nothing to do."""
    if set(targets_of(workflow)) <= {"all", *RENAMED}:
        print_last_summary(Path("results"))


def video_url(wildcards):
    """Return the video's URL or path."""
    return VIDEOS[wildcards.video].url


def video_clip(wildcards):
    """Return the start and the end of the video's part."""
    video = VIDEOS[wildcards.video]
    return {"start_s": video.start_s, "end_s": video.end_s}


def kept():
    """Return each video's kept frames and their digest, after deduplicate has run."""
    path = checkpoints.deduplicate.get().output.kept
    return read_kept(path, Path(path).stat().st_mtime_ns)


def kept_digest(wildcards):
    """Return a digest that changes if and only if the video's kept frames change."""
    return kept()[wildcards.video]["digest"]


def detections_of_shard(wildcards):
    """Return the detections tables of a shard's videos, after deduplicate has chosen the frames."""
    kept()  # raises until the checkpoint has run; Snakemake plans detections only then
    return detections_to_gather(workflow, SHARDS, wildcards)
