"""Retry what may succeed later, with a limit on attempts and time."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace

from scripts.download.faults import RETRYABLE, Fault
from scripts.download.options import DownloadOptions
from scripts.download.rate_limits import Site, SitePaused


def retry_with_backoff(
    once: Callable[[float], tuple[Fault, bool]], site: Site, options: DownloadOptions
) -> tuple[Fault, int]:
    """Call `once` until it succeeds or a retry cannot help; return the last fault and the number of attempts.

    `once` takes the seconds that are left. It returns the fault and whether the attempt made progress. Only attempts
    in a row without progress count towards `attempts`. Waits for the site's rate limit do not count as time.
    """
    fault, attempt, idle, left_s = Fault("failed", "no attempt was made"), 0, 0, options.deadline_s
    while True:
        try:
            with site.slot():
                attempt += 1
                began = time.monotonic()
                fault, progressed = once(left_s)
                left_s -= time.monotonic() - began
        except SitePaused as paused:
            return (fault if attempt else Fault("blocked", str(paused))), attempt
        if fault.status == "blocked":
            site.record_block(fault.message, fault.retry_after_s)
        elif fault.status not in RETRYABLE:
            site.record_success()
        idle = 0 if progressed else idle + 1
        if not fault.retryable or idle >= options.attempts:
            return fault, attempt
        wait_s = max(_backoff_s(options.wait_s, idle), fault.retry_after_s or 0.0)
        if wait_s >= left_s:
            return _out_of_time(fault, options.deadline_s), attempt
        logging.warning("attempt %d: %s: %s; next attempt in %.1f s", attempt, fault.status, fault.message, wait_s)
        if fault.status != "blocked":  # then the site is paused for all jobs, and its next slot waits
            time.sleep(wait_s)
            left_s -= wait_s


def _backoff_s(wait_s: float, idle: int) -> float:
    """Return the wait before the next attempt, randomized so that jobs that failed together retry at other times."""
    return wait_s * float(2 ** max(0, idle - 1)) * random.uniform(0.8, 1.2)


def _out_of_time(fault: Fault, deadline_s: float) -> Fault:
    wait = f"; the server demands a wait of {fault.retry_after_s:.0f} s" if fault.retry_after_s else ""
    reason = f"; deadline_s = {deadline_s:g} s leaves no time for another attempt"
    return replace(fault, message=f"{fault.message}{wait}{reason}")
