"""Check before a run, without network, everything that would make its downloads fail one by one."""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scripts.core.characters import printable
from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import CHECKOUT, record_path
from scripts.core.locks import try_lock
from scripts.download.options import DownloadOptions
from scripts.download.rate_limits import site_of
from scripts.download.ytdlp import base_options, read_cookies
from scripts.inputs.videos import Video, describe_aliases
from scripts.media.probe import ffmpeg_exe, ffmpeg_version

if TYPE_CHECKING:
    from scripts.core.row_types import VideoRecord

OLD_DAYS = 60  # yt-dlp has a release about every month, because sites change
MOST_SITES = 200  # that are compared with yt-dlp's list of sites
LEAST_FREE_BYTES, USUAL_VIDEO_BYTES = 10**9, 10**8
LEAST_RESULTS_BYTES = 10**8  # a compiled model needs about this much
OLDEST_FFMPEG = (5, 1)
REPLACED = frozenset("$%`\\")  # by sbatch, or by the shell that starts it


class Problem(Exception):
    """A reason why the run would fail, and the remedy."""


def check_folder(folder: Path) -> None:
    """Raise UserError if a run folder is not usable. Snakemake would fail with a traceback."""
    for what, path in (("run folder", folder.absolute()), ("checkout", CHECKOUT)):
        if {"{", "}"} & set(str(path)):
            raise UserError(
                f"the {what} is {path}: Snakemake takes braces in its path for wildcards: rename or move the folder"
            )
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write into the run folder {folder.absolute()} ({error.strerror}): name another with --directory"
        ) from None


def check_submitted_paths(folder: Path) -> None:
    """Raise UserError if SLURM's jobs would not find a run folder or the checkout."""
    for what, path in (("run folder", folder.absolute()), ("checkout", CHECKOUT)):
        if REPLACED & set(str(path)):
            raise UserError(
                f"the {what} is {path}: sbatch replaces $, %, a backquote or a backslash in its path: rename or move it"
            )


def preflight(videos: Mapping[str, Video], results: Path, config: Mapping[str, Any]) -> None:
    """Print versions and warnings. Raise UserError with every problem that would fail the run."""
    urls = [video.url for video in videos.values() if not video.is_local and not _is_downloaded(results, video.video)]
    checks: list[Callable[[], Iterator[str]]] = [
        _check_ffmpeg,
        lambda: _check_disk(results),
        lambda: iter(describe_aliases(videos.values())),
    ]
    if urls:
        store, options = Path(config["store"]), DownloadOptions.from_config(config["download"])
        checks += [
            lambda: _check_store(store, len(urls)),
            lambda: _check_ytdlp(options, urls),
            lambda: _check_cookies(options),
        ]
        if any(site_of(url, store, options.sites).name == "youtube.com" for url in urls):
            checks.append(lambda: _check_youtube(options))
    lines: list[str] = []
    problems: list[str] = []
    for check in checks:
        try:
            lines += list(check())
        except (Problem, UserError) as problem:
            problems.append(str(problem))
    print("\n".join(f"reelsieve: {printable(line)}" for line in lines), file=sys.stderr)
    if problems:
        raise UserError("\n".join([f"{len(problems)} problem(s) before the first download:", *problems]))


def _is_downloaded(results: Path, video: str) -> bool:
    path = record_path(results, video)
    if not path.exists():
        return False
    record: VideoRecord = read_json(path)
    return record["status"] == "ok"


def _check_ffmpeg() -> Iterator[str]:
    exe, version = ffmpeg_exe(), ffmpeg_version()
    number = re.match(r"n?(\d+)\.(\d+)", version)
    yield f"ffmpeg {number[0] if number else version}: {exe}"
    if number and (int(number[1]), int(number[2])) < OLDEST_FFMPEG:
        raise Problem(f"{exe} is older than ffmpeg 5.1: unset IMAGEIO_FFMPEG_EXE, or set it to a newer ffmpeg")


def _check_disk(results: Path) -> Iterator[str]:
    free = shutil.disk_usage(next(folder for folder in (results, *results.absolute().parents) if folder.exists())).free
    if free < LEAST_RESULTS_BYTES:
        raise Problem(f"{free / 1e6:.0f} MB are free in {results.absolute()}: free some, or use another run folder")
    yield from ()


def _check_store(store: Path, count: int) -> Iterator[str]:
    try:
        store.mkdir(parents=True, exist_ok=True)
        trial = store / f".trial.{os.getpid()}.part"
        try:
            trial.write_bytes(b"x")
            if (lock := try_lock(trial)) is None:
                raise OSError("a new file is locked already")
            lock.release()
        finally:
            trial.unlink(missing_ok=True)
    except OSError as error:
        raise Problem(
            f"config key store: cannot write and lock files in {store.absolute()}: {error}; choose a folder that allows"
            " both (some network file systems have no locks)"
        ) from None
    free = shutil.disk_usage(store).free
    if free < LEAST_FREE_BYTES:
        raise Problem(
            f"{free / 1e9:.1f} GB are free in {store.absolute()}: free some, or set config key store to another disk"
        )
    if free < count * USUAL_VIDEO_BYTES:
        yield (
            f"warning: {free / 1e9:.0f} GB are free for {count} videos in {store.absolute()}, too little at 100 MB each"
            " (keep_media: false frees each one once its frames are filtered)"
        )


def _check_ytdlp(options: DownloadOptions, urls: list[str]) -> Iterator[str]:
    from yt_dlp import YoutubeDL

    number = version("yt-dlp")
    yield f"yt-dlp {number}"
    if not options.allow_private_hosts and sys.modules.get("curl_cffi", True) and find_spec("curl_cffi"):
        yield "warning: curl_cffi is not used unless allow_private_hosts is true, because it resolves host names itself"
    released = re.match(r"(\d{4})\.(\d{1,2})\.(\d{1,2})", number)
    age_days = (datetime.now(UTC).date() - date(*map(int, released.groups()))).days if released else 0
    if age_days > OLD_DAYS and (site := _known_site(urls)):
        yield (
            f"warning: yt-dlp {number} is {age_days} days old, and sites such as {site} change; to update it:"
            f" {sys.executable} -m pip install --upgrade yt-dlp yt-dlp-ejs"
        )
    try:
        YoutubeDL(base_options("", replace(options, cookies=""))).close()
    except Exception as error:  # yt-dlp has no exception type for bad options
        raise Problem(f"config key download.ytdlp: yt-dlp rejects it: {error}") from None


def _known_site(urls: list[str]) -> str:
    """Return the host of a URL for which yt-dlp has code of its own, which may be outdated; empty if there is none."""
    from yt_dlp.extractor import gen_extractor_classes

    by_host = {str(urlsplit(url).hostname): url for url in reversed(urls)}
    known = [extractor for extractor in gen_extractor_classes() if extractor.ie_key() != "Generic"]
    some = list(by_host.items())[:MOST_SITES]
    return next((host for host, url in some if any(extractor.suitable(url) for extractor in known)), "")


def _check_cookies(options: DownloadOptions) -> Iterator[str]:
    if not options.cookies:
        return
    rows = [line.split("\t") for line in read_cookies(Path(options.cookies)) if line.count("\t") == 6]
    from yt_dlp import YoutubeDL

    try:
        with YoutubeDL(base_options("", options)) as client:
            len(client.cookiejar)
    except Exception as error:  # as above
        raise Problem(f"config key download.cookies: yt-dlp rejects {options.cookies}: {error}") from None
    ends = [int(row[4]) for row in rows if row[4].isdigit() and int(row[4])]
    if len(ends) == len(rows) and all(end < time.time() for end in ends):
        yield f"warning: all {len(rows)} cookies in {options.cookies} have expired: export them again"


def _check_youtube(options: DownloadOptions) -> Iterator[str]:
    """Check for the JavaScript runtime that yt-dlp needs for YouTube; without it some formats are missing."""
    from yt_dlp.dependencies import yt_dlp_ejs
    from yt_dlp.globals import supported_js_runtimes

    accepted = options.ytdlp.get("js_runtimes") or {"deno": {}}
    known = supported_js_runtimes.value
    found = {name: known[name](path=settings.get("path")).info for name, settings in accepted.items() if name in known}
    usable = [f"{name} {info.version}" for name, info in found.items() if info and info.supported]
    if usable:
        yield f"YouTube: {', '.join(usable)}"
    else:
        yield f"warning: YouTube needs a recent version of {' or '.join(accepted)}: pip install deno"
    try:
        version("yt-dlp-ejs")
    except PackageNotFoundError:
        yt_dlp_ejs = None
    if not yt_dlp_ejs:
        yield "warning: YouTube needs yt-dlp-ejs: pip install yt-dlp-ejs"
