"""Manners towards sites: how many at a time, how far apart, how many an hour, and when to leave one alone.

They hold across all jobs and runs that share a store, since what counts is kept in it, per site: a lock per allowed
job, and a file of times. Clocks of nodes that share a store should agree to a second.
"""

import json
import logging
import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.core.files import clear_parts, read_json, write_text
from scripts.core.locks import hold, try_lock
from scripts.download.options import SiteLimits

ALIASES = {"youtu.be": "youtube.com", "youtube-nocookie.com": "youtube.com"}
HOUR_S = 3600.0
LONGEST_WAIT_S = 600.0  # a job waits no longer for a paused site; its video is recorded as blocked
LONGEST_PAUSE_S = 3600.0
LONGEST_ASKED_S = 6 * 3600.0  # whatever a site asks for; nonsense must not outlast the day
POLL_S = 0.2
LONG_S = 60.0  # waits that are said on the terminal too


class SitePaused(Exception):
    """The site asked to be left alone for longer than a job should wait."""


class Site:
    """One site, as all jobs see it."""

    def __init__(self, name: str, folder: Path, limits: SiteLimits) -> None:
        """Keep what is shared in `folder`; `manners` are the keys under download.sites of the configuration."""
        self.name, self._folder, self._limits = name, folder, limits
        self._began = 0.0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until the site may be asked, and hold one of its slots; raise SitePaused if that would take too long."""
        with self._hold_job_lock():
            self._wait()
            self._began = time.time()
            try:
                yield
            finally:
                with self._state() as state:
                    self._keep_distance(state)

    def record_block(self, message: str, asked_s: float | None) -> None:
        """Pause the site for all jobs, each time twice as long; the first job to say so says it."""
        with self._state() as state:
            now = time.time()
            if state["paused_until"] > now and not asked_s:
                return
            known = state["paused_until"] > now
            wait_s = (
                min(asked_s, LONGEST_ASKED_S)
                if asked_s
                else min(LONGEST_PAUSE_S, self._limits.pause_s * 2 ** state["blocks"])
            )
            state["blocks"] = min(state["blocks"] + 1, 30)
            state["paused_until"] = max(state["paused_until"], now + wait_s)
            state["message"], state["blocked_at"] = message, now
        if not known:
            logging.warning("%s: left alone for %.0f s by all jobs, because it said: %s", self.name, wait_s, message)

    def thank(self) -> None:
        """Note that the site answered what was asked after its last refusal: the next pause is a short one again."""
        with self._state() as state:
            if self._began > state["blocked_at"]:
                state["blocks"] = 0

    @contextmanager
    def _hold_job_lock(self) -> Iterator[None]:
        """Hold one of the site's locks; the system frees it if this process dies."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            for number in range(self._limits.jobs):
                if lock := try_lock(self._folder / f"job{number}.lock"):
                    try:
                        yield
                    finally:
                        lock.release()
                    return
            time.sleep(POLL_S)

    def _wait(self) -> None:
        said = False
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
                sooner = f"to try sooner, delete sites/{self._folder.name} in the store"
                raise SitePaused(f"not tried: {self.name} is left alone until {until} ({sooner}): {state['message']}")
            if not said:
                logging.info("waiting %.1f s for %s", wait_s, self.name, extra={"log_only": wait_s < LONG_S})
                said = True
            time.sleep(min(wait_s, 5.0))

    def _due(self, state: dict[str, Any], now: float) -> float:
        """Return the seconds until the site may be asked again."""
        state["starts"] = [start for start in state["starts"] if now - HOUR_S < start <= now]
        state["paused_until"] = min(state["paused_until"], now + LONGEST_ASKED_S)
        state["not_before"] = min(state["not_before"], now + self._limits.sleep_s[1])  # clocks may be set back
        waits = [state["paused_until"] - now, state["not_before"] - now]
        if self._limits.per_hour and len(state["starts"]) >= self._limits.per_hour:
            waits.append(state["starts"][-self._limits.per_hour] + HOUR_S - now)
        return float(max(waits))

    def _keep_distance(self, state: dict[str, Any]) -> None:
        state["not_before"] = time.time() + random.uniform(*self._limits.sleep_s)

    @contextmanager
    def _state(self) -> Iterator[dict[str, Any]]:
        """Yield what all jobs know of the site; changes are kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        known = self._folder / "state.json"
        with hold(self._folder / "state.lock"):
            state = {
                "starts": [],
                "not_before": 0.0,
                "paused_until": 0.0,
                "blocks": 0,
                "blocked_at": 0.0,
                "message": "",
            }
            with suppress(OSError, ValueError):  # none yet, or one that a power cut spoilt
                state |= read_json(known)
            yield state
            clear_parts(known)
            write_text(known, json.dumps(state))


def site_of(url: str, store: Path, sites: Mapping[str, SiteLimits]) -> Site:
    """Return a URL's site: the entry of `sites` that its host belongs to, else the host with the limits of `*`."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".").removeprefix("www.")
    host = "youtube.com" if re.match(r"ytsearch(date)?\d*:", url) else ALIASES.get(host, host)
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels))]
    name = next((n for n in names if n in sites), host)
    folder = store / "sites" / (re.sub(r"[^a-z0-9.-]", "_", name) or "none")
    return Site(name, folder, sites.get(name, sites["*"]))
