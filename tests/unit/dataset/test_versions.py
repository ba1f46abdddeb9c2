"""Versions are the installed or the pinned ones; commits and models are named without anything private."""

import subprocess
from pathlib import Path

from scripts.dataset.versions import CODE, commit_of, installed_versions, model_facts


def test_packages_that_are_not_installed_have_the_pinned_version(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("dependencies:\n  - pip:\n      - not-here==1.2\n      - numpy==0.1\n")
    versions = installed_versions(("not-here", "numpy", "nowhere"), tmp_path)
    assert set(versions) == {"not-here", "numpy"} and versions["not-here"] == "1.2" and versions["numpy"] != "0.1"


def test_a_checkout_has_its_commit_and_whether_its_code_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    assert commit_of(tmp_path) == {"commit": None, "changed": None}
    git("init")
    for name in (*CODE[1:], "docs"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text("1")
    (tmp_path / "Snakefile").write_text("1")
    git("add", ".")
    git("commit", "-m", "x")
    clean = commit_of(tmp_path)
    assert clean["commit"] and len(clean["commit"]) == 40 and clean["changed"] is False
    (tmp_path / "docs/file").write_text("2")
    assert commit_of(tmp_path) == clean
    (tmp_path / "scripts/new.py").write_text("2")
    assert commit_of(tmp_path) == {**clean, "changed": True}
    assert commit_of(tmp_path / "docs") == {"commit": None, "changed": None}


def test_a_served_model_is_named_without_its_host() -> None:
    facts = model_facts({"weights": "http://10.0.0.1:8000/cars", "weights_sha256": ""})
    assert facts == {"name": "cars", "sha256": "unknown (on a server)"}
