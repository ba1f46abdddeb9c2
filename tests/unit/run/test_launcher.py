"""A launcher costs little, runs a job once, and does without a server."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.run import launcher, warm_jobs
from scripts.run.job_server import read_request

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm jobs need Linux")


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
