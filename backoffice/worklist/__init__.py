"""Actions: written by decisions; listed, edited, completed and skipped by their owners."""
