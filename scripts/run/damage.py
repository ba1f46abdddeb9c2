"""Find outputs that something cut short or wrote to, such as a power failure, so that a run makes them again."""

import ast
import os
import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from scripts.core.errors import Damaged
from scripts.core.files import read_json
from scripts.core.layout import output_of
from scripts.inputs.gathered import gathered_files
from scripts.run.snakemake_internals import force_outputs

# The files of a results folder that jobs read, but the images.
OF_VIDEOS = (
    "download/{}/video.json", "frames/{}/frames.parquet", "filtered/{}/filter.parquet", "hashes/{}/hashes.parquet",
    "hashes/{}/thumbs.npy", "detections/{}.parquet",
)  # fmt: skip
OF_ALL = (
    "dedup/kept.json", "dedup/copies.parquet", "dedup/distances.json", "dataset/ledger.parquet",
    "dataset/manifest.parquet", "dataset/audit.json", "provenance.json",
)  # fmt: skip
PARQUET = b"PAR1"
NUMPY = b"\x93NUMPY"
AT_ONCE = 16  # files; on a network disk each takes a while to open


def make_damaged_again(workflow: Any, results: Path, videos: Iterable[str], shards: Iterable[str]) -> list[str]:
    """Return no input for a target, but let its run make damaged outputs again. Without this target, jobs name them."""
    force_outputs(workflow, _as_the_run_found_them(results, tuple(videos), tuple(shards)))
    return []


@cache
def _as_the_run_found_them(results: Path, videos: tuple[str, ...], shards: tuple[str, ...]) -> list[str]:
    return damaged_outputs(results, videos, shards)  # Snakemake asks again after the checkpoint


def damaged_outputs(results: Path, videos: Iterable[str], shards: Iterable[str] = ()) -> list[str]:
    """Return the outputs of rules with a damaged file, and say so.

    Of tables and arrays, their ends and sizes show it; of JSON, all is read.
    """
    paths = [results / name for name in OF_ALL]
    paths += [results / name.format(video) for video in videos for name in OF_VIDEOS]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        damaged = [path for path, whole in zip(paths, pool.map(is_whole, paths), strict=True) if not whole]
    made = {path: output_of(path) for path in damaged}
    gathered = [path for path in gathered_files(results, shards) if path.parent.exists()]
    made |= {path: path.parent for path in gathered if not (path.exists() and is_whole(path))}
    for path, output in made.items():
        print(f"reelsieve: {path} is damaged: the run makes {output} again", file=sys.stderr)
    return [str(output) for output in made.values()]


def is_whole(path: Path) -> bool:
    """Return whether a file is complete; a missing one is."""
    checks: dict[str, Callable[[Path], bool]] = {
        ".json": _is_json, ".parquet": _is_parquet, ".npy": _is_array
    }  # fmt: skip
    try:
        return checks[path.suffix](path)
    except OSError:
        return True  # deleted since, or not readable, which a job reports


def _is_json(path: Path) -> bool:
    try:
        read_json(path)
    except Damaged:
        return False
    return True


def _is_parquet(path: Path) -> bool:
    size = path.stat().st_size
    if size < 12:
        return False
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(-8, os.SEEK_END)
        end = file.read(8)
    return start == end[4:] == PARQUET and int.from_bytes(end[:4], "little") <= size - 12


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(10)
        length = int.from_bytes(head[8:10], "little")
        text = file.read(length)
    if not head.startswith(NUMPY) or len(text) < length:
        return False
    try:
        described = ast.literal_eval(text.decode("latin-1").strip())
        item = int(re.sub(r"\D", "", described["descr"]))
        for count in described["shape"]:
            item *= count
    except (ValueError, SyntaxError, KeyError, TypeError):
        return False
    return path.stat().st_size == 10 + length + item
