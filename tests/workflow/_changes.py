"""Changes to a finished run, each with the rules whose own input, settings or code it changes."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests._rules import ALL_STAGES
from tests._run import Run
from tests.conftest import REPO

STAGES = tuple(rule for rule in ALL_STAGES if rule != "embed_frames")  # which runs with dedup.method embedding
NEXT = {
    "compile_model": {"filter_frames", "detect_objects", "record_provenance"},
    "download_video": {"extract_frames", "gather_videos"},
    "extract_frames": {"filter_frames"},
    "filter_frames": {"hash_frames", "gather_videos"},
    "hash_frames": {"gather_videos"},
    "gather_videos": {"deduplicate", "export_dataset", "report"},
    "deduplicate": {"detect_objects", "gather_detections", "export_dataset", "report"},
    "detect_objects": {"gather_detections"},
    "gather_detections": {"export_dataset", "report"},
    "export_dataset": {"report", "record_provenance"},
    "record_provenance": {"report"},
    "report": set(),
}  # fmt: skip


def downstream(first: set[str]) -> set[str]:
    """Return rules and all rules that may run after them."""
    found: set[str] = set()
    waiting = list(first)
    while waiting:
        rule = waiting.pop()
        if rule not in found:
            found.add(rule)
            waiting += NEXT[rule]
    return found


@dataclass(frozen=True)
class Change:
    """A change, the first rules that must run after it, and arguments of the run."""

    do: Callable[[Run], None]
    first: frozenset[str] = frozenset()
    arguments: tuple[str, ...] = ()


def changed(do: Callable[[Run], None], *first: str) -> Change:
    return Change(do, frozenset(first))


def config(*first: str, **sections: Any) -> Change:
    """Return a change of configuration keys; sections are merged key by key."""

    def do(run: Run) -> None:
        known = run.read_config()
        for name, value in sections.items():
            known[name] = known.get(name, {}) | value if isinstance(value, dict) else value
        run.write_config(known)

    return changed(do, *first)


def table(pattern: str, new: str, *first: str) -> Change:
    """Return a replacement in the video table."""

    def do(run: Run) -> None:
        path = run.folder / "config/videos.tsv"
        text, count = re.subn(pattern, new, path.read_text(), flags=re.MULTILINE)
        assert count == 1
        path.write_text(text)

    return changed(do, *first)


def reverse(run: Run) -> None:
    path = run.folder / "config/videos.tsv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n")


def write_defaults(run: Run) -> None:
    """Reverse the keys of each section and add some with their default values."""
    known = run.read_config() | {"frames": {"min_entropy_bits": 1.0, "interval_s": 1.0}, "dedup": {"prefer": "best"}}
    run.write_config({k: dict(reversed(v.items())) if isinstance(v, dict) else v for k, v in known.items()})


def touch(*names: str) -> Change:
    def do(run: Run) -> None:
        for name in names:
            os.utime(run.folder / name)

    return changed(do)


def delete(name: str, *first: str) -> Change:
    def do(run: Run) -> None:
        path = run.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return changed(do, *first)


def edit(name: str, *first: str) -> Change:
    """Return an edit of a file of the checkout; the caller undoes it."""

    def do(run: Run) -> None:
        path = run.checkout / "scripts" / name
        path.write_bytes(path.read_bytes() + b"\n")

    return changed(do, *first)


def touch_scripts(run: Run) -> None:
    for script in (run.checkout / "scripts").rglob("*"):
        if script.is_file():
            os.utime(script)


def other_weights(run: Run) -> None:
    """Change the weights; they are not loaded before the plan is made."""
    known = run.read_config()
    for role in ("filter", "detect"):
        known[role] |= {"weights_sha256": ""}
    run.write_config(known)
    with (run.folder / "detector.pt").open("ab") as file:
        file.write(b"other")


def remove_outputs(*names: str) -> Callable[[Run], None]:
    """Return a change that removes these outputs, as if an older version had made the run folder."""
    from base64 import b64encode

    def do(run: Run) -> None:
        for name in names:
            path = run.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            (run.folder / ".snakemake/metadata" / b64encode(name.encode()).decode()).unlink()

    return do


def nothing(run: Run) -> None:
    """Change nothing."""


def with_arguments(*arguments: str) -> Change:
    return Change(nothing, arguments=arguments)


DOWNLOAD_LIMITS = {"attempts": 5, "wait_s": 9, "timeout_s": 7, "deadline_s": 99, "max_size_mb": 9}
CHANGES: dict[str, Change] = {
    "nothing": changed(nothing),
    "16 cores": with_arguments("--cores", "16"),
    "`profiles/per-video`": with_arguments("--workflow-profile", str(REPO / "profiles/per-video"), "--cores", "2"),
    "`warm_jobs: false`, `detector.warm: false`": config(warm_jobs=False, detector={"warm": False}),
    "limits of `download` (no video rejected), `store`": config(download=DOWNLOAD_LIMITS, store="elsewhere"),
    "`frames.max_output_mb`, `frames.deadline_s`, `frames_budget_gb`": config(
        frames={"max_output_mb": 9, "deadline_s": 99}, frames_budget_gb=1),
    "`keep_media: false`": config(keep_media=False),
    "config keys reordered, defaults written out": changed(write_defaults),
    "weights and media touched": touch("detector.pt", "clips/night.mp4"),
    "all scripts touched": changed(touch_scripts),
    "`weights_sha256` removed": config(
        "record_provenance", filter={"weights_sha256": ""}, detect={"weights_sha256": ""}),
    "`cleanup_raw_frames: false`": config("extract_frames", cleanup_raw_frames=False),
    "`download.max_height_px`": config("download_video", download={"max_height_px": 480}),
    "`frames.interval_s`": config("extract_frames", frames={"interval_s": 0.5}),
    "`models.format`": config("compile_model", models={"format": "native"}),
    "`filter.confidence`": config("filter_frames", filter={"confidence": 0.6}),
    "`filter.max_objects`": config("filter_frames", filter={"max_objects": 200}),
    "`filter.imgsz_px`": config("compile_model", "filter_frames", filter={"imgsz_px": 256}),
    "`dedup.method: dhash`": config("hash_frames", dedup={"method": "dhash"}),
    "`dedup.prefer`": config("deduplicate", dedup={"prefer": "first"}),
    "`detect.confidence`": config("detect_objects", detect={"confidence": 0.45}),
    "`detect.max_objects`": config("detect_objects", detect={"max_objects": 200}),
    "`dataset.seed`": config("export_dataset", dataset={"seed": 7}),
    "`dataset.formats`": config("export_dataset", dataset={"formats": ["parquet", "imagefolder"]}),
    "`dataset.negatives_share`": config("filter_frames", dataset={"negatives_share": 0.1}),
    "new weights for both models": changed(other_weights, "compile_model"),
    "row deleted": table(r"^night\t.*\n", "", "gather_videos", "gather_detections"),
    "video added to `exclude`": config("gather_videos", "gather_detections", exclude=["night"]),
    "rows reordered": changed(reverse, "deduplicate"),
    "`split` of a row": table(r"test\tcity", "val\tcity", "export_dataset"),
    "`start_s` of a row": table(r"(park\.mp4)\t\t", r"\1\t1\t", "extract_frames"),
    "`url` of a row": table(r"clips/night\.mp4", "clips/../clips/night.mp4", "download_video"),
    "own column edited": table(r"park$(?=\ncrossing)", "wood", "report"),
    "`page.html.jinja` edited": edit("report/page.html.jinja", "report"),
    "`export_dataset.py` edited": edit("dataset/export_dataset.py", "export_dataset"),
    "`splits.py` edited": edit("dataset/splits.py", "export_dataset"),
    "`detect_objects.py` edited": edit("detection/detect_objects.py", "detect_objects"),
    "`deduplicate.py` edited": edit("dedup/deduplicate.py", "deduplicate"),
    "`engine.py` edited": edit("model/engine.py", "compile_model", "filter_frames"),
    "`download_video.py` edited": edit("download/download_video.py", "download_video"),
    "`files.py` edited": edit("core/files.py", "download_video", "extract_frames", "compile_model"),
    "`results/download/ID` deleted": delete("results/download/night", "download_video"),
    "`results/filtered/ID` deleted": delete("results/filtered/night", "filter_frames"),
    "`results/hashes/ID` deleted": delete("results/hashes/night", "hash_frames"),
    "`results/detections/ID.parquet` deleted": delete("results/detections/night.parquet", "detect_objects"),
    "`results/gathered` deleted": delete("results/gathered", "gather_videos", "gather_detections"),
    "`results/models` deleted": delete("results/models"),
    "`results/seen` deleted": delete("results/seen"),
    "`results/dataset` deleted": delete("results/dataset", "export_dataset"),
    "`results/report.html` deleted": delete("results/report.html", "report"),
    "`results/` deleted": delete("results", "download_video", "compile_model"),
    "older run folder without `results/gathered`": changed(
        remove_outputs("results/gathered/videos/0of1", "results/gathered/detections/0of1"),
        "gather_videos", "gather_detections"),
    "older run folder without `distances.json`": changed(
        remove_outputs("results/dedup/distances.json"), "deduplicate"),
    "older run folder without `provenance.json`": changed(
        remove_outputs("results/provenance.json"), "record_provenance"),
}  # fmt: skip


def copy_checkout(source: Path, folder: Path) -> Path:
    """Return a copy of a checkout without its tests; with .git, because the commit is recorded."""
    folder.mkdir(parents=True)
    for name in ("Snakefile", "rules", "scripts", "config", "profiles", "envs", ".git"):
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name, copy_function=shutil.copyfile)
        elif (source / name).exists():
            shutil.copyfile(source / name, folder / name)
    return folder
