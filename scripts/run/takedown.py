"""Delete the files of videos that left the table or are excluded from results/, logs/ and benchmarks/.

The files of a video are those that the rules name: all paths with the wildcard `{video}`.
"""

import re
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import RESULTS, RETRIES, kept_path
from scripts.inputs.rows import check_removed
from scripts.inputs.videos import VIDEO_ID

WILDCARD = "{video}"
OF_NO_VIDEO = frozenset({"models", RETRIES})  # each run writes the second again for its videos


def take_down(
    videos: Collection[str], excluded: Collection[str], patterns: Iterable[str], max_removed_share: float
) -> None:
    """Delete all outputs of other videos than these, and outputs that combine them with others.

    The calling run makes the combined ones again. `patterns` are the paths of the rules, with wildcards. Raise
    UserError, before anything is deleted, if more videos left the table than max_removed_share allows.
    """
    if not videos and not excluded:
        return  # expand_sources has not filled the table yet
    found = outputs_of_videos(patterns)
    gone = sorted(set(found) - set(videos))
    check_removed([video for video in gone if video not in excluded], len(found), max_removed_share)
    if _are_combined(gone, RESULTS):
        separate = {path.relative_to(RESULTS).parts[0] for path in _folders(patterns) if RESULTS in path.parents}
        for path in sorted(p for p in RESULTS.iterdir() if p.name not in separate | OF_NO_VIDEO):
            _delete(path)
    if gone and (gathered := RESULTS / "gathered").exists():  # also of videos that deduplicate has not seen
        _delete(gathered)
    for video in gone:
        count = sum(map(_delete, found[video]))
        reason = "excluded" if video in excluded else "no longer in the table"
        print(f"reelsieve: taken down: {video} ({reason}): {count} files deleted", file=sys.stderr)


def outputs_of_videos(patterns: Iterable[str]) -> dict[str, list[Path]]:
    """Return per video its files and folders, also unfinished ones of killed jobs."""
    found: dict[str, list[Path]] = {}
    for folder, name in sorted({(_head(pattern).parent, _head(pattern).name) for pattern in _of_videos(patterns)}):
        stem = re.escape(name).replace(re.escape(WILDCARD), f"({VIDEO_ID.pattern})")
        form = re.compile(rf"{stem}|\.{stem}\.\d+\.part")
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if match := form.fullmatch(path.name):
                found.setdefault(match[1] or match[2], []).append(path)
    return found


def _of_videos(patterns: Iterable[str]) -> Iterator[str]:
    return (pattern for pattern in patterns if WILDCARD in pattern)


def _head(pattern: str) -> Path:
    """Return a path up to its first part with the wildcard."""
    parts = Path(pattern).parts
    named = next(i for i, part in enumerate(parts) if WILDCARD in part)
    return Path(*parts[: named + 1])


def _folders(patterns: Iterable[str]) -> set[Path]:
    return {_head(pattern).parent for pattern in _of_videos(patterns)}


def _are_combined(gone: Collection[str], results: Path) -> bool:
    """Return whether outputs of all videos contain one of these. If not, this run may not make them again."""
    kept = kept_path(results)
    if not gone or not results.is_dir():
        return False
    return not kept.exists() or bool(set(gone) & set(read_json(kept)))


def _delete(path: Path) -> int:
    """Delete a file, link or folder, and return the number of its files. Links are not followed."""
    is_folder = path.is_dir() and not path.is_symlink()
    count = sum(1 for member in path.rglob("*") if member.is_symlink() or member.is_file()) if is_folder else 1
    try:
        if is_folder:
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise UserError(f"cannot delete {path}: {error.strerror}: close what uses it, then run again") from error
    return count
