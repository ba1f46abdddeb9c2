"""config.yaml and videos.tsv: read them, check them, remove secrets."""
