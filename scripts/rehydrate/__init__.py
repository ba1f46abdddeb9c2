"""Rules retake_frames, rehydrate: make a published dataset again from its videos."""
