"""Find a model's weights, fetch those of a published one, and check that they are the right ones."""

import logging
from collections.abc import Iterable
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.files import sha256_of, unfinished
from scripts.core.locks import hold_folder
from scripts.model.engine import import_ultralytics


def fetch_weights(name: str, folder: Path, work: Path) -> Path:
    """Return the path of a published model's weights, fetched into `folder` once."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    if not target.exists():
        with hold_folder(folder):
            if not target.exists():  # another run that shares the store was faster
                _fetch(target, work)
    if not target.exists():
        raise UserError(
            f"model '{name}' is not in {Path.cwd()} or {folder} and could not be fetched (no network?): put the file"
            " there, or name one that you have under filter.model and detect.model"
        )
    return target


def _fetch(target: Path, work: Path) -> None:
    import_ultralytics(work, offline=False)
    from ultralytics.utils.downloads import attempt_download_asset

    with unfinished(target.parent) as folder:  # a half that a killed download leaves must not pass for the whole
        try:
            attempt_download_asset(str(folder / target.name), retry=1)
            (folder / target.name).replace(target)
        except Exception as error:
            logging.warning("%s", error)


def check_weights(source: Path, sha256: Iterable[str]) -> str:
    """Return the sha256 of the weights; raise UserError, before anything unpickles them, if another is wanted."""
    found, wanted = sha256_of(source), set(sha256) - {""}
    if other := wanted - {found}:
        raise UserError(
            f"weights_sha256: {source} has {found}, not {other.pop()}: not loaded, since weights can carry code"
        )
    logging.info("%s: sha256 %s%s", source, found, "" if wanted else " (any accepted: weights_sha256 is empty)")
    return found
