"""Count the jobs that each stage of a run has done, is doing and has left, and the frames that it made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from scripts.core.layout import STAGES
from scripts.inputs.gathered import GATHERING

AFTER_CHECKPOINT = "detect_objects"  # Snakemake plans its jobs when deduplicate has chosen the frames
EXTRACT, FILTER = "extract_frames", "filter_frames"
FRAME_FOLDERS = {EXTRACT: "frames", FILTER: "filtered"}  # the folder under results/ with the frames of a stage
NOT_SHOWN = ("all", "retry_failed", *GATHERING)  # rules that do no work on videos


class StageState(TypedDict):
    """A stage in a form that JSON can hold; times are seconds relative to now."""

    name: str
    total: int
    done: int
    failed: list[int]
    running: dict[str, str]
    frames_in: int
    frames_out: int
    since_s: float | None
    last_s: float


class RunState(TypedDict):
    """The progress of a run: the name of its process, and its stages."""

    run: str
    stages: list[StageState]


@dataclass
class Stage:
    """The jobs of a stage, the videos of its running jobs by job number, and the frames in and out of the done ones."""

    name: str
    total: int = 0
    done: int = 0
    failed: set[int] = field(default_factory=set)
    running: dict[int, str] = field(default_factory=dict)
    frames_in: int = 0
    frames_out: int = 0
    since_s: float | None = None  # start of the first job
    last_s: float = 0.0  # end of the last job

    def left(self) -> int:
        """Return the number of jobs that are not done and have not failed."""
        return self.total - self.done - len(self.failed)

    def left_s(self, now_s: float) -> float | None:
        """Return the seconds that the remaining jobs will take at the rate so far, or None if there is no rate yet."""
        if not self.left():
            return 0.0
        if self.since_s is None or not self.done or now_s <= self.since_s:
            return None
        return self.left() * (now_s - self.since_s) / self.done

    def frames_per_s(self) -> float:
        """Return the frames per second from the start of the first job to the end of the last."""
        if self.since_s is None or self.last_s <= self.since_s:
            return 0.0
        return (self.frames_in or self.frames_out) / (self.last_s - self.since_s)


class StageCounts:
    """The stages of a run, updated from the events in Snakemake's log."""

    def __init__(self, count_frames: Callable[[str, str], int]) -> None:
        """`count_frames` returns the number of frames that a rule has made of a video."""
        self._count_frames = count_frames
        self._jobs: dict[int, tuple[str, str]] = {}
        self._stages: dict[str, Stage] = {}
        self._extracted: dict[str, int] = {}
        self._n_gathering = 0

    def plan(self, jobs: Mapping[str, int]) -> None:
        """Set the number of jobs of each rule that are planned at the start."""
        for rule, count in jobs.items():
            if rule not in NOT_SHOWN:
                self._stage(rule).total = count
        self._n_gathering = sum(jobs.get(rule, 0) for rule in GATHERING)

    def plan_in_all(self, total: int) -> None:
        """Set the number of all jobs, including the target's. It grows when the checkpoint is done."""
        more = total - 1 - self._n_gathering - sum(stage.total for stage in self._stages.values())
        if more > 0:
            self._stage(AFTER_CHECKPOINT).total += more

    def start(self, job: int, rule: str, video: str, now_s: float) -> None:
        """Record that a job has started or restarted."""
        if rule in NOT_SHOWN:
            return
        stage = self._stage(rule)
        self._jobs[job] = (rule, video)
        stage.failed.discard(job)
        stage.running[job] = video
        stage.since_s = now_s if stage.since_s is None else stage.since_s
        stage.total = max(stage.total, stage.done + len(stage.failed) + len(stage.running))

    def finish(self, job: int, now_s: float) -> None:
        """Record that a job is done."""
        rule, video = self._jobs.get(job, ("", ""))
        if not rule or self._stages[rule].running.pop(job, None) is None:
            return
        stage = self._stages[rule]
        stage.done, stage.last_s = stage.done + 1, now_s
        if rule in FRAME_FOLDERS:
            count = self._count_frames(rule, video)
            stage.frames_out += count
            if rule == EXTRACT:
                self._extracted[video] = count
            else:
                stage.frames_in += self._extracted.pop(video, 0)

    def fail(self, job: int) -> None:
        """Record that a job has failed."""
        rule, _ = self._jobs.get(job, ("", ""))
        if rule and self._stages[rule].running.pop(job, None) is not None:
            self._stages[rule].failed.add(job)

    def stages(self) -> list[Stage]:
        """Return the stages that have jobs, in the order in which a video passes them."""
        order = {name: number for number, name in enumerate(STAGES)}
        planned = [stage for stage in list(self._stages.values()) if stage.total]
        return sorted(planned, key=lambda stage: order.get(stage.name, len(order)))

    def state(self, now_s: float) -> list[StageState]:
        """Return the stages in a form that JSON can hold; stage_of() reads it."""
        return [
            {
                "name": stage.name,
                "total": stage.total,
                "done": stage.done,
                "failed": sorted(stage.failed),
                "running": {str(job): video for job, video in stage.running.items()},
                "frames_in": stage.frames_in,
                "frames_out": stage.frames_out,
                "since_s": None if stage.since_s is None else stage.since_s - now_s,
                "last_s": stage.last_s - now_s,
            }
            for stage in self.stages()
        ]

    def job(self, job: int) -> tuple[str, str]:
        """Return the rule and the video of a job; the video is empty if the job works on several."""
        return self._jobs.get(job, ("", ""))

    def _stage(self, rule: str) -> Stage:
        return self._stages.setdefault(rule, Stage(rule))


def stage_of(state: StageState) -> Stage:
    """Return a stage from its state. Its now is 0."""
    return Stage(
        name=state["name"],
        total=state["total"],
        done=state["done"],
        failed=set(state["failed"]),
        running={int(job): video for job, video in state["running"].items()},
        frames_in=state["frames_in"],
        frames_out=state["frames_out"],
        since_s=state["since_s"],
        last_s=state["last_s"],
    )


def count_frames(results: Path, rule: str, video: str) -> int:
    """Return the number of frames in a rule's folder of a video; raw frames may be deleted after the filter."""
    folder = results / FRAME_FOLDERS[rule] / video
    return sum(path.suffix == ".jpg" for path in folder.iterdir()) if folder.is_dir() else 0


def describe_stage(stage: Stage, now_s: float) -> str:
    """Return the progress of a stage as a line of text."""
    parts = [f"{stage.name}: {stage.done} of {stage.total}"]
    parts += [f"{len(stage.failed)} failed"] if stage.failed else []
    parts += [frames] if (frames := describe_frames(stage)) else []
    left_s = stage.left_s(now_s)
    parts += [f"about {describe_duration(left_s)} left"] if left_s else []
    return ", ".join(parts)


def describe_frames(stage: Stage) -> str:
    """Return the number of frames that a stage has made, and its speed; empty for stages without frames."""
    if not stage.frames_out and not stage.frames_in:
        return ""
    rate = f", {stage.frames_per_s():.0f}/s" if stage.frames_per_s() >= 1 else ""
    if stage.frames_in:
        return f"{stage.frames_out:,} of {stage.frames_in:,} frames passed{rate}"
    return f"{stage.frames_out:,} frames{rate}"


def describe_duration(seconds: float) -> str:
    """Return a duration in seconds, minutes, or hours and minutes."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
