"""Names and places of the files that a run writes. The rules spell out the same paths; a test compares the two."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[2]  # of the code that runs
RESULTS = Path("results")  # relative to the run folder, the working directory of a run and of its jobs
RETRIES = "retries.json"  # in results/

# The rules in the order in which a video passes them. The code of DATASET_STAGES decides the dataset.
DATASET_STAGES = (
    "compile_model", "download_video", "extract_frames", "filter_frames", "hash_frames", "embed_frames", "deduplicate",
    "detect_objects", "export_dataset",
)  # fmt: skip
STAGES = (*DATASET_STAGES, "record_provenance", "report")

# Files in the output folder of a stage, for a video or a model.
RECORD = "video.json"
MEDIA = "media"
FRAMES_TABLE = "frames.parquet"
FILTER_TABLE = "filter.parquet"
DROPPED = "dropped"  # a folder with samples of the dropped frames
HASHES_TABLE = "hashes.parquet"
THUMBNAILS = "thumbs.npy"
RETAKEN_TABLE = "retaken.parquet"
MODEL_CARD = "model.json"

# Files of the dataset.
LEDGER_TABLE = "ledger.parquet"
MANIFEST_TABLE = "manifest.parquet"
VIDEOS_TABLE = "videos.tsv"
AUDIT = "audit.json"
DATA_YAML = "data.yaml"

# Of these, a rule makes the whole folder.
IN_FOLDERS = frozenset({
    FRAMES_TABLE, FILTER_TABLE, HASHES_TABLE, THUMBNAILS, RETAKEN_TABLE, MODEL_CARD, LEDGER_TABLE, MANIFEST_TABLE,
    AUDIT,
})  # fmt: skip


def output_of(path: Path) -> Path:
    """Return what a rule makes that contains this file: its folder, or the file itself."""
    return path.parent if path.name in IN_FOLDERS else path


def record_path(results: Path, video: str) -> Path:
    """Return where download_video writes the record of a video."""
    return results / "download" / video / RECORD


def media_folder(results: Path, video: str) -> Path:
    """Return the folder with a video's media."""
    return results / "download" / video / MEDIA


def frames_table(results: Path, video: str) -> Path:
    """Return where extract_frames writes its table of a video."""
    return results / "frames" / video / FRAMES_TABLE


def filter_table(results: Path, video: str) -> Path:
    """Return where filter_frames writes its table of a video."""
    return results / "filtered" / video / FILTER_TABLE


def hashes_table(results: Path, video: str) -> Path:
    """Return where hash_frames writes its table of a video."""
    return results / "hashes" / video / HASHES_TABLE


def detections_table(results: Path, video: str) -> Path:
    """Return where detect_objects writes its table of a video."""
    return results / "detections" / f"{video}.parquet"


def kept_path(results: Path) -> Path:
    """Return where deduplicate writes, per video, the kept frames and their digest."""
    return results / "dedup/kept.json"


def copies_path(results: Path) -> Path:
    """Return where deduplicate writes its table of copies."""
    return results / "dedup/copies.parquet"


def dataset_folder(results: Path) -> Path:
    """Return the folder of the dataset."""
    return results / "dataset"


def registry_path(results: Path) -> Path:
    """Return where report writes its table of all videos."""
    return results / "registry.tsv"


def report_path(results: Path) -> Path:
    """Return where report writes its page."""
    return results / "report.html"
