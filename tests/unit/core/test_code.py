"""The hash of a rule's code: what an edit reruns, and what it does not."""

from pathlib import Path

import pytest

from scripts.core.code import code_hash_in


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return a folder with a rule's script `a/make.py` that imports in every way there is."""
    files = {
        "a/make.py": "import scripts.b.plain\nfrom scripts.b import member\nfrom scripts.b.third import x\n",
        "b/plain.py": "def late():\n    from scripts.c.deep import x\n",
        "b/member.py": "import os\n",
        "b/third.py": "from scripts.job.log import x\n",
        "c/deep.py": "x = 1\n",
        "c/other.py": "x = 1\n",
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
