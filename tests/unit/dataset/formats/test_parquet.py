"""Tables have only the columns of images, and the description holds the hash of each table."""

from pathlib import Path

from scripts.core.files import sha256_of
from scripts.core.schemas import IMAGES
from scripts.core.tables import read_rows
from scripts.dataset.formats.images import Dataset
from scripts.dataset.formats.parquet import croissant, write_parquet
from tests._dataset_rows import image_row


def test_the_description_lists_each_table_with_its_hash_and_every_column(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path, ["dog"], {"train": [image_row("v/1.jpg", ["dog"])], "val": []})
    write_parquet(dataset)
    assert list(read_rows(tmp_path / "data/train.parquet")[0]) == IMAGES.names
    found = croissant(dataset, ["CC-BY"])
    listed = {file["@id"]: file["sha256"] for file in found["distribution"] if "sha256" in file}
    assert listed == {
        f"data/{split}.parquet": sha256_of(tmp_path / f"data/{split}.parquet") for split in dataset.images
    }
    assert "(1 train, 0 val images)" in found["description"] and found["license"] == ["CC-BY"]
    assert croissant(dataset, [])["license"] == ["ATTRIBUTION.tsv"]
    records = found["recordSet"][0]["field"]
    columns = [field["source"]["extract"].get("column") for field in [*records[:-1], *records[-1]["subField"]]]
    assert [column for column in columns if column] == IMAGES.names
