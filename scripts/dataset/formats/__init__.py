"""Writers of the formats of a dataset."""
