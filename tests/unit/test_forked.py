"""A fork runs code as a new process does: its own folder, environment, arguments, output and end."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests._forked import Forker

TELL = """
import json, os, sys
os.environ["LEAK"] = "set by a run"
seen = [sys.argv[1:], os.getcwd(), sys.path[0], os.environ.get("HERE"), os.getpid(), sys.stdin.read()]
print(json.dumps(seen))
print("wrong", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    started = Forker(("fractions",))
    yield started
    started.close()


def test_a_fork_has_its_own_folder_arguments_environment_and_output(forker: Forker, tmp_path: Path) -> None:
    seen = []
    for here in ("one", "two"):
        done = forker.run(TELL, ["a b", "--c"], tmp_path, {"HERE": here})
        assert (done.returncode, done.stderr) == (3, "wrong\n")
        seen.append(json.loads(done.stdout))
    assert [one[:4] for one in seen] == [[["a b", "--c"], str(tmp_path), str(tmp_path), h] for h in ("one", "two")]
    assert seen[0][4] != seen[1][4] and seen[0][5] == "", "processes of their own, with nothing to read"


def test_nothing_of_a_fork_is_left_for_the_next_one(forker: Forker, tmp_path: Path) -> None:
    forker.run("import os, wave; os.environ['LEAK'] = 'x'", [], tmp_path, {})
    look = "import os, sys; print(os.environ.get('LEAK'), *(name in sys.modules for name in ('fractions', 'wave')))"
    assert forker.run(look, [], tmp_path, {}).stdout.split() == ["None", "True", "False"]


@pytest.mark.parametrize(
    ("code", "ended"),
    [("1 / 0", 1), ("pass", 0), ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM)],
)
def test_a_fork_tells_how_it_ended(forker: Forker, tmp_path: Path, code: str, ended: int) -> None:
    done = forker.run(code, [], tmp_path, dict(os.environ))
    assert done.returncode == ended and ("ZeroDivisionError" in done.stderr) is (ended == 1)


def test_a_fork_that_takes_too_long_is_killed(forker: Forker, tmp_path: Path) -> None:
    code = "import os, time; open('id', 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(TimeoutError, match="takes longer than 2 s"):
        forker.run(code, [], tmp_path, {}, timeout_s=2)
    process = int((tmp_path / "id").read_text())
    assert not psutil.pid_exists(process) or psutil.Process(process).wait(10) is None
    assert forker.run("print(1)", [], tmp_path, {}).stdout == "1\n", "the next one runs"
