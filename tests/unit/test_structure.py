"""The shape of the project: names that belong together, imports that stay light, versions that agree."""

import ast
import importlib.util
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.conftest import REPO

RULES = {
    match[1]: body
    for file in sorted((REPO / "rules").glob("*.smk"))
    for body in re.split(r"\n(?=(?:rule|checkpoint) )", file.read_text())
    if (match := re.match(r"(?:rule|checkpoint) (\w+):", body))
}
SCRIPTS = REPO / "scripts"
# A room imports only rooms above it. The last name of a stage's room is also that of its rule file and its tests.
ROOMS = (
    "core", "job", "inputs", "media", "frames", "download", "model", "warm", "detection", "dedup", "dataset", "report",
    "rehydrate", "run",
)  # fmt: skip
FILES = sorted(path for path in SCRIPTS.rglob("*.py") if path.name != "__init__.py")
TAILS = {path.stem: path for path in FILES if "snakemake.log[0]" in path.read_text()}  # the scripts of rules


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(REPO).with_suffix("").parts)


def room_of(module: str) -> int:
    return ROOMS.index(module.split(".")[1])


def imported_by(path: Path) -> set[str]:
    """Return the modules of scripts/ that a file imports, also within functions."""
    known = {dotted(file) for file in FILES}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: name modules in full, from scripts on"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)} & known
    return found


IMPORTS = {dotted(path): imported_by(path) for path in FILES}


def circles() -> list[list[str]]:
    """Return circles of imports between modules."""
    found: list[list[str]] = []
    done: set[str] = set()

    def follow(module: str, path: list[str]) -> None:
        if module in path:
            found.append([*path[path.index(module) :], module])
        elif module not in done:
            for other in sorted(IMPORTS[module]):
                follow(other, [*path, module])
            done.add(module)

    for module in sorted(IMPORTS):
        follow(module, [])
    return found


def test_rooms_import_only_rooms_above_them_and_no_modules_in_a_circle() -> None:
    upward = [(m, other) for m, imported in IMPORTS.items() for other in imported if room_of(m) < room_of(other)]
    largest = max(FILES, key=lambda path: len(path.read_text().splitlines()))
    print("rooms, from the top:", " ".join(f"{r}({sum(m.split('.')[1] == r for m in IMPORTS)})" for r in ROOMS))
    print(f"files: {len(FILES)}, imports upward: {len(upward)}, circles: {len(circles())}, largest file:", end=" ")
    print(f"{largest.relative_to(SCRIPTS)} ({len(largest.read_text().splitlines())} lines)")
    assert {path.name for path in SCRIPTS.iterdir() if path.is_dir()} - {"__pycache__"} == set(ROOMS)
    assert not upward and not circles()


def test_the_scripts_of_rules_are_the_files_that_touch_snakemake() -> None:
    named = {
        (name, f"scripts/{path}")
        for name, body in RULES.items()
        for path in re.findall(r'script:\n\s+"\.\./scripts/([\w/]+\.py)"', body)
    }
    assert named == {(name, str(path.relative_to(REPO))) for name, path in TAILS.items()}
    assert set(RULES) == set(TAILS)


def test_rules_scripts_and_tests_mirror_each_other() -> None:
    stages = {path.parent.name for path in TAILS.values()}
    assert {path.stem for path in (REPO / "rules").glob("*.smk")} == stages | {"common"}
    for name, path in TAILS.items():
        assert f"rule {name}:" in (REPO / f"rules/{path.parent.name}.smk").read_text().replace("checkpoint ", "rule ")
    assert {path.name for path in (REPO / "tests/unit").iterdir() if path.is_dir()} - {"__pycache__"} == set(ROOMS)


def test_names_say_what_a_file_is() -> None:
    for path in FILES:
        assert not path.name.startswith("_"), path
    for path in SCRIPTS.rglob("__init__.py"):  # which the code hash does not follow
        (only,) = ast.parse(path.read_text()).body
        assert isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant), path


def test_every_rule_has_a_log_a_docstring_and_its_code_as_a_parameter() -> None:
    for name, body in RULES.items():
        assert re.search(rf'log:\n\s+"logs/{name}[./]', body), name
        assert body.split("\n")[1].strip().startswith('"""'), name
        assert f'code=code_hash("{name}")' in body, name


def tail_of(path: Path) -> tuple[ast.If, int]:
    """Return what a rule's script does when it runs as one, and how many lines that takes."""
    (tail,) = [
        n for n in ast.parse(path.read_text()).body if isinstance(n, ast.If) and "__main__" in ast.unparse(n.test)
    ]
    lines = path.read_text().splitlines()[tail.lineno : tail.end_lineno]
    return tail, sum(bool(line.strip()) for line in lines)


def test_the_tails_of_scripts_are_short_and_alone_touch_snakemake() -> None:
    for path in TAILS.values():
        tail, length = tail_of(path)
        assert length <= 10, (path, length)
        touching = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name) and n.id == "snakemake"]
        assert touching and all(n.lineno > tail.lineno for n in touching), path


def configuration_read_in(tail: ast.If) -> set[str]:
    """Return the keys of the configuration that a tail reads, such as `detector.warm`; `` if it hands on all of it."""
    keys, inner = set(), set()
    for node in ast.walk(tail):
        names: list[str] = []
        part: ast.AST = node
        while isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
            names.insert(0, str(part.slice.value))
            inner |= {id(part.value)}
            part = part.value
        if isinstance(part, ast.Attribute) and ast.unparse(part) == "snakemake.config" and id(node) not in inner:
            keys.add(".".join(names))
    return keys


def test_rules_say_what_they_read_of_the_configuration_besides_their_parameters() -> None:
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())["properties"]
    for name, body in RULES.items():
        comments = re.findall(r"# untracked: ([\w., ]+): \S", body)
        said = {key.strip() for comment in comments for key in comment.split(",")}
        read = configuration_read_in(tail_of(TAILS[name])[0])
        assert bool(said) == bool(read), f"{name}: says {said}, reads {read}"
        for key in read - {""}:
            assert any(f"{key}.".startswith(f"{s}.") or f"{s}.".startswith(f"{key}.") for s in said), f"{name}: {key}"
        for key in said - {"config"}:  # that is, all of it
            section, _, inner = key.partition(".")
            assert section in schema and (not inner or inner in schema[section].get("properties", {})), f"{name}: {key}"


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
    planning = [REPO / "Snakefile", *sorted((REPO / "rules").glob("*.smk"))]
    modules = {
        m for file in planning for m in re.findall(r"^from (scripts[\w.]+) import", file.read_text(), re.MULTILINE)
    }
    assert len(modules) >= 12
    imports = [f"import {module}" for module in sorted(modules)]
    assert loaded_by("\n".join(imports), ("torch", "ultralytics", "pandas", "numpy", "pyarrow", "cv2", "av")) == ""


def test_importing_all_of_scripts_loads_no_inference_library_and_does_nothing() -> None:
    """In one process, since what it loads is what any one of them loads, or more."""
    lazy = {"scripts.dedup.hash_kernels"}  # compiles, so only those with many hashes import it
    imports = "\n".join(f"import {module}" for module in sorted(IMPORTS) if module not in lazy)
    assert loaded_by(imports, ("torch", "ultralytics", "cv2", "openvino")) == ""


def test_files_and_functions_stay_small() -> None:
    for path in [*FILES, *(REPO / "config").rglob("*.py")]:
        text = path.read_text()
        assert len(text.splitlines()) <= 250, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 40, (path, node.name)
    assert len((REPO / "rules/common.smk").read_text().splitlines()) <= 170


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
    fallback = re.search(r"set_default_resources\(workflow, (\{.*\})\)", (REPO / "rules/common.smk").read_text())
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
        assert {*profile["groups"], *profile["set-resources"], *profile["set-threads"]} <= set(RULES)
        with_gpu = {rule for rule, body in RULES.items() if "gpu=1" in body}
        assert {rule for rule, asked in profile["set-resources"].items() if "gpu" in asked} == with_gpu
        assert {"download_video"} == {*profile["groups"]} & {r for r, b in RULES.items() if "localrule: True" in b}
