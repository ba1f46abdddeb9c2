"""The shape of the project: names that belong together, and imports that stay light."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests._rules import FILES, RULES, SCRIPTS, TAILS
from tests.benchmarks.mutations import MUTATIONS
from tests.conftest import REPO

# A room imports only rooms above it. The last name of a stage's room is also that of its rule file and its tests.
ROOMS = (
    "core", "job", "inputs", "media", "frames", "download", "model", "warm", "detection", "dedup", "dataset", "report",
    "rehydrate", "run",
)  # fmt: skip


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
    assert len((REPO / "rules/common.smk").read_text().splitlines()) <= 150


def test_each_mutation_changes_a_text_that_is_there_once() -> None:
    assert [m for m in MUTATIONS if (SCRIPTS / m.file).read_text().count(m.old) != 1] == []
