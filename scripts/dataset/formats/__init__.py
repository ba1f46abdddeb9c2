"""Writers of the dataset's formats."""
