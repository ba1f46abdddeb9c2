"""Everything the Snakefile does around jobs: checks, progress, status, summary. Not part of the code hash."""
