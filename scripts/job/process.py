"""Name processes by PID and start time, because the system gives the PID of an ended process to a new one."""

import os
import time
from pathlib import Path


def owner_name(pid: int) -> str:
    """Return the name of a running process: PID.START, the start in clock ticks since boot."""
    return f"{pid}.{_started(pid)}"


def is_alive(owner: str) -> bool:
    """Return whether the process of this name still runs."""
    pid, _, started = owner.partition(".")
    return bool(started) and _started(int(pid)) == started


def age_s() -> float:
    """Return the seconds since this process started."""
    ticks = _started(os.getpid())
    if not ticks.isdigit():
        return time.process_time()  # no /proc: at least what it has worked
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")


def _started(pid: int) -> str:
    """Return the start in clock ticks since boot; empty if the process does not run or is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
        try:  # no /proc, as on macOS: only the PID can be checked
            os.kill(pid, 0)
        except OSError:
            return ""
        return "running"
    return "" if fields[0] == "Z" else fields[19]
