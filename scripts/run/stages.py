"""Count what each stage of a run has done, is doing and has left to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.core.layout import STAGES

AFTER_CHECKPOINT = "detect_objects"  # its jobs are planned once deduplicate has said which frames are kept
EXTRACT, FILTER = "extract_frames", "filter_frames"
PICTURES = {EXTRACT: "frames", FILTER: "filtered"}  # the folder under results/ that a stage fills with pictures
TARGETS = ("all", "retry_failed")  # rules that do nothing themselves


@dataclass
class Stage:
    """One stage: jobs planned and done, videos at work; pictures that went into and came out of the jobs done."""

    name: str
    total: int = 0
    done: int = 0
    failed: set[int] = field(default_factory=set)
    running: dict[int, str] = field(default_factory=dict)
    pictures_in: int = 0
    pictures_out: int = 0
    since_s: float | None = None
    last_s: float = 0.0

    def left(self) -> int:
        """Return how many jobs are still to be done."""
        return self.total - self.done - len(self.failed)

    def left_s(self, now_s: float) -> float | None:
        """Return how long the rest takes at the rate so far, or None as long as that cannot be told."""
        if not self.left():
            return 0.0
        if self.since_s is None or not self.done or now_s <= self.since_s:
            return None
        return self.left() * (now_s - self.since_s) / self.done

    def pictures_per_s(self) -> float:
        """Return the pictures a second from the stage's first job to the last that is done."""
        if self.since_s is None or self.last_s <= self.since_s:
            return 0.0
        return (self.pictures_in or self.pictures_out) / (self.last_s - self.since_s)


class Board:
    """The stages of a run, told of each job by what Snakemake logs."""

    def __init__(self, count_pictures: Callable[[str, str], int]) -> None:
        """`count_pictures` says how many pictures a stage has made of a video."""
        self._count_pictures = count_pictures
        self._jobs: dict[int, tuple[str, str]] = {}
        self._stages: dict[str, Stage] = {}
        self._extracted: dict[str, int] = {}

    def plan(self, jobs: Mapping[str, int]) -> None:
        """Take the number of jobs of each rule that are planned at the start."""
        for rule, count in jobs.items():
            if rule not in TARGETS:
                self._stage(rule).total = count

    def plan_in_all(self, total: int) -> None:
        """Take the number of all jobs, the target's included, which grows when the checkpoint is done."""
        more = total - 1 - sum(stage.total for stage in self._stages.values())
        if more > 0:
            self._stage(AFTER_CHECKPOINT).total += more

    def start(self, job: int, rule: str, video: str, now_s: float) -> None:
        """Note that a job has begun, perhaps once more."""
        if rule in TARGETS:
            return
        stage = self._stage(rule)
        self._jobs[job] = (rule, video)
        stage.failed.discard(job)
        stage.running[job] = video
        stage.since_s = now_s if stage.since_s is None else stage.since_s
        stage.total = max(stage.total, stage.done + len(stage.failed) + len(stage.running))

    def finish(self, job: int, now_s: float) -> None:
        """Note that a job is done."""
        rule, video = self._jobs.get(job, ("", ""))
        if not rule or self._stages[rule].running.pop(job, None) is None:
            return
        stage = self._stages[rule]
        stage.done, stage.last_s = stage.done + 1, now_s
        if rule in PICTURES:
            count = self._count_pictures(rule, video)
            stage.pictures_out += count
            if rule == EXTRACT:
                self._extracted[video] = count
            else:
                stage.pictures_in += self._extracted.pop(video, 0)

    def fail(self, job: int) -> None:
        """Note that a job has failed."""
        rule, _ = self._jobs.get(job, ("", ""))
        if rule and self._stages[rule].running.pop(job, None) is not None:
            self._stages[rule].failed.add(job)

    def stages(self) -> list[Stage]:
        """Return the stages that have something to do, in the order in which a video passes them."""
        order = {name: number for number, name in enumerate(STAGES)}
        there = [stage for stage in list(self._stages.values()) if stage.total]
        return sorted(there, key=lambda stage: order.get(stage.name, len(order)))

    def state(self, now_s: float) -> list[dict[str, Any]]:
        """Return the stages as what they can be made of again elsewhere, their times as seconds ago."""
        return [
            vars(stage)
            | {"failed": sorted(stage.failed), "running": {str(job): video for job, video in stage.running.items()}}
            | {"since_s": None if stage.since_s is None else stage.since_s - now_s, "last_s": stage.last_s - now_s}
            for stage in self.stages()
        ]

    def job(self, job: int) -> tuple[str, str]:
        """Return a job's rule and its video, which is empty if it works on no single one."""
        return self._jobs.get(job, ("", ""))

    def _stage(self, rule: str) -> Stage:
        return self._stages.setdefault(rule, Stage(rule))


def stage_of(state: dict[str, Any]) -> Stage:
    """Return a stage from its state, at time 0."""
    running = {int(job): video for job, video in state["running"].items()}
    return Stage(**{**state, "failed": set(state["failed"]), "running": running})


def pictures_in(results: Path, rule: str, video: str) -> int:
    """Return how many pictures a stage has left in its folder; raw frames may go once they are filtered."""
    folder = results / PICTURES[rule] / video
    return sum(path.suffix == ".jpg" for path in folder.iterdir()) if folder.is_dir() else 0


def plain_line(stage: Stage, now_s: float) -> str:
    """Return a stage's state as a line for a log."""
    parts = [f"{stage.name}: {stage.done} of {stage.total}"]
    parts += [f"{len(stage.failed)} failed"] if stage.failed else []
    parts += [pictures] if (pictures := pictures_of(stage)) else []
    left_s = stage.left_s(now_s)
    parts += [f"about {duration(left_s)} left"] if left_s else []
    return ", ".join(parts)


def pictures_of(stage: Stage) -> str:
    """Return what came out of a stage that makes pictures, and how fast."""
    if not stage.pictures_out and not stage.pictures_in:
        return ""
    rate = f", {stage.pictures_per_s():.0f}/s" if stage.pictures_per_s() >= 1 else ""
    if stage.pictures_in:
        return f"{stage.pictures_out:,} of {stage.pictures_in:,} frames passed{rate}"
    return f"{stage.pictures_out:,} frames{rate}"


def duration(seconds: float) -> str:
    """Return a length of time as people say it, to two places."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
