"""What every JPEG has."""

JPEG_END = b"\xff\xd9"  # a file without it was cut off
