"""The rules of dunning: pure decisions on an account. Standard library only, no clock, no I/O."""
