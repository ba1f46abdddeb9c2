"""Rule extract_frames: sample frames from a video, measure them, drop bad ones."""
