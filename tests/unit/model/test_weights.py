"""Weights are downloaded once, and checked before they are loaded."""

from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.core.files import sha256_of
from scripts.model.weights import check_weights, fetch_weights


def test_weights_must_have_every_sha256_that_is_set(tmp_path: Path) -> None:
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"weights")
    found = sha256_of(weights)
    assert check_weights(weights, ["", found], weights) == check_weights(weights, [""], weights) == found
    for wanted in (["0" * 64], [found, "0" * 64]):
        with pytest.raises(UserError, match=f"weights_sha256: .*w.pt has {found}, not 000.*: not loaded"):
            check_weights(weights, wanted, weights)


def test_downloaded_weights_are_used_again(tmp_path: Path) -> None:
    (tmp_path / "yolo26n.pt").write_bytes(b"weights")
    assert fetch_weights("yolo26n.pt", tmp_path, tmp_path / "w") == tmp_path / "yolo26n.pt"


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="'yolo26n.pt' is not in .* put the file there"):
        fetch_weights("yolo26n.pt", tmp_path / "models", tmp_path / "w")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["lock"], "no half file is left"
