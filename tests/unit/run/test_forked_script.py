"""A forked job sees, does and ends as it would in an interpreter of its own, and shares no chance with others."""

import json
import sys
import time

import pytest

from tests._jobs import Start, end

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm jobs need Linux")
SEES = """
import snakemake.iocontainers, snakemake.logging  # as Snakemake's own lines do
import json, os, random, resource, signal, sys, threading, warnings, logging, locale
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
def is_own(stream):
    # a folder that is being listed, or the socket on which a job tells the server what it imported
    try:
        return "socket:" in os.readlink(f"/proc/self/fd/{stream}")
    except FileNotFoundError:
        return True
print(json.dumps({
    "argv": sys.argv, "name": __name__, "file": __file__, "main": sys.modules["__main__"].__file__,
    "folder": os.getcwd(), "path": [p for p in sys.path if p], "executable": sys.executable,
    "environment": dict(os.environ), "umask": fields["Umask"], "ignored": fields["SigIgn"], "caught": fields["SigCgt"],
    "blocked": fields["SigBlk"], "group": os.getpgid(0) == os.getpgid(int(os.environ["RUN"])),
    "session": os.getsid(0) == os.getsid(int(os.environ["RUN"])),
    "limits": [resource.getrlimit(which) for which in range(16)], "nice": os.nice(0), "affinity": sorted(os.sched_getaffinity(0)),
    "open": [stream for stream in os.listdir("/proc/self/fd") if not is_own(stream)], "threads": threading.active_count(), "tasks": len(os.listdir("/proc/self/task")),
    "handlers": len(logging.root.handlers), "warnings": len(warnings.filters), "encoding": sys.stdout.encoding,
    "input": sys.stdin.readline(), "time zone": __import__("time").tzname, "locale": locale.getlocale(),
}, sort_keys=True))
print("to stderr", file=sys.stderr)
"""  # noqa: E501


def test_a_job_sees_the_same_world_warm_and_cold(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY_OF_THIS_JOB", "é\n=")
    (code, warm, warm_error), (cold_code, cold, cold_error) = end(start(SEES)), end(start(SEES, cold=True))
    assert json.loads(warm) == json.loads(cold)
    assert (code, warm_error) == (cold_code, cold_error) == (0, "to stderr\n")


@pytest.mark.parametrize(
    "text",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.exit()",
        "import sys; sys.exit('a message')",
        "raise ValueError('of this script')",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os; os._exit(5)",
        "raise KeyboardInterrupt",
        "import atexit, threading, time\natexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('of a thread'))).start()",
        "import sys; print('no line end', end=''); sys.stderr.write('x')",
    ],
)
def test_a_job_ends_as_it_would_cold(start: Start, text: str) -> None:
    assert end(start(text)) == end(start(text, cold=True))


def test_jobs_run_side_by_side_and_share_no_chance(start: Start) -> None:
    text = "import os, random, tempfile, uuid, time; import numpy; time.sleep(0.5);"
    text += "print(os.getppid(), random.random(), numpy.random.random(), tempfile.mktemp(), uuid.uuid4())"
    end(start("import numpy.random"))  # the server learns it
    began = time.monotonic()
    jobs = [start(text) for _ in range(6)]
    words = [end(job)[1].split() for job in jobs]
    assert time.monotonic() - began < 6 * 0.5
    parents, *drawn = (set(column) for column in zip(*words, strict=True))
    assert len(parents) == 1 and [len(values) for values in drawn] == [6, 6, 6, 6]
