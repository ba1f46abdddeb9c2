"""Compute a digest of a folder of results. It depends on no time, user or path."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from scripts.core.files import sha256_of
from scripts.core.layout import RETRIES

# Files that the configuration may delete (video.json holds the hash of the media, filtered/ the passed frames), what
# models saw (earlier settings may have kept more), the retries, and the record of versions and settings.
EXCLUDED = ("frames", "seen", "download/*/media", RETRIES, "provenance.json")

# Datasets are opened in place by trainers, which leave caches in them: only files with names that we write count.
DATASETS = ("dataset", "rehydrated")
OF_DATASET = re.compile(
    r"README\.md|(ATTRIBUTION|videos|losses)\.tsv|(audit|croissant)\.json|(ledger|manifest)\.parquet|data\.yaml"
    r"|(classes|train|val|test)\.txt|images/[^/]+/([^/]+\.jpg|metadata\.parquet)|labels/[^/]+/[^/]+\.txt"
    r"|annotations/[^/]+\.json|data/[^/]+\.parquet|shards/[^/]+\.tar"
)


def digest_of(folder: Path) -> str:
    """Return a digest of the names and contents of the files in results/ or a part of it."""
    digest = hashlib.sha256()
    for file in counted_files(folder):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{sha256_of(file)}\n".encode())
    return digest.hexdigest()


def counted_files(folder: Path) -> Iterator[Path]:
    """Yield the files that count, sorted; hidden files are marks of Snakemake or left by killed jobs."""
    excluded = {path for pattern in EXCLUDED for path in folder.glob(pattern)}
    files = (path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        if path.name.startswith(".") or _is_foreign(path, folder):
            continue
        if excluded.isdisjoint([path, *path.parents]):
            yield path


def _is_foreign(path: Path, folder: Path) -> bool:
    """Return whether a file lies in a dataset, but has a name that we do not write there."""
    place, *parts = (folder.name, *path.relative_to(folder).parts)
    if place not in DATASETS:
        place, *parts = parts
    return place in DATASETS and not OF_DATASET.fullmatch("/".join(parts))
