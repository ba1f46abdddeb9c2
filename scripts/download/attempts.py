"""Try again what may pass: with limits, back-off and an end."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace

from scripts.download.faults import AGAIN, Fault
from scripts.download.options import DownloadOptions
from scripts.download.rate_limits import Site, SitePaused


def retry_with_backoff(
    once: Callable[[float], tuple[Fault, bool]], site: Site, options: DownloadOptions
) -> tuple[Fault, int]:
    """Let `once` try in the site's turns until it succeeds or no further attempt can help; return fault and attempts.

    `once` gets the seconds that are left and returns what happened and whether it brought the end closer: only
    attempts in a row that did not are held against `attempts`. Waiting for the site's slot takes none of the time.
    """
    fault, attempt, idle, left_s = Fault("failed", "no attempt was made"), 0, 0, options.deadline_s
    while True:
        try:
            with site.slot():
                attempt += 1
                began = time.monotonic()
                fault, gained = once(left_s)
                left_s -= time.monotonic() - began
        except SitePaused as paused:
            return (fault if attempt else Fault("blocked", str(paused))), attempt
        if fault.status == "blocked":
            site.record_block(fault.message, fault.retry_after_s)
        elif fault.status not in AGAIN:
            site.thank()
        idle = 0 if gained else idle + 1
        if not fault.again or idle >= options.attempts:
            return fault, attempt
        wait_s = max(_backoff_s(options.wait_s, idle), fault.retry_after_s or 0.0)
        if wait_s >= left_s:
            return _out_of_time(fault, wait_s, options.deadline_s), attempt
        logging.warning("attempt %d: %s: %s; again in %.1f s", attempt, fault.status, fault.message, wait_s)
        if fault.status != "blocked":  # its pause is the site's, for all jobs, and held in its next slot
            time.sleep(wait_s)
            left_s -= wait_s


def _backoff_s(wait_s: float, idle: int) -> float:
    """Return the wait before the next attempt, spread so that jobs that failed together do not return together."""
    return wait_s * float(2 ** max(0, idle - 1)) * random.uniform(0.8, 1.2)


def _out_of_time(fault: Fault, wait_s: float, deadline_s: float) -> Fault:
    asked = f"; the server asks to come back in {wait_s:.0f} s" if fault.retry_after_s else ""
    return replace(fault, message=f"{fault.message}{asked}; deadline_s = {deadline_s:g} s leaves no time for that")
