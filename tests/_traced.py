"""What a command contacts and where it writes: from strace, which sees all processes, and from Python's audit hooks."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "connect,sendto,sendmsg,sendmmsg,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,"
    "symlink,symlinkat,truncate,chdir"
)
STRACE = ("strace", "-f", "-qq", "-y", "-s", "400", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o")
WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC)")
TEXT = r'"((?:[^"\\]|\\.)*)"'


@dataclass
class Trace:
    """Hosts that were looked up, addresses that were contacted, and paths that were written."""

    names: set[str] = field(default_factory=set)
    lookups: int = 0
    addresses: list[str] = field(default_factory=list)
    paths: set[Path] = field(default_factory=set)

    def paths_outside(self, folders: Iterable[Path]) -> list[Path]:
        """Return written paths that are in none of these folders, nor of the system, nor a cache of compiled code."""
        inside = [Path("/dev"), Path("/proc"), *folders]
        found = [path for path in self.paths if not any(path.is_relative_to(folder) for folder in inside)]
        return sorted(path for path in found if "__pycache__" not in path.parts)


def read_audit(log: Path) -> Trace:
    """Return what tests/audit/sitecustomize.py has recorded."""
    trace = Trace()
    for line in log.read_text().splitlines():
        kind, value = json.loads(line)
        if kind == "name" and value:
            trace.lookups += 1
            trace.names.add(value)
        elif kind == "address" and isinstance(value, list):  # a text is the path of a socket on this machine
            trace.addresses.append(f"{value[0]} port {value[1]}")
        elif kind == "path":
            trace.paths.add(Path(value))
    return trace


def read_strace(log: Path, start: Path) -> Trace:
    """Return what strace recorded of a command that was started in the folder `start`. Failed calls are left out."""
    trace = Trace()
    folders: dict[str, Path] = {}
    for process, call, arguments, result in _calls(log):
        if here := re.search(r"AT_FDCWD<([^>]*)>", arguments):
            folders[process] = Path(_plain(here[1]))
        folder = folders.get(process, start)
        if call == "chdir" and result == "0":
            folders[process] = folder / _texts(arguments)[0]
        elif call in ("connect", "sendto", "sendmsg", "sendmmsg"):
            _add_contact(trace, call, arguments)
        elif not result.startswith("-1") and (not call.startswith("open") or WRITES.search(arguments)):
            trace.paths.add(folder / _folder_of(call, arguments) / _texts(arguments)[-1])
    return trace


def _calls(log: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield process, call, arguments and result of each line; join those that other processes interrupted."""
    begun: dict[str, str] = {}
    for line in log.read_text(errors="replace").splitlines():
        process, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            begun[process] = text.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>", text):
            text = begun.pop(process, "") + text[resumed.end() :].lstrip()
        if found := re.match(r"(\w+)\((.*)\)\s+= (-?\S+)", text):
            yield process, found[1], found[2], found[3]


def _add_contact(trace: Trace, call: str, arguments: str) -> None:
    """Add the names in a query to a name server, and each other address."""
    found = re.search(r"sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|AF_INET6, )\"([^\"]+)\"", arguments)
    if call == "connect":
        if found and found[1] != "53":
            trace.addresses.append(f"{found[2]} port {found[1]}")
        return
    for packet in _texts(arguments):
        if name := _queried(packet):
            trace.lookups += 1
            trace.names.add(name)
    if found and found[1] != "53":
        trace.addresses.append(f"{found[2]} port {found[1]}")


def _queried(packet: str) -> str:
    """Return the name in a DNS query for an address; empty if a text is none."""
    raw = packet.encode("latin-1", "replace")
    labels, at = [], 12
    if len(raw) < 17 or raw[4:12] != b"\0\1\0\0\0\0\0\0" and raw[4:11] != b"\0\1\0\0\0\0\0":
        return ""
    while at < len(raw) and raw[at]:
        labels.append(raw[at + 1 : at + 1 + raw[at]].decode("latin-1"))
        at += raw[at] + 1
    return ".".join(labels)


def _folder_of(call: str, arguments: str) -> str:
    """Return the folder that the last path of a call with `at` in its name is relative to."""
    found = re.findall(r"\w+<([^>]*)>, \"", arguments) if "at" in call else []
    return _plain(found[-1]) if found else ""


def _texts(arguments: str) -> list[str]:
    return [_plain(text) for text in re.findall(TEXT, arguments)]


def _plain(text: str) -> str:
    """Undo strace's escapes."""
    raw: bytes = codecs.escape_decode(text.encode("utf-8", "surrogateescape"))[0]
    return raw.decode("latin-1")
