"""The job server serves jobs until its run ends, takes jobs along when a process is killed, and does not grow."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scripts.core.layout import CHECKOUT
from scripts.run import launcher, warm_jobs
from tests._jobs import Start, end, gone, jobs_of, server_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm jobs need Linux")


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
