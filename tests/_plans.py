"""Plan many runs in one process: it loads Snakemake once and forks for each plan, which takes half of the time.

As a program: a JSON list of arguments per line in, the path of a file with what snakemake said per line out.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select

PLAN_S = 300.0


class Planner:
    """Asks the process for plans."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def plan(self, folder: Path, command: list[str]) -> tuple[int, str]:
        """Return the exit code and the text of `snakemake` with these arguments, called in a folder."""
        assert self._process.stdin and self._process.stdout
        said = folder / "plan.txt"
        self._process.stdin.write(json.dumps([str(folder), str(said), *command]) + "\n")
        self._process.stdin.flush()
        assert select([self._process.stdout], [], [], PLAN_S)[0], f"no plan within {PLAN_S:g} s"
        code = int(self._process.stdout.readline())
        return code, said.read_text()


@contextmanager
def planner() -> Iterator[Planner]:
    """Yield a planner whose process ends with the block."""
    command = [sys.executable, str(Path(__file__).resolve())]  # not a module: `scripts` is to be each checkout's own
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Planner(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()


def _serve() -> None:
    from snakemake.cli import main

    for line in sys.stdin:
        folder, said, *arguments = json.loads(line)
        child = os.fork()
        if not child:
            os.chdir(folder)
            output = os.open(said, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            sys.argv = ["snakemake", *arguments]
            code = 0
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
