"""Append the videos of playlists, channels and search pages to the video table; rows in it stay as they are."""

import hashlib
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts._files import write_text
from scripts._log import UserError, log_to
from scripts._videos import COLUMNS, VIDEO_ID, read_lines, url_fault
from scripts._ytdlp import base_options, classify

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

FOUND = (
    "found_title",
    "found_duration_s",
    "found_upload_date",
    "found_in",
    "found_at",
)  # columns that tell where a row is from


def expand_sources(sources: list[str], table: Path, timeout_s: float) -> int:
    """Append a row per video that is not in the table yet; return how many. Raise UserError if a source fails."""
    if not sources:
        raise UserError("config key 'sources' is empty: list playlist or channel URLs there to append their videos")
    rows = [cells for _, cells in read_lines(table)] if table.exists() else []
    header = _header(table) if table.exists() else [*COLUMNS]
    added: list[dict[str, str]] = []
    faults: list[str] = []
    for source in sources:
        try:
            added += new_rows(
                list_videos(source, timeout_s),
                source,
                {r["url"] for r in rows + added},
                {r["video"] for r in rows + added},
            )
        except Exception as error:
            faults.append(f"{source}: {classify(error).message}")
    if added:
        append_rows(table, header, added)
    logging.info("%d video(s) appended to %s", len(added), table)
    if faults:
        raise UserError(
            "\n".join([f"{len(faults)} source(s) could not be listed (the others were appended):", *faults])
        )
    return len(added)


def _header(table: Path) -> list[str]:
    lines = table.read_text(encoding="utf-8-sig").splitlines()
    return next((x.split("\t") for x in lines if x.strip() and not x.startswith("#")), [*COLUMNS])


def list_videos(source: str, timeout_s: float) -> Iterator[dict[str, Any]]:
    """Yield yt-dlp's entry for each video behind a source; channels nest playlists."""
    from yt_dlp import YoutubeDL

    options = base_options(timeout_s) | {"extract_flat": "in_playlist", "allow_playlist_files": True, "retries": 3}
    with YoutubeDL(options) as ytdlp:
        yield from _walk(ytdlp.extract_info(source, download=False) or {})


def _walk(info: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if info.get("_type") in ("playlist", "multi_video"):
        for entry in info.get("entries") or []:
            yield from _walk(entry or {})
    else:
        yield info


def new_rows(entries: Iterator[dict[str, Any]], source: str, urls: set[str], ids: set[str]) -> list[dict[str, str]]:
    """Return a row per entry whose URL is new; `urls` and `ids` are those already taken and grow with each row."""
    found_at = datetime.now(UTC).isoformat(timespec="seconds")
    rows = []
    for entry in entries:
        url = str(entry.get("webpage_url") or entry.get("url") or "")
        title = re.sub(r"\s+", " ", str(entry.get("title") or ""))
        if title in ("[Private video]", "[Deleted video]") or not re.match(r"https?://", url) or url_fault(url):
            logging.warning("skipped: %s %s", title or "(no title)", url)
            continue
        if url in urls:
            continue
        row = {
            "video": video_id(entry, url, ids),
            "url": url,
            "found_title": title,
            "found_in": source,
            "found_at": found_at,
        }
        row |= {
            "found_duration_s": str(entry.get("duration") or ""),
            "found_upload_date": str(entry.get("upload_date") or ""),
        }
        urls.add(url)
        ids.add(row["video"])
        rows.append(row)
    return rows


def video_id(entry: dict[str, Any], url: str, taken: set[str]) -> str:
    """Return a table id: site and site's id where that is safe and free, else a hash of the URL."""
    site = re.sub(r"[^a-z0-9]", "", str(entry.get("ie_key") or entry.get("extractor_key") or "web").lower())
    wanted = f"{site}-{entry.get('id') or ''}"
    free = wanted.casefold() not in {t.casefold() for t in taken}
    return wanted if VIDEO_ID.fullmatch(wanted) and free else f"{site}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def append_rows(table: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    """Write the table anew: its old lines unchanged, the header with the columns that the new rows need, the rows."""
    wanted = header + [c for c in FOUND if c not in header]
    old = table.read_text(encoding="utf-8-sig").splitlines() if table.exists() else []
    head = next((i for i, x in enumerate(old) if x.strip() and not x.startswith("#")), None)
    lines = ["\t".join(wanted)] if head is None else [*old[:head], "\t".join(wanted), *old[head + 1 :]]
    lines += ["\t".join(row.get(column, "") for column in wanted) for row in rows]
    write_text(table, "\n".join(lines) + "\n")


if __name__ == "__main__":
    log_to(snakemake.log[0])
    expand_sources(
        sources=snakemake.params.sources, table=Path(snakemake.params.table), timeout_s=snakemake.params.timeout_s
    )
