"""Files, tables, names of results, locks, text, errors, the code hash: no step of the pipeline."""
