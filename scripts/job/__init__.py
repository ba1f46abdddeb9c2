"""Run a job: its log, its end, its environment, disk space. Not part of the code hash."""
