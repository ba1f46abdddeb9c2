"""All use of what Snakemake does not document: names of its objects, its log, its sentences.

A new version of Snakemake may change any of it. tests/unit/run/test_snakemake_internals.py has a test for each name.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scripts.job.usage import usage_file

# Events of its log that repeat what the lines of the stages show.
NOISE_EVENTS = frozenset(
    {"workflow_started", "job_info", "job_started", "job_finished", "progress", "shellcmd", "resources_info",
     "run_info", "group_info"}
)  # fmt: skip
# Beginnings of other lines that nobody needs in a run that goes well. All lines that do not match are shown.
CHATTER = (
    "Assuming unrestricted shared filesystem", "Building DAG of jobs", "Using shell:", "Conda environments: ignored",
    "Group jobs: inactive", "Select jobs to execute", "Execute ", "host: ", "Elapsed time", "Updating checkpoint",
    "DAG of jobs will be updated", "Removing temporary output", "Touching output file", "Removing output files",
    "Cannot restore ", "WorkflowError:\nAt least one job did not complete successfully",
)  # fmt: skip
IDLE = "Nothing to be done"
STOPPED = "Terminating processes on user request"
STOPPED_IN_LOG = re.compile(rf"^({STOPPED}|Will exit after finishing)", re.MULTILINE)
KILLED_IN_LOG = re.compile(r"died with <Signals\.SIGKILL|non-zero exit status 137")
DIED_OF_SIGINT = "died with <Signals.SIGINT"
FAILED = "returned non-zero exit status"


def is_main_workflow(workflow: Any) -> bool:
    """Return whether this Snakefile is the one that runs, and no other workflow uses it as a module."""
    return bool(workflow.modifier.is_main_snakefile())


def renamed_rules(workflow: Any, rules: Iterable[str]) -> dict[str, str]:
    """Return these rules by the names that a workflow gives them that uses this one as a module."""
    return {workflow.modifier.modify_rulename(rule): rule for rule in rules}


def own_rules(workflow: Any, module_globals: Mapping[str, Any]) -> list[Any]:
    """Return the rules of this Snakefile, without those of a workflow that uses it as a module."""
    return [rule for rule in workflow.rules if rule.module_globals is module_globals]


def targets_of(workflow: Any) -> list[str]:
    """Return the targets that the user named."""
    return list(workflow.dag_settings.targets)


def force_outputs(workflow: Any, outputs: Iterable[str]) -> None:
    """Make outputs again in this run, as --forcerun does; call it from an input function of a target."""
    workflow.dag.forcefiles.update(outputs)


def named_config_files(workflow: Any) -> list[Path]:
    """Return the configuration files that the user named on the command line."""
    return [Path(path) for path in workflow.config_settings.configfiles]


def cores_of(workflow: Any) -> int:
    """Return the cores that the user gave the run."""
    return workflow.resource_settings.cores or 1


def runs_remotely(workflow: Any) -> bool:
    """Return whether this process runs a job that was submitted to a cluster."""
    return bool(workflow.remote_exec)


def runs_all_jobs_here(workflow: Any) -> bool:
    """Return whether this run executes its jobs itself, neither on a cluster nor as a dry run."""
    return bool(workflow.local_exec) and not workflow.dryrun


def submits_jobs(workflow: Any) -> bool:
    """Return whether this run sends its jobs to a cluster, and is no dry run."""
    return not workflow.local_exec and not workflow.dryrun


def start_scripts_with(command: str) -> None:
    """Make Snakemake start Python scripts with this shell command: it writes `sys.executable` before their path."""
    sys.executable = command


def set_default_resources(workflow: Any, counts: Mapping[str, int]) -> None:
    """Set the resources that neither the profile nor the command line sets: Snakemake takes those as unlimited."""
    for name, count in counts.items():
        if name not in workflow.global_resources:
            workflow.register_resource(name, count)


def slots_of(workflow: Any, name: str, default: int) -> int:
    """Return how many slots of a resource the run has; the default if neither the user nor a profile says so."""
    return int(workflow.global_resources[name].value) if name in workflow.global_resources else default


def set_slots(workflow: Any, name: str, count: int) -> None:
    """Change the slots of a run that begins and has no job yet: call it in onstart."""
    workflow.register_resource(name, count)


def path_patterns(rules: Iterable[Any]) -> list[str]:
    """Return the paths of the outputs, logs and usage files of rules, with wildcards."""
    from snakemake.io import strip_wildcard_constraints  # not at the top: the status page needs no Snakemake

    paths = [strip_wildcard_constraints(str(path)) for rule in rules for path in rule.output]
    logs = [strip_wildcard_constraints(str(log)) for rule in rules for log in rule.log]
    return [*paths, *logs, *(str(usage_file(log)) for log in logs)]


def batch_groups(workflow: Any, rules: Iterable[Any], videos: Sequence[str]) -> None:
    """Divide each group of these rules that a profile asks for into batches of as many videos as group-components says.

    Snakemake's own group-components joins groups each time it looks over its jobs: after a checkpoint or a restart,
    groups of K have become groups of up to K x K, and some jobs are in two (its issue 1628). Here the order of the
    table decides. Profiles are read after the rules, so each rule gets a function that runs once its jobs are there.
    """
    position = {video: number for number, video in enumerate(videos)}
    for rule in rules:
        rule.expand_group = partial(_batch_of, workflow, rule, videos, position)


def _batch_of(
    workflow: Any, rule: Any, videos: Sequence[str], position: Mapping[str, int], wildcards: Mapping[str, str]
) -> str | None:
    """Return the group of a job, named by the first video of its batch."""
    if rule.group is None or "video" not in wildcards:
        return rule.group  # type: ignore[no-any-return]
    number, size = position[wildcards["video"]], workflow.group_settings.group_components.get(rule.group, 1)
    batch = f"{rule.group}-{videos[number - number % size]}"
    workflow.parent_groupids[batch] = rule.group  # so that Snakemake joins all of the batch
    return batch


def plain_terminal_handler(logger: logging.Logger) -> logging.Handler | None:
    """Return Snakemake's handler for the terminal, unless the user asked for a dry run or for more or fewer lines."""
    for handler in logger.handlers:
        wanted = next(iter(handler.filters), None)
        special = any(getattr(wanted, name, True) for name in ("dryrun", "verbose", "quiet"))
        if handler.name == "DefaultStreamHandler" and not special:
            return handler
    return None


def has_colour_terminal(handler: Any) -> bool:
    """Return whether this handler writes to a terminal on which it may draw."""
    return bool(handler.is_tty and not handler.nocolor)
