"""The warm detector: one process that keeps a model loaded between jobs. Not part of the code hash."""
