"""Actions: what a decision writes; listed, edited, completed and skipped by their owners."""
