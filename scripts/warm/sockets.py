"""Place and name the sockets of warm detectors."""

import hashlib
import os
import re
import socket
import stat
import tempfile
from pathlib import Path

from scripts.job.process import is_alive

NO_SOCKET = 3  # the exit code of a detector that cannot open its socket

LONGEST_PATH = 100  # of a socket, in bytes; the system's limit is 104 to 108
LONGEST_NAME = 50  # of a socket, without its folder
OWNED = re.compile(r"([0-9a-f]{8})-(\d+)_(\w+)-[0-9a-f]{16}")  # the start of a socket's name: host, owner, hash


class NoDetector(Exception):
    """No warm detector can run here, so the job loads the model itself."""


def turn_of(path: Path) -> Path:
    """Return the file that a job locks while it uses the detector of a socket."""
    return path.with_name(f"{path.name}.turn")


def this_host() -> str:
    """Return this host's name as eight hexadecimal digits."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def clear_sockets(folder: Path) -> None:
    """Delete the files that detectors of killed runs left on this host."""
    for path in folder.iterdir():
        match = OWNED.match(path.name)
        if match and match[1] == this_host() and not is_alive(f"{match[2]}.{match[3]}"):
            path.unlink(missing_ok=True)


def private_folder() -> Path:
    """Return a folder that only this user can enter, with a path short enough for sockets.

    Raise NoDetector if there is none.
    """
    for parent in dict.fromkeys([os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]):
        folder = Path(parent) / f"reelsieve-{os.getuid()}"
        if not parent or len(os.fsencode(folder)) > LONGEST_PATH - LONGEST_NAME:
            continue
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            known = folder.lstat()
        except OSError:
            continue
        if stat.S_ISDIR(known.st_mode) and known.st_uid == os.getuid() and not known.st_mode & 0o077:
            return folder
    raise NoDetector("no private folder for a socket: set TMPDIR to a short path that only you can enter")
