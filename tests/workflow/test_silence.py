"""A whole run contacts no host but those in its table, and writes no file outside of its run folder."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests._run import PAIR, Run, lay_out
from tests._shared import made
from tests._traced import STRACE, Trace, read_audit, read_strace
from tests.conftest import REPO
from tests.slurm._cluster import PORT

pytestmark = pytest.mark.workflow
HOSTS = {"reelsieve.invalid"}
ROWS = (*PAIR, "unreachable\thttps://reelsieve.invalid/video.mp4")
LOCAL = {"localhost", "127.0.0.1", "::1"}
# What users may have set, and what would lead caches elsewhere or downloads through a proxy.
UNSET = ("XDG_", "YOLO_", "MPL", "HF_", "DENO_", "SNAKEMAKE_", "REELSIEVE_", "TORCH", "NUMBA_")
# Where SLURM is installed, as by tests/slurm, its executor plugin calls a tool of it, which asks the controller.
OWN_CLUSTER = f"127.0.0.1 port {PORT}"
CLUSTER_LOOKUP = "_slurmctld._tcp"  # of that tool, once the cluster has no configuration any more


@dataclass(frozen=True)
class Watched:
    """A run of the demo, with the records of what it did."""

    folder: Path

    def allowed(self) -> list[Path]:
        """Return the run folder, which holds the store too, the temporary folder, and that of sockets.

        Sockets have a folder under /tmp if the path of the temporary one is too long for them.
        """
        return [self.folder / "run", self.folder / "tmp", Path(f"/tmp/reelsieve-{os.getuid()}")]

    def home(self) -> list[str]:
        """Return what is left in the home folder, which was empty."""
        home = self.folder / "home"
        return sorted(path.relative_to(home).as_posix() for path in home.rglob("*"))


@pytest.fixture(scope="session")
def watched(shared: Path) -> Watched:
    """Return a run with an empty home folder and an empty store, so that the model is built too; made once."""

    def run(folder: Path) -> None:
        laid_out = lay_out(folder / "run")
        laid_out.write_table(*ROWS)
        config = laid_out.read_config()
        laid_out.write_config(config | {"download": config["download"] | {"max_failed_share": 0.5}})
        for name in ("home", "tmp"):
            (folder / name).mkdir()
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(UNSET) and "proxy" not in key.lower()
        }
        environment = kept | {
            "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(REPO / "tests/audit"),
            "AUDIT_LOG": str(folder / "audit.log"),
        }  # fmt: skip
        command = Run(folder / "run").command()
        tracer = [*STRACE, str(folder / "strace.log")] if traces() else []
        command = [*tracer, *command, "--cores", "2", "--resources", "gpu=1"]
        done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stderr[-3000:]

    return Watched(made(shared / "watched", run))


def traces() -> bool:
    """Return whether strace is installed and may trace processes here."""
    return (
        bool(shutil.which("strace"))
        and not subprocess.run([*STRACE, "/dev/null", "true"], capture_output=True, check=False).returncode
    )


def check(trace: Trace, watched: Watched) -> None:
    outside = trace.paths_outside([*watched.allowed(), watched.folder / "audit.log"])
    strangers = {
        name for name in trace.names - LOCAL - {CLUSTER_LOOKUP} if not any(name.startswith(host) for host in HOSTS)
    }
    print(f"{len(trace.addresses)} connections, {trace.lookups} lookups of {sorted(trace.names)}", end=", ")
    print(f"{len(trace.paths)} paths written, {len(outside)} outside, in the home folder: {watched.home()}")
    assert trace.names & HOSTS, "the record is not empty: the table names a host that does not exist"
    assert set(trace.addresses) <= {OWN_CLUSTER} and not strangers and not outside
    assert not watched.home()


@pytest.mark.public_report(
    "blakeblackshear/frigate 18015",
    saw="OpenVINO sends telemetry to Google Analytics by default",
    here="openvino-telemetry is neither installed nor imported: the traced demo looks up no name but its table's",
)
@pytest.mark.public_report(
    "ultralytics/ultralytics 11201",
    saw="creating a YOLO object sends a request to www.google-analytics.com, also with sync off",
    here="the traced demo connects to no host",
)
def test_the_demo_contacts_nobody_and_writes_nowhere_else_by_strace(watched: Watched) -> None:
    if not (watched.folder / "strace.log").exists():
        pytest.skip("no strace that may trace: apt-get install strace")
    check(read_strace(watched.folder / "strace.log", REPO), watched)


def test_the_demo_contacts_nobody_and_writes_nowhere_else_by_pythons_audit_hooks(watched: Watched) -> None:
    check(read_audit(watched.folder / "audit.log"), watched)


@pytest.mark.public_report(
    "snakemake/snakemake 1593",
    saw="in a container without a writable home folder, Snakemake fails before it reads the workflow",
    here="the local profiles keep its cache of sources in the temporary folder, so a run needs no home folder",
)
@pytest.mark.parametrize("profile", ["default", "per-video"])
def test_a_run_needs_no_home_folder(fresh: Run, profile: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | {
        "HOME": "/proc/none"
    }
    planned = fresh.snakemake("-n", "--workflow-profile", str(REPO / "profiles" / profile), env=environment)
    assert planned.code == 0, planned.text[-2000:]
