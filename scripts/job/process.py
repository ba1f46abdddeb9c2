"""Name a process so that its end is noticed, also when its number was given to another one."""

import os
from pathlib import Path


def owner_name(pid: int) -> str:
    """Return PID and start time of a living process."""
    return f"{pid}.{_started(pid)}"


def is_alive(owner: str) -> bool:
    """Tell whether the process of this name still runs."""
    pid, _, started = owner.partition(".")
    return bool(started) and _started(int(pid)) == started


def _started(pid: int) -> str:
    """Return the start time in clock ticks since boot; nothing if there is no such process, or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
        try:  # no /proc, as on macOS: the number alone has to do
            os.kill(pid, 0)
        except OSError:
            return ""
        return "running"
    return "" if fields[0] == "Z" else fields[19]
