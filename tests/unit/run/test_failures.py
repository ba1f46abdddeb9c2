"""Messages about failed jobs and downloads."""

import json
from pathlib import Path

from scripts.run.failures import describe_failed_download, describe_failed_job, describe_failed_submission


def test_a_failed_job_shows_the_end_of_its_log_without_control_characters(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("\n".join(f"line {n}" for n in range(50)) + "\nERROR \x1b[2Jtitle\n")
    lines = describe_failed_job({"rule_name": "filter_frames", "log": [str(log)]}, "a")
    assert lines[0] == "filter_frames failed on video a" and lines[-1] == f"  log: {log}" and len(lines) == 14
    assert "  line 49" in lines and "  line 20" not in lines and "\x1b" not in "".join(lines)
    member = {"rule_name": "hash_frames", "log": [str(log)], "indent": True}
    assert describe_failed_job(member, "a")[0] == "hash_frames failed on video a"
    log.write_text("INFO all is well")
    assert describe_failed_job(member, "a") == [], "another job of the submission failed"
    log.write_text("2026-11-25 10:00:00,000 INFO 3 frames\n2026-11-25 10:00:01,000 INFO interrupted\n")
    assert describe_failed_job({"rule_name": "filter_frames", "log": [str(log)]}, "a") == [], (
        "it was stopped with its run"
    )
    assert describe_failed_job({"rule_name": "report", "log": [str(tmp_path / "none.log")]}, "")[1].startswith(
        "  it wrote no log"
    )


def test_a_failed_submission_shows_the_logs_of_the_cluster(tmp_path: Path) -> None:
    log = tmp_path / "slurm.log"
    log.write_text("out of memory\n\n")
    assert describe_failed_submission({"aux_logs": [str(log)]}) == [
        "a submission failed:", "  out of memory", f"  log: {log}"
    ]  # fmt: skip


def test_a_failed_download_shows_its_status_and_message(tmp_path: Path) -> None:
    record = tmp_path / "video.json"
    assert describe_failed_download(record) == ""
    record.write_text(json.dumps({"status": "blocked", "message": "HTTP Error\n429"}))
    assert describe_failed_download(record) == "blocked: HTTP Error 429"
    record.write_text(json.dumps({"status": "ok", "message": "the last frame is early"}))
    assert describe_failed_download(record) == ""
