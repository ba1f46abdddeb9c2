"""Run a job: its log, its end, its environment, disk space, the frame budget. Not part of the code hash."""
