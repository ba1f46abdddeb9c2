"""The scripts of the rules, and what they share."""
