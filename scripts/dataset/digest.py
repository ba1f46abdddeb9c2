"""One digest for a folder of results: the same wherever, whenever and by whomever they were made."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from scripts.core.files import sha256_of
from scripts.core.layout import RETRIES

# What is cleaned up or not as the configuration says (video.json holds the hash of the media, filtered/ the frames that
# passed), what was tried again, and what tells how the rest was made.
UNCOUNTED = ("frames", "download/*/media", RETRIES, "provenance.json")


def digest_of(folder: Path) -> str:
    """Return a digest of the names and contents of what is in results/ or a part of it."""
    digest = hashlib.sha256()
    for file in counted_files(folder):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{sha256_of(file)}\n".encode())
    return digest.hexdigest()


def counted_files(folder: Path) -> Iterator[Path]:
    """Yield in order the files that count; hidden ones are Snakemake's marks and what killed jobs left."""
    left_out = {path for pattern in UNCOUNTED for path in folder.glob(pattern)}
    files = (path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        if not path.name.startswith(".") and left_out.isdisjoint([path, *path.parents]):
            yield path
