"""Download the weights of a published model, and check the sha256 of weights."""

import logging
from collections.abc import Iterable
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.files import sha256_of, unfinished
from scripts.core.locks import hold_folder
from scripts.model.engine import import_ultralytics
from scripts.model.load import plain_path


def fetch_weights(name: str, folder: Path, work: Path) -> Path:
    """Return the path of a published model's weights. They are downloaded into `folder` once."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    if not target.exists():
        with hold_folder(folder):
            if not target.exists():  # another run with the same store may have fetched it
                _download(target, work)
    if not target.exists():
        raise UserError(
            f"model '{name}' is not in {Path.cwd()} or {folder}, and the download failed (no network?): put the file"
            " there, or set filter.model and detect.model to one that you have"
        )
    return target


def _download(target: Path, work: Path) -> None:
    import_ultralytics(work, offline=False)
    from ultralytics.utils.downloads import attempt_download_asset

    with unfinished(target.parent) as folder:  # half a file of a killed download must not look complete
        try:
            with plain_path(folder / target.name) as plain:
                attempt_download_asset(str(plain), retry=1)
            (folder / target.name).replace(target)
        except Exception as error:
            logging.warning("%s", error)


def check_weights(copy: Path, sha256: Iterable[str], source: Path) -> str:
    """Return the sha256 of our copy of `source`. Raise UserError if another is wanted, before anything unpickles it."""
    found, wanted = sha256_of(copy), set(sha256) - {""}
    if other := wanted - {found}:
        raise UserError(
            f"weights_sha256: {source} has {found}, not {other.pop()}: not loaded, because weights can run code"
        )
    logging.info("%s: sha256 %s%s", source, found, "" if wanted else " (any accepted: weights_sha256 is empty)")
    return found
