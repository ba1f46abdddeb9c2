"""Rules compile_model, filter_frames, detect_objects."""
