"""The hash of a rule's code: what an edit reruns, and what it does not."""

import os
import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from scripts.core.code import NOT_HASHED, code_hash_in
from tests._rules import ALL_STAGES as STAGES
from tests.conftest import REPO

PAGE = REPO / "docs/reruns.md"
SECTION = """## What runs again after an edit of the code

Each row lists files of scripts/ and the rules that an edit of one of them runs again, before what depends on these. A
folder stands for its files that no other row lists. Rules that run on demand are left out. Written by
tests/unit/core/test_code.py (`make docs`).

| edited files | rules |
|---|---|
"""
COSTLY = {"download_video", "extract_frames", "compile_model", "filter_frames", "hash_frames", "embed_frames"}


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return a folder with a rule's script `a/make.py` that imports in every way there is."""
    files = {
        "a/make.py": "import scripts.b.plain\nfrom scripts.b import member\nfrom scripts.b.third import x\n",
        "b/plain.py": "def late():\n    from scripts.c.deep import x\n",
        "b/member.py": "import os\n",
        "b/third.py": "from scripts.job.log import x\nif TYPE_CHECKING:\n    from scripts.c.types import x\n",
        "c/deep.py": "x = 1\n",
        "c/other.py": "x = 1\n",
        "c/types.py": "x = 1\n",
        "b/.page.jinja.swp": "x",
        "job/log.py": "from scripts.d.only_job import x\n",
        "d/only_job.py": "x = 1\n",
        "b/page.jinja": "x",
        "d/page.jinja": "x",
        "b/old.pyc": "x",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("edited", "counts"),
    {
        "a/make.py": True,
        "b/plain.py": True,  # import scripts.b.plain
        "b/member.py": True,  # from scripts.b import member
        "b/third.py": True,  # from scripts.b.third import x
        "c/deep.py": True,  # within a function of an imported file
        "b/page.jinja": True,
        "c/other.py": False,
        "c/types.py": False,  # under TYPE_CHECKING, so it never runs
        "b/.page.jinja.swp": False,  # as an editor leaves it
        "d/page.jinja": False,
        "b/old.pyc": False,
        "job/log.py": False,
        "d/only_job.py": False,
    }.items(),
)
def test_the_hash_changes_with_what_decides_on_results_alone(scripts: Path, edited: str, counts: bool) -> None:
    before = code_hash_in(scripts, "make")
    with (scripts / edited).open("a") as file:
        file.write("# edited\n")
    assert (code_hash_in(scripts, "make") != before) is counts


def test_a_long_lived_process_hashes_the_rooms_that_are_left_out_for_jobs(scripts: Path) -> None:
    before = code_hash_in(scripts, "make", left_out=frozenset())
    (scripts / "job/log.py").write_text("")
    assert code_hash_in(scripts, "make", left_out=frozenset()) != before


@pytest.fixture(scope="module")
def reruns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """Return, for each file of scripts/, the rules whose hash an edit of it changes."""
    scripts = tmp_path_factory.mktemp("code") / "scripts"
    shutil.copytree(REPO / "scripts", scripts, ignore=shutil.ignore_patterns("__pycache__"))
    before = {rule: code_hash_in(scripts, rule) for rule in STAGES}
    found = {}
    for path in sorted(path for path in scripts.rglob("*") if path.is_file() and path.name != "__init__.py"):
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        name = path.relative_to(scripts).as_posix()
        found[name] = tuple(rule for rule in STAGES if code_hash_in(scripts, rule) != before[rule])
        path.write_bytes(content)
    return found


def rows_by_rules(reruns: dict[str, tuple[str, ...]]) -> dict[tuple[str, ...], list[str]]:
    """Return the files per set of rules; a room stands for its files in the row that has more than half of them."""
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for name, rules in reruns.items():
        counts[name.split("/")[0]][rules] += 1
    usual = {room: rules for room, of in counts.items() for rules, files in of.items() if files > of.total() / 2}
    rows: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for name, rules in reruns.items():
        room = name.split("/")[0]
        rows[rules][f"{room}/" if usual.get(room) == rules else name] = None
    return {rules: list(names) for rules, names in rows.items()}


def section(reruns: dict[str, tuple[str, ...]]) -> str:
    """Return the table: a row per set of rules, the files by room."""
    rules_named = {(): "none", tuple(STAGES): "all"}
    lines = [
        f"| {', '.join(f'`{name}`' for name in names)} | {rules_named.get(rules, ', '.join(rules))} |\n"
        for rules, names in sorted(rows_by_rules(reruns).items(), key=lambda row: (-len(row[0]), row))
    ]
    return SECTION + "".join(lines)


def test_the_page_says_what_an_edit_of_each_file_runs_again(reruns: dict[str, tuple[str, ...]]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, _ = text.partition(SECTION.splitlines()[0])
    wanted = f"{before.rstrip()}\n\n{section(reruns)}"
    if os.environ.get("REELSIEVE_WRITE_DOCS"):
        PAGE.write_text(wanted, encoding="utf-8")
    else:
        assert text == wanted, "if this is meant, run: make docs"


def test_texts_progress_and_checks_run_nothing_costly_again(reruns: dict[str, tuple[str, ...]]) -> None:
    how = [n for n in reruns if n.split("/")[0] in NOT_HASHED or n in NOT_HASHED or re.match("report|core/text", n)]
    assert len(how) > 30
    for name in how:
        assert not COSTLY & set(reruns[name]), name


def test_an_edit_of_the_engine_exports_nothing_again(reruns: dict[str, tuple[str, ...]]) -> None:
    assert set(reruns["model/engine.py"]) == {"compile_model", "filter_frames", "embed_frames", "detect_objects"}


def test_what_is_left_out_of_the_hash_is_there() -> None:
    assert all((REPO / "scripts" / name).exists() for name in NOT_HASHED)
