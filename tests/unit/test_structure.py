"""The shape of the project: names that belong together, imports that stay light, versions that agree."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


def test_conda_environments_have_the_versions_of_the_requirements() -> None:
    lines = (REPO / "requirements.txt").read_text().splitlines()
    pinned = {line.split(" ;")[0].strip() for line in lines if re.match(r"[a-z0-9_-]+==", line)}
    used = set()
    for file in sorted((REPO / "envs").glob("*.yaml")):
        pip = next(d["pip"] for d in yaml.safe_load(file.read_text())["dependencies"] if isinstance(d, dict))
        assert set(pip) <= pinned, (file, set(pip) - pinned)
        used.add(f"../envs/{file.name}")
    named = {env for body in RULES.values() for env in re.findall(r'conda:\n\s+"([^"]+)"', body)}
    assert named == used


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
