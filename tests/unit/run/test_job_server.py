"""A warm job runs as a cold one does, whoever is killed, and shares nothing with other jobs but loaded modules."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scripts.core.layout import CHECKOUT
from scripts.job.environment import OWNER
from scripts.job.process import owner_name
from scripts.run import launcher, warm_jobs
from scripts.run.job_server import read_request

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
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process that stands for a run: the job server's owner. Its umask is not a usual one."""
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o037)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setattr(warm_jobs, "owner_name", lambda _: owner_name(process.pid))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
        monkeypatch.setenv(OWNER, owner_name(process.pid))
        monkeypatch.setenv("RUN", str(process.pid))
        yield process
        process.kill()
    os.umask(before)


@pytest.fixture
def start(run: "subprocess.Popen[bytes]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a function that starts a script as Snakemake does, warm unless `cold`."""
    monkeypatch.setenv(launcher.SERVER, "")  # so that it is removed afterwards
    warm = warm_jobs.start_job_server()
    started: list[subprocess.Popen[str]] = []

    def start_script(text: str, name: str = "verify", cold: bool = False) -> "subprocess.Popen[str]":
        script = tmp_path / f"tmp0.{name}.py"
        script.write_text(text)
        command = f"trap '' INT; {sys.executable if cold else warm} {script}"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(["bash", "-c", command], text=True, **pipes))  # type: ignore[call-overload]
        return started[-1]

    yield start_script
    run.kill()
    for process in started:
        process.communicate(timeout=30)
    gone(server_of(run))


def server_of(run: "subprocess.Popen[bytes]") -> psutil.Process | None:
    """Return the job server of a run."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "scripts.run.job_server" in command and command[-2].startswith(f"{run.pid}."):
            return process
    return None


def gone(process: psutil.Process | None) -> None:
    if process:
        process.wait(20)


def jobs_of(run: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    server = server_of(run)
    return server.children() if server else []


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate("a line\n", timeout=60)
    return process.returncode, out, err


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


def test_later_jobs_of_a_rule_find_loaded_what_earlier_ones_imported(start: Start) -> None:
    text = (
        "import sys; print('av' in sys.modules, 'torch' in sys.modules); import av; sys.modules.setdefault('torch', av)"
    )
    assert [end(start(text))[1] for _ in range(2)] == ["False False\n", "True False\n"]
    assert end(start(text, name="report"))[1] == "True False\n", "the server has it for all"


def test_a_job_whose_launcher_is_killed_is_killed(start: Start, run: "subprocess.Popen[bytes]") -> None:
    job = start("import time; print('begun', flush=True); time.sleep(60)")
    assert job.stdout and job.stdout.readline() == "begun\n"
    (child,) = jobs_of(run)
    (launched,) = psutil.Process(job.pid).children() or [psutil.Process(job.pid)]
    launched.kill()
    gone(child)
    assert end(start("print('next')"))[:2] == (0, "next\n")


def test_a_job_whose_server_is_killed_is_killed_and_the_next_ones_run_without(
    start: Start, run: "subprocess.Popen[bytes]"
) -> None:
    job = start("import time; print('begun', flush=True); time.sleep(60)")
    assert job.stdout and job.stdout.readline() == "begun\n"
    (child,), server = jobs_of(run), server_of(run)
    assert server
    server.kill()
    gone(child)
    assert job.wait(20) in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert end(start("import os; print(os.getppid() != 1)"))[:2] == (0, "True\n")


def test_ctrl_c_reaches_the_job_and_its_launcher_ends_like_it(start: Start, run: "subprocess.Popen[bytes]") -> None:
    text = "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    text += "print('begun', flush=True)\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('interrupted'); raise"
    job = start(text)
    assert job.stdout and job.stdout.readline() == "begun\n"
    (child,) = jobs_of(run)
    assert os.getpgid(child.pid) == os.getpgid(job.pid), "the terminal sends Ctrl-C to this group"
    child.send_signal(signal.SIGINT)
    assert job.wait(20) in (-signal.SIGINT, 128 + signal.SIGINT) and job.stdout.read() == "interrupted\n"


def test_the_server_ends_with_its_run_after_the_last_job(start: Start, run: "subprocess.Popen[bytes]") -> None:
    job = start("import time; print('begun', flush=True); time.sleep(1.5); print('done')")
    assert job.stdout and job.stdout.readline() == "begun\n"
    server, path = server_of(run), Path(os.environ[launcher.SERVER])
    assert server and path.exists()
    run.kill()
    assert end(job)[:2] == (0, "done\n")
    gone(server)
    assert not path.exists()
    assert end(start("print('cold')"))[:2] == (0, "cold\n")


def test_a_server_that_an_import_has_given_a_thread_forks_no_more(
    start: Start, tmp_path: Path, run: "subprocess.Popen[bytes]"
) -> None:
    (tmp_path / "modules").mkdir()
    module = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    (tmp_path / "modules/imagehash.py").write_text(module)
    text = "import os; print(os.getppid()); import imagehash"
    server = server_of(run)
    assert server
    assert end(start(text))[1] == f"{server.pid}\n"
    code, parent, _ = end(start(text))
    assert code == 0 and parent != f"{server.pid}\n"
    assert "has started a thread" in (tmp_path / warm_jobs.LOG).read_text()


def test_code_that_is_edited_during_a_run_is_not_mixed_with_loaded_modules(
    run: "subprocess.Popen[bytes]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CHECKOUT / "scripts", tmp_path / "checkout/scripts")
    monkeypatch.setattr(warm_jobs, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.setenv(launcher.SERVER, "")
    warm, script = warm_jobs.start_job_server(), tmp_path / "tmp0.verify.py"
    script.write_text("import os; print(os.getppid())")
    server = server_of(run)

    def parent() -> str:
        return subprocess.run(["bash", "-c", f"{warm} {script}"], capture_output=True, text=True, check=True).stdout

    assert server and parent() == f"{server.pid}\n"
    with (tmp_path / "checkout/scripts/core/text.py").open("a") as file:
        file.write("# edited\n")
    assert parent() != f"{server.pid}\n"
    gone(server)


def test_without_a_server_a_job_starts_its_own_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(launcher.SERVER, raising=False)
    script = tmp_path / "tmp0.verify.py"
    script.write_text("import sys; print(sys.argv[1:], sys.flags.isolated)")
    command = [sys.executable, "-IS", str(warm_jobs.LAUNCHER), str(script), "an argument"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "['an argument'] 0\n"


def test_a_job_that_ends_before_its_launcher_looks_at_it_does_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(launcher.SERVER, str(tmp_path / "socket"))
    script = tmp_path / "tmp0.verify.py"
    script.write_text("print('ran again')")
    with subprocess.Popen(["true"]) as ended, socket.socket(socket.AF_UNIX) as listener:
        ended.wait()
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        command = [sys.executable, "-IS", str(warm_jobs.LAUNCHER), str(script)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as job:
            connection, _ = listener.accept()
            for stream in read_request(connection)[1]:
                os.close(stream)
            for number in (ended.pid, 7 << 8):
                connection.sendall(number.to_bytes(launcher.N_BYTES, sys.byteorder))
            assert (job.wait(20), job.stdout and job.stdout.read()) == (7, "")


def test_a_job_pays_for_few_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(launcher.SERVER, raising=False)
    (tmp_path / "tmp0.verify.py").touch()
    command = [sys.executable, "-X", "importtime", "-IS", str(warm_jobs.LAUNCHER), str(tmp_path / "tmp0.verify.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(re.findall(r"\|\s+(\w+)$", done.stderr, re.MULTILINE))
    assert "_socket" in imported and not imported & {"socket", "signal", "enum", "re", "json", "collections", "site"}


def test_the_server_does_not_grow_with_its_jobs(
    start: Start, tmp_path: Path, run: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARGE", "x" * 50_000)
    (tmp_path / "tmp1.verify.py").touch()
    jobs = f"for i in $(seq 50); do {sys.executable} -IS {warm_jobs.LAUNCHER} {tmp_path}/tmp1.verify.py; done"
    server = server_of(run)
    assert server and end(start("pass"))[0] == 0
    sizes = []
    for _ in range(2):
        subprocess.run(["bash", "-c", jobs], check=True)
        sizes.append((server.memory_info().rss, server.num_fds()))
    (before, files_before), (after, files) = sizes
    assert after - before < 1_500_000 and files < files_before + 5, "a job may still be ending"
