"""Rules hash_frames, embed_frames, deduplicate: near-duplicates within and across videos."""
