"""Run folders, and the real workflow in them."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests._forked import SNAKEMAKE, forker
from tests._places import DEMO, REPO


@dataclass(frozen=True)
class Outcome:
    """How a call of snakemake ended."""

    code: int
    terminal: str
    log: str = ""  # Snakemake's own, of each job

    @property
    def text(self) -> str:
        """Return all that was said."""
        return self.terminal + self.log

    @property
    def jobs(self) -> Counter[str]:
        """Return how often each rule ran, or would run."""
        started = re.findall(r"^(?:local)?(?:rule|checkpoint) (\w+):", self.text, re.MULTILINE)
        return Counter(name for name in started if name not in ("all", "retry_failed"))

    @property
    def nothing_to_do(self) -> bool:
        return "Nothing to be done" in self.text


@dataclass(frozen=True)
class Run:
    """A run folder, and the checkout whose workflow runs in it."""

    folder: Path
    checkout: Path = REPO

    def command(self) -> list[str]:
        """Return the command that runs snakemake on this folder, from any other one."""
        command = [sys.executable, "-m", "snakemake", "-s", str(self.checkout / "Snakefile"), "--directory"]
        return [*command, str(self.folder)]

    def snakemake(self, *arguments: str, timeout_s: float = 600, **process: Any) -> Outcome:
        """Run snakemake to its end; `process` are arguments of subprocess.run, such as env and umask.

        It is a fork of a process that has loaded Snakemake, unless it needs such arguments.
        """
        earlier = self.logs()
        command = [*self.command(), *arguments]
        command += [] if "--cores" in arguments else ["--cores", "2"]
        command += [] if "--resources" in arguments else ["--resources", "gpu=1"]
        if process:
            process |= {"capture_output": True, "text": True, "check": False, "timeout": timeout_s}
            done = subprocess.run(command, cwd=self.folder.parent, **process)
        else:
            done = run_snakemake(command[3:], self.folder.parent, timeout_s)
        log = "".join(path.read_text() for path in self.logs() if path not in earlier)
        return Outcome(done.returncode, done.stdout + done.stderr, log)

    def logs(self) -> list[Path]:
        """Return Snakemake's own logs of all runs of the folder, the newest last."""
        return sorted((self.folder / ".snakemake/log").glob("*.log"))

    def results(self) -> dict[str, bytes]:
        """Return the contents of the files under results/, but for Snakemake's marks."""
        folder = self.folder / "results"
        files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".snakemake_timestamp"]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    def read_config(self) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load((self.folder / "config/config.yaml").read_text())
        return config

    def write_config(self, config: dict[str, Any]) -> None:
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def write_table(self, *rows: str, header: str = "video\turl\tstart_s\tend_s\tsplit\tplace") -> None:
        (self.folder / "config/videos.tsv").write_text("\n".join([header, *rows]) + "\n")

    def copy(self, folder: Path) -> "Run":
        """Return a copy, dates included."""
        subprocess.run(["cp", "-a", str(self.folder), str(folder)], check=True)
        return Run(folder, self.checkout)


def lay_out(folder: Path, store: Path | None = None) -> Run:
    """Lay out the demo as `make demo` does, with a copy of the models of a store, if one is given."""
    folder.mkdir(parents=True)
    for name in ("config", "clips"):
        shutil.copytree(DEMO / name, folder / name)
    shutil.copy2(DEMO / "detector.pt", folder)
    if store:
        shutil.copytree(store / "models", folder / "store/models")
    return Run(folder)


LayOut = Callable[[Path], Run]
Finished = tuple[Run, Outcome]
ONE_CLIP = "night\tclips/night.mp4\t\t4\ttest\tcity"
PAIR = (ONE_CLIP, "crossing\tclips/crossing.mp4\t\t3\ttrain\tcity")


def run_snakemake(arguments: list[str], folder: Path, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
    """Run `snakemake` with these arguments in a folder; it is loaded already."""
    return forker(SNAKEMAKE).run(
        "from snakemake.cli import main\nmain()", arguments, folder, dict(os.environ), timeout_s
    )
