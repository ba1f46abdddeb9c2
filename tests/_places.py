"""Folders of the project."""

from pathlib import Path

REPO = Path(__file__).parents[1]
DEMO = REPO / "config/demo"
REAL = REPO.parent / "shared/real"  # real videos and a model, where they are
