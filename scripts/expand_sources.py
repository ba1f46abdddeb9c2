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
from scripts._publish import public_url, redact
from scripts._videos import COLUMNS, VIDEO_ID, header_line, read_lines, split_cells, table_lines, url_fault
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
            faults.append(f"{public_url(source)}: {redact(classify(error).message, source)}")
    if added:
        append_rows(table, added)
    logging.info("%d video(s) appended to %s", len(added), table)
    if faults:
        raise UserError(
            "\n".join([f"{len(faults)} source(s) could not be listed (the others were appended):", *faults])
        )
    return len(added)


def list_videos(source: str, timeout_s: float) -> Iterator[dict[str, Any]]:
    """Yield yt-dlp's entry for each video behind a source; channels nest playlists."""
    from yt_dlp import YoutubeDL

    options = base_options(timeout_s) | {"extract_flat": "in_playlist", "retries": 3}
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
            "found_in": public_url(source),
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
    wanted = f"{site}-{entry['id']}" if entry.get("id") else ""
    free = wanted.casefold() not in {t.casefold() for t in taken}
    return wanted if VIDEO_ID.fullmatch(wanted) and free else f"{site}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def append_rows(table: Path, rows: list[dict[str, str]]) -> None:
    """Write the table anew: its old lines unchanged, the header with the columns that the new rows need, the rows."""
    old = table_lines(table) if table.exists() else []
    head = header_line(old)
    header = [*COLUMNS] if head is None else split_cells(old[head])
    wanted = "\t".join(header + [c for c in FOUND if c not in header])
    lines = [wanted] if head is None else [*old[:head], wanted, *old[head + 1 :]]
    lines += ["\t".join(row.get(column, "") for column in wanted.split("\t")) for row in rows]
    write_text(table, "\n".join(lines) + "\n")


if __name__ == "__main__":
    log_to(snakemake.log[0])
    expand_sources(
        sources=snakemake.config["sources"],
        table=Path(snakemake.config["videos"]),
        timeout_s=snakemake.config["download"]["timeout_s"],
    )
