"""Rate limits per site: jobs at a time, seconds between attempts, attempts per hour, and pauses.

They hold for all jobs and runs that share a store. It has a folder per site, with a lock per allowed job and a file of
times. The clocks of nodes that share a store should agree to a second.
"""

import hashlib
import json
import logging
import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

from scripts.core.characters import one_line
from scripts.core.files import clear_parts, write_text
from scripts.core.locks import hold, try_lock
from scripts.core.shared_files import read_shared_json, refuse_link
from scripts.download.options import SiteLimits

LONGEST_HOST = 253
ALIASES = {"youtu.be": "youtube.com", "youtube-nocookie.com": "youtube.com"}
HOUR_S = 3600.0
LONGEST_WAIT_S = 600.0  # if a site is paused for longer, the video is recorded as blocked
LONGEST_PAUSE_S = 3600.0
LONGEST_RETRY_AFTER_S = 6 * 3600.0  # the limit for Retry-After, which can be nonsense
MOST_SECONDS = 1e12  # since the epoch
POLL_S = 0.2
LONG_S = 60.0  # longer waits are shown in the terminal too


class SitePaused(Exception):
    """The site is paused for longer than a job should wait."""


class SiteState(TypedDict):
    """The content of state.json, which all jobs share; times are in seconds since the epoch."""

    starts: list[float]
    not_before: float
    paused_until: float
    blocks: int
    blocked_at: float
    message: str


class Site:
    """One site with its rate limits, shared by all jobs."""

    def __init__(self, name: str, folder: Path, limits: SiteLimits) -> None:
        """Share locks and state in `folder`."""
        self.name, self.folder, self.limits = name, folder, limits
        self._began = 0.0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for the rate limit and hold one of the site's slots; raise SitePaused if a pause is too long."""
        with self._hold_job_lock():
            self._wait()
            self._began = time.time()
            try:
                yield
            finally:
                with self._state() as state:
                    self._keep_distance(state)

    def record_block(self, message: str, retry_after_s: float | None) -> None:
        """Pause the site for all jobs, each time twice as long, or for `retry_after_s`; log it once per pause."""
        with self._state() as state:
            now = time.time()
            if state["paused_until"] > now and not retry_after_s:
                return
            is_paused = state["paused_until"] > now
            wait_s = (
                min(retry_after_s, LONGEST_RETRY_AFTER_S)
                if retry_after_s
                else min(LONGEST_PAUSE_S, self.limits.pause_s * 2 ** min(state["blocks"], 30))
            )
            state["blocks"] = min(state["blocks"] + 1, 30)
            state["paused_until"] = max(state["paused_until"], now + wait_s)
            state["message"], state["blocked_at"] = message, now
        if not is_paused:
            logging.warning("%s: paused for %.0f s for all jobs: %s", self.name, wait_s, message)

    def record_success(self) -> None:
        """Reset the length of the next pause, unless the request began before the last block."""
        with self._state() as state:
            if self._began > state["blocked_at"]:
                state["blocks"] = 0

    @contextmanager
    def _hold_job_lock(self) -> Iterator[None]:
        """Hold one of the site's locks; the system releases it if this process dies."""
        self._make_folder()
        while True:
            for number in range(self.limits.jobs):
                if lock := try_lock(self.folder / f"job{number}.lock"):
                    try:
                        yield
                    finally:
                        lock.release()
                    return
            time.sleep(POLL_S)

    def _wait(self) -> None:
        logged = False
        while True:
            with self._state() as state:
                now = time.time()
                wait_s = self._due(state, now)
                if wait_s <= 0:
                    state["starts"] = [*state["starts"], now]
                    self._keep_distance(state)
                    return
            paused_s = state["paused_until"] - now
            if paused_s > LONGEST_WAIT_S:
                until = time.strftime("%H:%M", time.localtime(state["paused_until"]))
                sooner = f"to retry sooner, delete sites/{self.folder.name} in the store"
                raise SitePaused(f"no attempt: {self.name} is paused until {until} ({sooner}): {state['message']}")
            if not logged:
                extra = {"log_only": wait_s < LONG_S}
                logging.info("waiting %.1f s for the rate limit of %s", wait_s, self.name, extra=extra)
                logged = True
            time.sleep(min(wait_s, 5.0))

    def _due(self, state: SiteState, now: float) -> float:
        """Return the seconds until the next attempt is allowed."""
        state["starts"] = [start for start in state["starts"] if now - HOUR_S < start <= now]
        state["paused_until"] = min(state["paused_until"], now + LONGEST_RETRY_AFTER_S)
        state["not_before"] = min(state["not_before"], now + self.limits.sleep_s[1])  # clocks may be set back
        waits = [state["paused_until"] - now, state["not_before"] - now]
        if self.limits.per_hour and len(state["starts"]) >= self.limits.per_hour:
            waits.append(state["starts"][-self.limits.per_hour] + HOUR_S - now)
        return float(max(waits))

    def _keep_distance(self, state: SiteState) -> None:
        state["not_before"] = time.time() + random.uniform(*self.limits.sleep_s)

    def _make_folder(self) -> None:
        for folder in (self.folder.parent, self.folder):
            refuse_link(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _state(self) -> Iterator[SiteState]:
        """Yield the state that all jobs share, and save the changes."""
        self._make_folder()
        path = self.folder / "state.json"
        with hold(self.folder / "state.lock"):
            state: SiteState = {
                "starts": [],
                "not_before": 0.0,
                "paused_until": 0.0,
                "blocks": 0,
                "blocked_at": 0.0,
                "message": "",
            }
            with suppress(OSError, ValueError):  # missing, or damaged by a power failure
                state.update(_sound(read_shared_json(path), state))
            yield state
            clear_parts(path)
            write_text(path, json.dumps(state))


def _sound(read: Any, state: SiteState) -> Any:
    """Return the values of a state that have the type of those in `state`; others may have written the file."""
    if not isinstance(read, dict):
        return {}
    return {key: read[key] for key, usual in state.items() if key in read and _is_like(read[key], usual)}


def _is_like(value: Any, usual: Any) -> bool:
    if isinstance(usual, list):
        return isinstance(value, list) and all(_is_like(one, 0.0) for one in value)
    if isinstance(usual, str):
        return isinstance(value, str)
    return isinstance(value, int | float) and abs(value) < MOST_SECONDS  # not NaN, and no huge power of two


def site_of(url: str, store: Path, sites: Mapping[str, SiteLimits]) -> Site:
    """Return the site of a URL: the entry of `sites` for its host or a parent domain, else the host limited by `*`."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".").removeprefix("www.")
    host = "youtube.com" if re.match(r"ytsearch(date)?\d*:", url) else ALIASES.get(host, host)
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels))]
    name = next((n for n in names if n in sites), host)
    folder = re.sub(r"[^a-z0-9.-]", "_", name) or "none"
    if len(folder) > LONGEST_HOST:  # too long for the name of a folder; no such host exists
        folder = f"{folder[:60]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return Site(one_line(name), store / "sites" / folder, sites.get(name, sites["*"]))
