"""What a person sees of a run: in a terminal, in a log, and from outside while it goes on."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests._run import Outcome, Run, lay_out
from tests._terminal import draw, run_in_terminal
from tests.conftest import REPO

COMMAND = ("--cores", "2", "--resources", "gpu=1")


def status(run: Run, *options: str) -> str:
    command = [sys.executable, "-m", "scripts.run.status", str(run.folder), *options]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_terminal_shows_a_line_per_stage_and_others_can_look_at_the_run(fresh: Run) -> None:
    rows = ("night\tclips/night.mp4\t\t4\ttest\tcity", "broken\tclips/broken.mp4\t\t\t\t")
    fresh.write_table(*rows)

    def look(screen: str) -> str:
        has_begun = re.search(r"\d frames", screen) and (fresh.folder / ".snakemake/reelsieve.json").exists()
        return status(fresh) if has_begun else ""

    seen = run_in_terminal([*fresh.command(), *COMMAND], fresh.folder.parent, look)
    assert seen.code == 0, seen.text
    stages = [line.split()[0] for line in seen.text.splitlines() if "━" in line]
    assert stages == [
        "compile_model", "download_video", "extract_frames", "filter_frames", "hash_frames", "deduplicate",
        "detect_objects", "export_dataset", "record_provenance", "report",
    ], seen.text  # fmt: skip
    assert "2/2" in next(line for line in seen.text.splitlines() if line.startswith("detect_objects"))
    assert "broken: invalid_media:" in seen.text and "dataset: " in seen.text
    assert "rule extract_frames" not in seen.text and "Select jobs" not in seen.text
    assert not seen.screen.cursor.hidden
    assert "a run is going on" in seen.meanwhile
    assert any(line.startswith("broken") and "invalid_media" in line for line in seen.meanwhile.splitlines())
    after = status(fresh)
    assert "no run is going on" in after and "2 videos: 1 ok, 1 invalid_media" in after
    if os.environ.get("REELSIEVE_WRITE_DOCS"):
        whole = lay_out(fresh.folder.parent / "whole")
        seen = run_in_terminal([*whole.command(), *COMMAND], whole.folder.parent)
        (REPO / "docs/progress.svg").write_text(
            draw(seen.screen, " ".join(("snakemake", *COMMAND)), "broken", "splits")
        )


def test_a_log_gets_plain_lines_and_a_failed_job_says_what_and_where(fresh: Run) -> None:
    (fresh.folder / "detector.pt").write_bytes(b"no weights")
    outcome = fresh.snakemake()
    told = outcome.terminal
    assert outcome.code == 1
    assert "compile_model failed\n" in told and "weights_sha256: detector.pt has" in told
    assert f"log: {fresh.folder}/logs/compile_model/" in told
    assert "\nextract_frames: 1 of 1, " in told and "\ncompile_model: 0 of 1, 1 failed" in told
    assert "the run did not finish" in told and "\x1b" not in told and "CalledProcessError" not in told
    assert "rule extract_frames:" not in told and "rule extract_frames:" in outcome.text, "the log file has it all"


def test_a_dry_run_shows_snakemakes_own_list(finished: tuple[Run, Outcome], tmp_path: Path) -> None:
    dry = finished[0].copy(tmp_path / "run").snakemake("-n", "--forcerun", "report")
    assert "rule report:" in dry.text and "reason:" in dry.text


def test_status_of_a_folder_without_a_run(finished: tuple[Run, Outcome]) -> None:
    told = status(finished[0]).splitlines()
    assert "no run is going on" in told[0]
    assert next(line for line in told if line.startswith("avenue ")).split()[1:] == ["ok", "detected", "12", "7", "7"]
    assert told[-1].startswith("8 videos: 6 ok, ") and "66 frames" in told[-1]
    assert "reelsieve: " in status(Run(finished[0].folder / "nothing"))
