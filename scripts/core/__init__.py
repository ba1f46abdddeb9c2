"""Files, tables, names of results, locks, text, errors, the code hash: knows no video."""
