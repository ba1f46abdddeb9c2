"""Untrusted media files: probe them, run ffmpeg on them."""
