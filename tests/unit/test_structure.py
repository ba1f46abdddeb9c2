"""The shape of the project: names that belong together, imports that stay light, versions that agree."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from scripts._code import code_hash_in
from tests.conftest import REPO

RULES = {
    match[1]: body
    for file in sorted((REPO / "rules").glob("*.smk"))
    for body in re.split(r"\n(?=(?:rule|checkpoint) )", file.read_text())
    if (match := re.match(r"(?:rule|checkpoint) (\w+):", body))
}
STAGES = {
    "expand_sources", "download_video", "extract_frames", "compile_model", "filter_frames", "hash_frames",
    "embed_frames", "deduplicate", "detect_objects", "export_dataset", "report", "retake_frames", "rehydrate",
    "purge_excluded", "record_provenance", "verify",
}  # fmt: skip
SCRIPTS = {path.stem for path in (REPO / "scripts").glob("[a-z]*.py")}


def test_every_stage_has_its_rule_script_and_log() -> None:
    assert set(RULES) == SCRIPTS == STAGES
    for name, body in RULES.items():
        assert f'"../scripts/{name}.py"' in body
        assert re.search(rf'log:\n\s+"logs/{name}[./]', body), name
        assert body.split("\n")[1].strip().startswith('"""'), name
        assert name == "expand_sources" or f'code=code_hash("{name}")' in body, name


def test_there_is_one_checkpoint() -> None:
    text = "".join(file.read_text() for file in (REPO / "rules").glob("*.smk"))
    assert re.findall(r"^checkpoint (\w+):", text, re.MULTILINE) == ["deduplicate"]


def test_no_installed_package_shadows_ours() -> None:
    spec = importlib.util.find_spec("scripts")
    assert spec and spec.origin and Path(spec.origin).parent == REPO / "scripts"


def loaded_by(imports: str, heavy: tuple[str, ...]) -> str:
    code = f"import sys\n{imports}\nprint(*sorted(set({heavy!r}) & set(sys.modules)))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_planning_loads_nothing_heavy() -> None:
    imports = [line for line in (REPO / "rules/common.smk").read_text().splitlines() if line.startswith("from scripts")]
    assert len(imports) >= 4
    assert loaded_by("\n".join(imports), ("torch", "ultralytics", "pandas", "numpy", "pyarrow", "cv2", "av")) == ""


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_importing_a_script_loads_no_inference_library_and_does_nothing(script: str) -> None:
    assert loaded_by(f"import scripts.{script}", ("torch", "ultralytics", "cv2", "openvino")) == ""


def test_scripts_share_only_through_underscored_modules() -> None:
    for path in (REPO / "scripts").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scripts"):
                assert str(node.module).startswith("scripts._"), path


def test_files_and_functions_stay_small() -> None:
    for path in [*(REPO / "scripts").glob("*.py"), *(REPO / "config").rglob("*.py")]:
        text = path.read_text()
        assert len(text.splitlines()) <= 250, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 40, (path, node.name)
    assert len((REPO / "rules/common.smk").read_text().splitlines()) <= 140


def pinned_for(python: str) -> set[str]:
    """Return what requirements.txt pins where this Python runs: some packages have one version for each."""
    where = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    lines = (REPO / "requirements.txt").read_text().splitlines()
    asked = [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]
    assert len(asked) > 100
    found = [a for a in asked if not a.marker or a.marker.evaluate(where | {"platform_system": "Linux"})]
    assert len({a.name for a in found}) == len(found)
    return {f"{a.name}{a.specifier}" for a in found}


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
        for module in loaded_at_start(REPO / f"scripts/{name}.py", set()):
            known = {re.sub(r"[-_.]+", "-", package).lower() for package in packages[module]}
            assert known & there, f"{name} loads {module}, which {env} lacks"


def test_fallback_slots_are_those_of_the_default_profile() -> None:
    profile = yaml.safe_load((REPO / "profiles/default/config.yaml").read_text())
    fallback = re.search(r"for slot, count in (\{.*\})\.items", (REPO / "rules/common.smk").read_text())
    per_video = yaml.safe_load((REPO / "profiles/per-video/config.yaml").read_text())
    slots = profile["resources"] | {"video": per_video["resources"]["video"]}
    assert fallback and ast.literal_eval(fallback[1]) == slots


def test_local_profiles_differ_only_in_their_slots() -> None:
    stages, videos = (
        yaml.safe_load((REPO / f"profiles/{name}/config.yaml").read_text()) for name in ("default", "per-video")
    )
    first_stages = ("download_video", "extract_frames", "filter_frames")
    assert videos.pop("set-resources") == {rule: {"video": 1} for rule in first_stages}
    assert set(videos.pop("resources")) - set(stages.pop("resources")) == {"video"} and stages == videos


def test_slurm_profiles_rerun_what_the_default_profile_does_and_know_every_rule() -> None:
    default = yaml.safe_load((REPO / "profiles/default/config.yaml").read_text())
    shared = ("rerun-triggers", "max-checksum-file-size", "rerun-incomplete", "keep-going", "scheduler")
    for name in ("slurm", "slurm-per-video"):
        profile = yaml.safe_load((REPO / f"profiles/{name}/config.yaml").read_text())
        assert {key: profile[key] for key in shared} == {key: default[key] for key in shared}
        assert {*profile["groups"], *profile["set-resources"], *profile["set-threads"]} <= STAGES
        with_gpu = {rule for rule, body in RULES.items() if "gpu=1" in body}
        assert {rule for rule, asked in profile["set-resources"].items() if "gpu" in asked} == with_gpu
        assert {"download_video"} == {*profile["groups"]} & {r for r, b in RULES.items() if "localrule: True" in b}


def test_the_hash_of_code_follows_imports_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from scripts._b import x\n")
    (tmp_path / "_b.py").write_text("from scripts._c import x\n")
    for name in ("_c.py", "_d.py", "other.py"):
        (tmp_path / name).write_text("x = 1\n")
    first = code_hash_in(tmp_path, "a")
    for name, counts in (("_d.py", False), ("other.py", False), ("_c.py", True), ("a.html", True)):
        (tmp_path / name).write_text("x = 2\n")
        assert (code_hash_in(tmp_path, "a") != first) is counts, name
        first = code_hash_in(tmp_path, "a")


@pytest.mark.parametrize(
    ("module", "rules"),
    [("_remedies.py", {"report"}), ("_notices.py", {"report", "export_dataset"}), ("_failures.py", {"deduplicate"})],
)
def test_words_for_people_run_no_costly_stage_again(tmp_path: Path, module: str, rules: set[str]) -> None:
    shutil.copytree(REPO / "scripts", tmp_path / "scripts")
    before = {rule: code_hash_in(tmp_path / "scripts", rule) for rule in STAGES}
    with (tmp_path / "scripts" / module).open("a") as file:
        file.write("# more\n")
    assert {rule for rule in STAGES if code_hash_in(tmp_path / "scripts", rule) != before[rule]} == rules
