"""Rule report: the page, the registry, the times."""
