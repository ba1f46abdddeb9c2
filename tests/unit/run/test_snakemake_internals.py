"""Each name of Snakemake's that its documentation does not promise is there, and does what we use it for."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from scripts.run import snakemake_internals as internals
from scripts.run.snakemake_internals import batch_groups
from tests._run import run_snakemake
from tests.conftest import REPO

VIDEOS = ["a", "b", "c", "d", "e"]
SNAKEFILE = """
import json, sys
sys.path.insert(0, {repo!r})
from snakemake.logging import logger
from scripts.run.snakemake_internals import *

rule all:
    input: "out/a.txt"

rule make:
    output: "out/{{video,[a-z]+}}.txt"
    log: "logs/{{video}}.log"
    params: told=lambda wildcards: print_targets()
    shell: "touch {{output}} 2> {{log}}"

unset = slots_of(workflow, "download", 9)
set_default_resources(workflow, {{"gpu": 1, "download": 2}})
handler = plain_terminal_handler(logger)
facts = {{
    "main": is_main_workflow(workflow),
    "renamed": renamed_rules(workflow, ["make"]),
    "cores": cores_of(workflow),
    "remote": runs_remotely(workflow),
    "resources": {{name: slots_of(workflow, name, 0) for name in ("gpu", "download")}} | {{"unset": unset}},
    "patterns": path_patterns(own_rules(workflow, globals())),
    "handler": handler and handler.name,
    "colour": handler and has_colour_terminal(handler),
}}

def print_targets():
    # the targets are known once the Snakefile is read
    print("FACTS " + json.dumps(facts | {{"targets": targets_of(workflow)}}), file=sys.stderr)
    return 1

onstart:
    if runs_all_jobs_here(workflow):
        start_scripts_with("echo started with")
        set_slots(workflow, "gpu", 2 * slots_of(workflow, "gpu", 0))

rule script:
    output: "script.txt"
    script: "script.py"

rule meet:
    output: "met{{number}}.txt"
    resources: gpu=1
    shell: "touch came{{wildcards.number}}; for i in $(seq 100); do [ -e came1 -a -e came2 ] && break; sleep 0.1; done;"
        " [ $i -lt 100 ] && touch {{output}}"
"""
HOST = """
module inner:
    snakefile: "inner.smk"

use rule * from inner as inner_*

rule of_the_host:
    input: "out/a.txt"
    default_target: True
"""


def facts(folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what the functions say in a real run of Snakemake."""
    done = run_snakemake(["--resources", "gpu=4", "--cores", "3", *arguments], folder)
    assert done.returncode == 0, done.stderr
    (line, *_) = re.findall("^FACTS (.*)$", done.stderr, re.MULTILINE)
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_workflow_knows_itself_its_targets_cores_resources_and_terminal(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(repo=str(REPO)))
    assert facts(tmp_path, "out/b.txt") == {
        "main": True,
        "renamed": {"make": "make"},
        "targets": ["out/b.txt"],
        "cores": 3,
        "remote": False,
        "resources": {"gpu": 4, "download": 2, "unset": 9},
        "patterns": ["out/{video}.txt", "logs/{video}.log", "benchmarks/{video}.tsv"],
        "handler": "DefaultStreamHandler",
        "colour": False,
    }
    assert facts(tmp_path, "-n")["handler"] is None, "a dry run shows Snakemake's own list"


def test_a_module_has_other_names_and_none_of_its_hosts_rules(tmp_path: Path) -> None:
    (tmp_path / "inner.smk").write_text(SNAKEFILE.format(repo=str(REPO)))
    (tmp_path / "Snakefile").write_text(HOST)
    found = facts(tmp_path, "-n")
    assert (found["main"], found["renamed"]) == (False, {"inner_make": "make"})
    assert found["patterns"] == ["out/{video}.txt", "logs/{video}.log", "benchmarks/{video}.tsv"]


def test_a_run_that_runs_its_jobs_itself_chooses_how_scripts_start(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(repo=str(REPO)))
    (tmp_path / "script.py").touch()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "script.txt", "--latency-wait", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert re.search(r"^started with .*/\.snakemake/scripts/tmp\w+\.script\.py$", done.stdout, re.MULTILINE), (
        done.stderr
    )


def test_a_run_that_begins_can_get_more_slots(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(repo=str(REPO)))
    done = run_snakemake(["--cores", "2", "--resources", "gpu=1", "--", "met1.txt", "met2.txt"], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "sentence", [*internals.CHATTER, internals.IDLE, internals.STOPPED, "Will exit after finishing"]
)
def test_snakemake_still_says(sentence: str) -> None:
    spec = find_spec("snakemake")
    assert spec and spec.origin
    sources = "".join(path.read_text() for path in Path(spec.origin).parent.rglob("*.py"))
    for part in sentence.split("\n"):
        assert part.removesuffix(":") in sources


def test_log_events_have_these_names() -> None:
    used_elsewhere = {"run_info", "job_info", "job_finished", "job_error", "group_error", "progress"}
    assert internals.NOISE_EVENTS | used_elsewhere <= {event.value for event in LogEvent}


def test_failed_commands_are_told_apart_by_pythons_words() -> None:
    def text(code: int) -> str:
        return f"CalledProcessError: {subprocess.CalledProcessError(code, 'x')}"

    assert internals.KILLED_IN_LOG.search(text(-9)) and internals.KILLED_IN_LOG.search(text(137))
    assert not internals.KILLED_IN_LOG.search(text(1))
    assert internals.DIED_OF_SIGINT in text(-2) and internals.FAILED in text(1)


def test_batches_follow_the_table_and_know_their_group() -> None:
    grouped, single = SimpleNamespace(group="video"), SimpleNamespace(group=None)
    settings = SimpleNamespace(group_components={"video": 2})
    workflow = SimpleNamespace(rules=[grouped, single], group_settings=settings, parent_groupids={})
    batch_groups(workflow, workflow.rules, VIDEOS)
    for _ in range(2):
        names = [grouped.expand_group({"video": video}) for video in reversed(VIDEOS)]
        assert names == ["video-e", "video-c", "video-c", "video-a", "video-a"]
    assert workflow.parent_groupids == dict.fromkeys(names, "video")
    assert single.expand_group({"video": "a"}) is None
    settings.group_components = {}
    assert grouped.expand_group({"video": "b"}) == "video-b"
