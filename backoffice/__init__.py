"""The use cases: each is one transaction on what is stored."""
