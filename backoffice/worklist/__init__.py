"""Actions: what a decision writes, and what their owners do with them."""
