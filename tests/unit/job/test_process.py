"""Processes have names that no later process gets."""

import os
import subprocess
import sys

from scripts.job.process import is_alive, owner_name


def test_a_process_is_alive_until_it_ends_also_before_it_is_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = owner_name(process.pid)
        assert name.startswith(f"{process.pid}.") and is_alive(name)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
        assert not is_alive(name)
    assert not is_alive(name)


def test_another_process_with_the_same_pid_has_another_name() -> None:
    own = owner_name(os.getpid())
    assert is_alive(own)
    assert not is_alive(f"{own}1") and not is_alive(str(os.getpid())) and not is_alive("")
