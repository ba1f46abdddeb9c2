"""Delete what results/, logs/ and benchmarks/ hold of videos that the table no longer lists, or that are excluded.

What belongs to a video is what the rules say: every path with the wildcard `{video}`.
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
OF_NO_VIDEO = frozenset({"models", RETRIES})  # the second is written anew by each run, for its videos


def take_down(
    videos: Collection[str], excluded: Collection[str], patterns: Iterable[str], max_removed_share: float
) -> None:
    """Delete all outputs of videos other than these, and what was made of them together with others.

    The run that calls this makes the latter anew. `patterns` are the paths of the rules, with wildcards. Raise
    UserError before anything is deleted if so many videos are gone from the table that it may be the wrong one.
    """
    if not videos and not excluded:
        return  # a table that is still to be filled
    found = outputs_of_videos(patterns)
    gone = sorted(set(found) - set(videos))
    check_removed([video for video in gone if video not in excluded], len(found), max_removed_share)
    results = RESULTS
    if _made_with(gone, results):
        apart = {path.relative_to(results).parts[0] for path in _folders(patterns) if results in path.parents}
        for path in sorted(p for p in results.iterdir() if p.name not in apart | OF_NO_VIDEO):
            _delete(path)
    for video in gone:
        count = sum(map(_delete, found[video]))
        why = "excluded" if video in excluded else "no longer in the table"
        print(f"reelsieve: taken down: {video} ({why}): {count} files deleted", file=sys.stderr)


def outputs_of_videos(patterns: Iterable[str]) -> dict[str, list[Path]]:
    """Return per video the files and folders that are of it alone, what killed jobs left included."""
    found: dict[str, list[Path]] = {}
    for folder, name in sorted({(_head(pattern).parent, _head(pattern).name) for pattern in _of_videos(patterns)}):
        whole = re.escape(name).replace(re.escape(WILDCARD), f"({VIDEO_ID.pattern})")
        form = re.compile(rf"{whole}|\.{whole}\.\d+\.part")
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if match := form.fullmatch(path.name):
                found.setdefault(match[1] or match[2], []).append(path)
    return found


def _of_videos(patterns: Iterable[str]) -> Iterator[str]:
    return (pattern for pattern in patterns if WILDCARD in pattern)


def _head(pattern: str) -> Path:
    """Return a path up to the first part that names the video."""
    parts = Path(pattern).parts
    named = next(i for i, part in enumerate(parts) if WILDCARD in part)
    return Path(*parts[: named + 1])


def _folders(patterns: Iterable[str]) -> set[Path]:
    return {_head(pattern).parent for pattern in _of_videos(patterns)}


def _made_with(gone: Collection[str], results: Path) -> bool:
    """Tell whether what is made of all videos knows one that is gone; if it does not, this run may not make it anew."""
    kept = kept_path(results)
    if not gone or not results.is_dir():
        return False
    return not kept.exists() or bool(set(gone) & set(read_json(kept)))


def _delete(path: Path) -> int:
    """Delete a file, link or folder; return how many files it held. Links are not followed."""
    is_folder = path.is_dir() and not path.is_symlink()
    count = sum(1 for member in path.rglob("*") if member.is_symlink() or member.is_file()) if is_folder else 1
    try:
        if is_folder:
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise UserError(f"cannot delete {path}: {error.strerror}: close or open what holds it, run again") from error
    return count
