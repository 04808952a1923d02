"""The rules of dunning: pure decisions on an account. Standard library only, no clock, no I/O."""

__version__ = "0.2.0"
