"""What all stages share: the checked configuration, the video table, input functions."""

import functools
import json

import yaml

import scripts
from scripts.core.code import code_hash_in
from scripts.core.errors import UserError
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
from scripts.inputs.rows import no_dataset, rows_of
from scripts.inputs.settings import published_settings
from scripts.job.environment import name_run
from scripts.model.card import check_roles
from scripts.run.begin import stop_run
from scripts.run.summary import print_failure, print_last_summary, print_summary

ROOT = Path(scripts.__file__).parents[1]  # workflow.basedir would be the folder of a workflow that uses this one
code_hash = functools.partial(code_hash_in, ROOT / "scripts")  # a parameter of each rule, so that edits reach jobs
# Jobs inherit the name of this process; the warm detector ends with it.
RUN_CORES = name_run(workflow.resource_settings.cores or 1, workflow.remote_exec)
ULTRALYTICS_FOLDER = ".snakemake/ultralytics"  # its settings name folders of this machine: not for results/

try:
    check_config(config, yaml.safe_load((ROOT / "config/schemas/config.schema.yaml").read_text()))
    VIDEOS = rows_of(config)
    config["download"] |= published_options(config, VIDEOS)
    DOWNLOAD = DownloadOptions.from_config(config["download"])
    check_roles({r: (chosen_model(config, r), Path("results/models") / name_of(config, r)) for r in roles_in(config)})
except UserError as error:
    stop_run(error)


# From four cores on, two extractions leave half of them to inference, which is no job's thread: see inference_threads().
extract_threads = max(1, RUN_CORES // 4)


def keep(path):
    """Return the path: the counterpart of temp() for what is kept."""
    return path


RAW_FRAMES = [] if config["cleanup_raw_frames"] else collect("results/frames/{video}", video=VIDEOS)
raw_frames = temp if config["cleanup_raw_frames"] else keep
MEDIA = collect("results/download/{video}/media", video=VIDEOS) if config["keep_media"] else []
VECTORS = collect("results/vectors/{video}.npy", video=VIDEOS) if config["dedup"]["method"] == EMBEDDING else []
media_folder = keep if config["keep_media"] else temp

# `--resources gpu=1` on the command line replaces the profile's whole list, so the slots that it does not name would be
# unlimited. These are the numbers of the profiles.
for slot, count in {"gpu": 1, "download": 2, "extract": 2, "video": 4}.items():
    if slot not in workflow.global_resources:
        workflow.register_resource(slot, count)


wildcard_constraints:
    video=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    model=r"[A-Za-z0-9][A-Za-z0-9._-]*",


model_spec = functools.partial(spec_of, config)  # of a role: `filter`, `detect` or `dedup`
model_name = functools.partial(name_of, config)


def spec_of_model(wildcards):
    """Return what decides on this compiled model."""
    return model_spec(roles_of(config, wildcards.model)[0])


def model_weights(wildcards):
    """Return the files of local weights, so that replaced ones are noticed, inside a folder too."""
    weights = Path(spec_of_model(wildcards)["weights"])
    files = [weights] if weights.is_file() else sorted(p for p in weights.rglob("*") if p.is_file())
    return [str(file) for file in files]


def local_media(wildcards):
    """Return the video's file if it is local."""
    video = VIDEOS[wildcards.video]
    return [video.url] if video.is_local else []


@functools.cache
def retries():
    """Return how often each video was retried, counting the target of this call."""
    retry_transient = not RENAMED.keys().isdisjoint(workflow.dag_settings.targets)
    # Jobs read what their run wrote down.
    to_retry = videos_to_retry(Path("results"), VIDEOS, DOWNLOAD, retry_transient) if workflow.is_main_process else ()
    return retry_numbers(Path("results"), VIDEOS, to_retry)


def times_retried(wildcards):
    """Return a number that downloads the video again when it changes."""
    return retries().get(wildcards.video, 0)


def print_last_run():
    """Say how the last run ended, if all of it was asked for again."""
    if set(workflow.dag_settings.targets) <= {"all", *RENAMED}:
        print_last_summary(Path("results"))


def video_url(wildcards):
    """Return the video's URL or path."""
    return VIDEOS[wildcards.video].url


def video_clip(wildcards):
    """Return the part of the video that is wanted."""
    video = VIDEOS[wildcards.video]
    return {"start_s": video.start_s, "end_s": video.end_s}


def kept():
    """Return per video its kept frames and their digest, once deduplicate has run."""
    path = checkpoints.deduplicate.get().output.kept
    return read_kept(path, Path(path).stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)
def read_kept(path, mtime_ns):
    """Read kept.json once per version of it."""
    return json.loads(Path(path).read_text())


def kept_digest(wildcards):
    """Return what changes if and only if the video's kept frames do."""
    return kept()[wildcards.video]["digest"]


def detections(wildcards):
    """Return every detections table, once it is known which frames were kept."""
    if fault := no_dataset(config, VIDEOS):  # said only here: an empty table stops neither expand_sources nor --lint
        stop_run(fault)
    kept()  # raises until the checkpoint has run: no detection is planned before
    return collect("results/detections/{video}.parquet", video=VIDEOS)
