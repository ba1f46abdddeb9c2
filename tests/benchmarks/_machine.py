"""Simulate the jobs of a run on a machine with cores and a device for inference.

Each job passes phases: seconds of waiting, CPU seconds, frames on the device. All that runs shares the cores. Jobs
start as Snakemake starts them: by priority, with free slots and cores.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

STAGES = ("download", "extract", "filter", "hash")  # the last ones have priority
WORKERS = 5  # threads in which Snakemake runs jobs, beside one per core; further ones wait in a queue


@dataclass(frozen=True)
class Costs:
    """CPU seconds per stage of a 720p video with 30 frames a second; for the download, seconds of waiting."""

    download_s: float = 3.0  # 3 Mbit/s of video at 60 Mbit/s, and the page
    download: float = 0.33
    extract: float = 0.1
    extract_per_s: float = 0.116  # of the video
    extract_per_frame: float = 0.0115
    filter: float = 0.1
    hash: float = 0.05
    hash_per_frame: float = 0.01
    decode: float = 0.0056  # a frame for the model
    start: float = 0.03  # Snakemake's own for each job, one after another
    sampled_per_s: float = 1.0  # frames of a second of video


@dataclass(frozen=True)
class Machine:
    """Cores, frames inferred a second, and what the workflow lets run at a time."""

    cores: int
    frames_per_s: float
    downloads: int
    extractions: int
    threads: int  # of an extraction
    gpu_jobs: int
    decoders: int


@dataclass
class Phase:
    """What a job does next: `wait` seconds, `start` or `cpu` seconds on at most `most` cores, `device` frames."""

    kind: str
    left: float
    most: float = 1.0


@dataclass
class Job:
    """A job of a stage, with the phases that it still has to pass."""

    stage: str
    order: int
    seconds: float  # of its video
    phases: deque[Phase] = field(default_factory=deque)


@dataclass(frozen=True)
class Outcome:
    """Seconds of a run, and the share of them in which the device inferred, and in which cores worked."""

    seconds: float
    device: float
    cores: float


def phases_of(stage: str, seconds: float, machine: Machine, costs: Costs) -> Iterator[Phase]:
    """Yield the phases of a job."""
    frames = seconds * costs.sampled_per_s
    yield Phase("start", costs.start)
    if stage == "download":
        yield Phase("cpu", costs.download)
        yield Phase("wait", costs.download_s)
    elif stage == "extract":
        yield Phase("cpu", costs.extract + costs.extract_per_frame * frames)
        yield Phase("cpu", costs.extract_per_s * seconds, machine.threads)
    elif stage == "filter":
        yield Phase("cpu", costs.filter / 2)
        yield Phase("device", frames)
        yield Phase("cpu", costs.filter / 2)
    else:
        yield Phase("cpu", costs.hash + costs.hash_per_frame * frames)


class Simulation:
    """Videos that pass the stages of a machine."""

    def __init__(self, machine: Machine, costs: Costs, lengths_s: list[float], asleep: bool = False) -> None:
        """Begin with all downloads ready. If the stages are `asleep`, they wait and use no core."""
        self._machine, self._costs, self._asleep = machine, costs, asleep
        self._ready: dict[str, list[tuple[int, float]]] = {stage: [] for stage in STAGES}
        self._ready["download"] = list(enumerate(lengths_s))
        self._running: list[Job] = []
        self._seconds = self._device = self._worked = 0.0

    def run(self) -> Outcome:
        """Let all videos pass."""
        self._start_jobs()
        while self._running:
            self._advance()
            self._finish_jobs()
            self._start_jobs()
        return Outcome(self._seconds, self._device / self._seconds, self._worked / self._seconds / self._machine.cores)

    def _cores_of(self, stage: str) -> int:
        return {"download": 0, "extract": min(self._machine.threads, self._machine.cores)}.get(stage, 1)

    def _start_jobs(self) -> None:
        machine = self._machine
        slots = {"download": machine.downloads, "extract": machine.extractions, "filter": machine.gpu_jobs}
        used = Counter(job.stage for job in self._running)
        free = machine.cores - sum(count * self._cores_of(stage) for stage, count in used.items())
        for stage in reversed(STAGES):  # by priority
            waiting, cores = self._ready[stage], self._cores_of(stage)
            while waiting and free > 0 and cores <= free and used[stage] < slots.get(stage, machine.cores):
                job = Job(stage, *heapq.heappop(waiting))
                job.phases = deque(phases_of(stage, job.seconds, machine, self._costs))
                for phase in job.phases if self._asleep else ():
                    phase.kind = "wait" if phase.kind == "cpu" else phase.kind
                self._running.append(job)
                used[stage] += 1
                free -= cores

    def _active(self) -> list[tuple[Phase, float]]:
        """Return the phases that go on, and the cores that each could use: one start and one request at a time."""
        found, alone = [], set()
        per_frame, machine = self._costs.decode, self._machine
        for job in self._running[: machine.cores + WORKERS]:
            phase = job.phases[0]
            if phase.kind in ("start", "device"):
                if phase.kind in alone:
                    continue
                alone.add(phase.kind)
            on_device = min(machine.decoders, machine.frames_per_s * per_frame)
            found.append((phase, {"wait": 0.0, "device": on_device}.get(phase.kind, phase.most)))
        return found

    def _advance(self) -> None:
        """Go on until the next phase ends."""
        active = self._active()
        share = min(1.0, self._machine.cores / max(sum(most for _, most in active), 1e-9))
        rates = []
        for phase, most in active:
            per_s = {"wait": 1.0, "device": most * share / self._costs.decode}.get(phase.kind, most * share)
            rates.append((phase, min(per_s, self._machine.frames_per_s) if phase.kind == "device" else per_s))
        step = min(phase.left / rate for phase, rate in rates)
        for phase, rate in rates:
            phase.left -= rate * step
            if phase.kind == "device":
                self._device += step * rate / self._machine.frames_per_s
        self._seconds += step
        self._worked += step * share * sum(most for _, most in active)

    def _finish_jobs(self) -> None:
        for job in list(self._running):
            while job.phases and job.phases[0].left <= 1e-9:
                job.phases.popleft()
            if not job.phases:
                self._running.remove(job)
                if (place := STAGES.index(job.stage) + 1) < len(STAGES):
                    heapq.heappush(self._ready[STAGES[place]], (job.order, job.seconds))
