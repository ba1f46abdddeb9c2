"""Place and name the sockets of a run's own processes, and know who connects to them."""

import hashlib
import os
import re
import socket
import stat
import struct
import tempfile
from pathlib import Path
from typing import NamedTuple

from scripts.job.process import is_alive

NO_SOCKET = 3  # the exit code of a detector that cannot open its socket

LONGEST_PATH = 100  # of a socket, in bytes; the system's limit is 104 to 108
LONGEST_NAME = 50  # of a socket, without its folder
OWNED = re.compile(r"([0-9a-f]{8})-(\d+)_(\w+)-[0-9a-f]{16}")  # the start of a socket's name: host, owner, hash


class NoDetector(Exception):
    """No warm process can run here, so the job starts cold and loads what it needs itself."""


class Peer(NamedTuple):
    """The process, the user and the group at the other end of a socket."""

    pid: int
    uid: int
    gid: int


def peer_of(connection: socket.socket) -> Peer:
    """Return who is at the other end of a local socket."""
    size = struct.calcsize("3i")
    return Peer(*struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)))


def socket_path(owner: str, name: str) -> Path:
    """Return the path of a socket of a run, the `owner`; `name` has 16 hexadecimal digits.

    Nodes may share the folder of sockets, hence the host. The owner shows which sockets killed runs left. Raise
    NoDetector if there is no folder, or if the path is too long.
    """
    path = file_of_run(owner, name)
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise NoDetector(f"the path of the socket is too long: {path}")
    return path


def file_of_run(owner: str, name: str) -> Path:
    """Return the path of a file of a run, the `owner`, in the folder of sockets. clear_sockets() will find it.

    Raise NoDetector if there is no folder.
    """
    return private_folder() / f"{this_host()}-{owner.replace('.', '_')}-{name}"


def next_of(path: Path) -> Path:
    """Return the file that a job locks while the detector of a socket decodes for it and infers for another job."""
    return path.with_name(f"{path.name}.next")


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
