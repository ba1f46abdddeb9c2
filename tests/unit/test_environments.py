"""Requirements, conda environments and profiles agree with each other and with the rules."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests._rules import RULES, TAILS
from tests.conftest import REPO


def pinned_for(python: str) -> set[str]:
    """Return what requirements.txt pins where this Python runs: some packages have one version for each."""
    where = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    lines = (REPO / "requirements.txt").read_text().splitlines()
    asked = [Requirement(line.removesuffix(" \\")) for line in lines if re.match(r"[A-Za-z0-9]", line)]
    assert len(asked) > 100
    found = [a for a in asked if not a.marker or a.marker.evaluate(where | {"platform_system": "Linux"})]
    assert len({a.name for a in found}) == len(found)
    return {f"{a.name}{a.specifier}" for a in found}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_each_requirement_is_pinned_with_hashes_that_make_install_demands(name: str) -> None:
    text = (REPO / name).read_text().replace(" \\\n", " ")
    asked = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert len(asked) > 100
    for line in asked:
        pin, *hashes = line.split(" --hash=")
        assert "==" in pin and hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64} *", one) for one in hashes), line
    makefile = (REPO / "Makefile").read_text()
    assert makefile.count("pip install") == makefile.count("--require-hashes") == 1
    assert makefile.count("uv pip compile") == makefile.count("--generate-hashes") == 2
    left_out = [
        Requirement(line) for line in (REPO / "requirements-override.txt").read_text().splitlines() if line[0] != "#"
    ]
    assert {"opencv-python", "openvino-telemetry"} == {one.name for one in left_out}
    assert not {one.name for one in left_out} & {line.split("==")[0] for line in asked}


def environments() -> dict[str, tuple[str, set[str]]]:
    """Return by path, as rules name it, the Python and the pip packages of each conda environment."""
    found = {}
    for file in sorted((REPO / "envs").glob("*.yaml")):
        dependencies = yaml.safe_load(file.read_text())["dependencies"]
        (python,) = [d.removeprefix("python=") for d in dependencies if str(d).startswith("python=")]
        (pip,) = [set(d["pip"]) for d in dependencies if isinstance(d, dict)]
        found[f"../envs/{file.name}"] = python, pip
    return found


def test_conda_environments_have_the_versions_of_the_requirements() -> None:
    for env, (python, pip) in environments().items():
        assert pip and pip <= pinned_for(python), (env, pip - pinned_for(python))
    named = {name: re.findall(r'conda:\n\s+"([^"]+)"', body) for name, body in RULES.items()}
    assert all(len(envs) == 1 for envs in named.values()), named
    assert {envs[0] for envs in named.values()} == set(environments())


def loaded_at_start(file: Path, seen: set[Path]) -> set[str]:
    """Return the names of the modules that a script loads when it is loaded, by way of shared modules, too."""
    names: set[str] = set()
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("scripts."):
            shared = REPO / f"{str(node.module).replace('.', '/')}.py"
            names |= loaded_at_start(shared, seen | {shared}) if shared not in seen else set()
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
    return names - sys.stdlib_module_names


def test_each_environment_has_what_its_scripts_load() -> None:
    packages = packages_distributions()
    for name, body in RULES.items():
        env = re.findall(r'conda:\n\s+"([^"]+)"', body)[0]
        there = {pin.split("==")[0] for pin in environments()[env][1]}
        for module in loaded_at_start(TAILS[name], set()):
            known = {re.sub(r"[-_.]+", "-", package).lower() for package in packages[module]}
            assert known & there, f"{name} loads {module}, which {env} lacks"


def test_fallback_slots_are_those_of_the_default_profile() -> None:
    profile = yaml.safe_load((REPO / "profiles/default/config.yaml").read_text())
    rules = (REPO / "rules/common.smk").read_text()
    fallback = {name: int(count) for name, count in re.findall(r'"(gpu|video)": (\d+)', rules)}
    per_video = yaml.safe_load((REPO / "profiles/per-video/config.yaml").read_text())
    assert fallback == profile["resources"] | {"video": per_video["resources"]["video"]}


def test_local_profiles_differ_only_in_their_slots() -> None:
    stages, videos = (
        yaml.safe_load((REPO / f"profiles/{name}/config.yaml").read_text()) for name in ("default", "per-video")
    )
    first_stages = ("download_video", "extract_frames", "filter_frames")
    assert videos.pop("set-resources") == {rule: {"video": 1} for rule in first_stages}
    assert set(videos.pop("resources")) - set(stages.pop("resources")) == {"video", "download", "extract"}
    assert stages == videos


def test_slurm_profiles_rerun_what_the_default_profile_does_and_know_every_rule() -> None:
    default = yaml.safe_load((REPO / "profiles/default/config.yaml").read_text())
    shared = ("rerun-triggers", "max-checksum-file-size", "rerun-incomplete", "keep-going", "scheduler")
    for name in ("slurm", "slurm-per-video"):
        profile = yaml.safe_load((REPO / f"profiles/{name}/config.yaml").read_text())
        assert {key: profile[key] for key in shared} == {key: default[key] for key in shared}
        assert {*profile["groups"], *profile["set-resources"], *profile["set-threads"]} <= set(RULES)
        with_gpu = {rule for rule, body in RULES.items() if " gpu=" in body}
        assert {rule for rule, asked in profile["set-resources"].items() if "gpu" in asked} == with_gpu
        assert {"download_video"} == {*profile["groups"]} & {r for r, b in RULES.items() if "localrule: True" in b}
