"""The columns of the video table and of the registry."""

COLUMNS = ("video", "url", "start_s", "end_s", "split")
# The columns of results/registry.tsv, one row per video. The user's own columns follow.
REGISTRY_COLUMNS = (
    "video", "url", "split", "status", "message", "duration_s", "media_bytes",
    "frames", "looked_at", "passed", "kept", "exported", "objects", "license", "title",
)  # fmt: skip
# If the table has one of these columns, its text replaces the text of the site.
CREDITS = frozenset({"title", "uploader", "channel", "license", "upload_date"})
