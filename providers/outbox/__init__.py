"""The outbox: where messages go when no provider is configured."""
