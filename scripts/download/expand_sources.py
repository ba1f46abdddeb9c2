"""Append the videos of playlists, channels and searches to the video table, without changing its rows."""

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.characters import MOST_CHARACTERS, one_line
from scripts.core.errors import UserError
from scripts.core.files import write_text
from scripts.core.tsv import as_text
from scripts.download.attempts import retry_with_backoff
from scripts.download.deadline import Deadline, Meter, TooBig, watched
from scripts.download.faults import OK, Answer, Fault, classify
from scripts.download.options import DownloadOptions
from scripts.download.private_hosts import allowed_hosts
from scripts.download.rate_limits import site_of
from scripts.download.ytdlp import base_options, make_client
from scripts.inputs.columns import COLUMNS
from scripts.inputs.redact import public_url, redact
from scripts.inputs.table import header_line, read_lines, split_cells, table_lines
from scripts.inputs.urls import source_of, url_fault
from scripts.inputs.videos import VIDEO_ID
from scripts.job.start import start_job_in_view

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


LONGEST_URL = 4000
LISTS = frozenset({"YoutubeTab", "YoutubePlaylist"})
DATES = {"youtubetab": {"approximate_date": [""]}}  # without it, YouTube's lists have no dates
FOUND = ("found_title", "found_duration_s", "found_upload_date", "found_in", "found_at")  # added to each new row


def expand_sources(sources: list[str], table: Path, store: Path, options: DownloadOptions) -> int:
    """Append a row per new video and return their number; raise UserError at the end if a source failed."""
    if not sources:
        raise UserError("config key 'sources' is empty: list playlist or channel URLs there to append their videos")
    rows = [cells for _, cells in read_lines(table)] if table.exists() else []
    added: list[dict[str, str]] = []
    faults: list[str] = []
    for source in sources:
        fault, entries = list_videos(source, store, options)
        if fault.status != "ok":
            faults.append(f"{public_url(source)}: {fault.status}: {fault.message}")
        taken = rows + added
        added += new_rows(entries, source, {source_of(row["url"]) for row in taken}, {row["video"] for row in taken})
    if added:
        append_rows(table, added)
    logging.info("%d video(s) appended to %s", len(added), table)
    if faults:
        raise UserError(
            "\n".join([f"{len(faults)} source(s) could not be listed (the others were appended):", *faults])
        )
    return len(added)


def list_videos(source: str, store: Path, options: DownloadOptions) -> tuple[Fault, list[dict[str, Any]]]:
    """Return the fault, or OK, and yt-dlp's entry for each video of a source; channels have nested playlists."""
    entries: list[dict[str, Any]] = []
    own = options.ytdlp.get("extractor_args") or {}
    listing = {"extract_flat": "in_playlist", "retries": 3, "extractor_args": {**DATES, **own}}

    def once(left_s: float) -> tuple[Fault, bool]:
        answer, meter = Answer(), Meter(0, options.timeout_s)
        meter.bound_memory()
        try:
            with (
                watched(left_s, meter),
                make_client(options, base_options(source, options) | listing, answer) as client,
            ):
                entries.extend(_walk(client.extract_info(source, download=False) or {}))
        except Deadline:
            return Fault("failed", f"not listed within deadline_s = {options.deadline_s:g} s"), False
        except TooBig as big:
            return Fault("rejected", str(big)), False
        except Exception as error:
            fault = classify(error, fetching=False, answer=answer)
            return replace(fault, message=redact(fault.message, source)), False
        return OK, False

    with allowed_hosts(options):
        fault, _ = retry_with_backoff(once, site_of(source, store, options.sites), options)
    return fault, entries


def _walk(info: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if info.get("_type") in ("playlist", "multi_video"):
        for entry in info.get("entries") or []:
            yield from _walk(entry or {})
    else:
        yield info


def new_rows(entries: list[dict[str, Any]], source: str, urls: set[str], ids: set[str]) -> list[dict[str, str]]:
    """Return a row per entry that is new; add its source and id to `urls` and `ids`, which are already taken."""
    found_at = datetime.now(UTC).isoformat(timespec="seconds")
    rows = []
    for entry in entries:
        url = str(entry.get("webpage_url") or entry.get("url") or "")
        title = one_line(redact(str(entry.get("title") or ""), ""), MOST_CHARACTERS)
        if reason := _skip_reason(entry, title, url):
            logging.warning("skipped because %s: %s %s", reason, title or "(no title)", redact(url, ""))
            continue
        if source_of(url) in urls:
            continue
        row = {
            "video": video_id(entry, url, ids),
            "url": url,
            "found_title": as_text(title),
            "found_in": public_url(source),
            "found_at": found_at,
        }
        row |= {
            "found_duration_s": _seconds(entry.get("duration")),
            "found_upload_date": _upload_date(entry),
        }
        urls.add(source_of(url))
        ids.add(row["video"])
        rows.append(row)
    return rows


def _skip_reason(entry: dict[str, Any], title: str, url: str) -> str:
    """Return why an entry gets no row, or an empty text."""
    if title in ("[Private video]", "[Deleted video]") or entry.get("availability") == "private":
        return "it is private or deleted"
    if entry.get("live_status") in ("is_live", "is_upcoming", "post_live"):
        return "it is not a finished recording"
    if entry.get("_type") in ("playlist", "multi_video") or entry.get("ie_key") in LISTS:
        return "it is another playlist, which can be added to 'sources'"
    if not re.match(r"https?://", url) or url_fault(url) or len(url) > LONGEST_URL:
        return "it has no http(s) URL"
    return ""


def _seconds(duration: Any) -> str:
    return f"{duration:g}" if isinstance(duration, int | float) and duration else ""


def _upload_date(entry: dict[str, Any]) -> str:
    """Return the day as YYYYMMDD, with ~ if it is estimated, as from "3 months ago" in YouTube's lists."""
    if re.fullmatch(r"[0-9]{8}", str(entry.get("upload_date"))):
        return str(entry["upload_date"])
    if not isinstance(entry.get("timestamp"), int | float):
        return ""
    day = datetime.fromtimestamp(entry["timestamp"], UTC).strftime("%Y%m%d")
    return f"~{day}" if entry.get("ie_key") == "Youtube" else day


def video_id(entry: dict[str, Any], url: str, taken: set[str]) -> str:
    """Return an id for the table: the site and its id if that is valid and not taken, else a hash of the URL."""
    site = re.sub(r"[^a-z0-9]", "", str(entry.get("ie_key") or entry.get("extractor_key") or "web").lower())
    wanted = f"{site}-{entry['id']}" if entry.get("id") else ""
    if VIDEO_ID.fullmatch(wanted) and wanted.casefold() not in {other.casefold() for other in taken}:
        return wanted
    return f"{site}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def append_rows(table: Path, rows: list[dict[str, str]]) -> None:
    """Rewrite the table: old lines unchanged, new columns in the header, then the new rows."""
    old = table_lines(table) if table.exists() else []
    raw = table.read_bytes() if table.exists() else b""
    mark, end = "\ufeff" if raw.startswith(b"\xef\xbb\xbf") else "", "\r\n" if b"\r\n" in raw else "\n"
    head = header_line(old)
    header = [*COLUMNS] if head is None else split_cells(old[head])
    wanted = "\t".join(header + [c for c in FOUND if c not in header])
    lines = [wanted] if head is None else [*old[:head], wanted, *old[head + 1 :]]
    lines += ["\t".join(row.get(column, "") for column in wanted.split("\t")) for row in rows]
    write_text(table, mark + end.join(lines) + end)


if __name__ == "__main__":
    start_job_in_view(snakemake.log[0])
    expand_sources(
        sources=snakemake.config["sources"],
        table=Path(snakemake.config["videos"]),
        store=Path(snakemake.config["store"]),
        options=DownloadOptions.from_config(snakemake.config["download"]),
    )
