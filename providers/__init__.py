"""The contract of a provider (``port``), and what all providers share."""
