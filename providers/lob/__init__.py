"""Letters through Lob."""
