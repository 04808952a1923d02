"""The keys by which addresses are compared and stored."""
