"""Rules export_dataset, record_provenance, verify: images, labels, splits, ledger, card."""
