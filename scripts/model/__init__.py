"""A loaded model: its card, inference, decoding, weights."""
