"""Record connections, name lookups and written paths of every Python that has this folder on PYTHONPATH.

A line of JSON per event goes to the file that AUDIT_LOG names. Python imports this module at its start.
"""

import json
import os
import sys
from typing import Any

RECORD = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
ADDRESSES = ("socket.connect", "socket.sendto", "socket.sendmsg")
TARGETS = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "os.truncate": 0, "sqlite3.connect": 0}


def record(event: str, arguments: tuple[Any, ...]) -> None:
    """Record an event of Python's audit hooks."""
    if event in NAMES:
        note("name", arguments[0])
    elif event in ADDRESSES:
        note("address", arguments[1])
    elif event == "open" and isinstance(arguments[0], str | bytes) and (arguments[2] or 0) & WRITING:
        note("path", arguments[0])
    elif event in TARGETS and isinstance(arguments[TARGETS[event]], str | bytes | os.PathLike):
        note("path", arguments[TARGETS[event]])


def note(kind: str, value: Any) -> None:
    """Write a line. A path is completed by the working folder."""
    if kind == "path":
        value = os.path.abspath(os.fsdecode(value))
    elif isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    line = json.dumps([kind, value], default=str) + "\n"
    os.write(RECORD, line.encode("utf-8", "surrogatepass"))


sys.addaudithook(record)
