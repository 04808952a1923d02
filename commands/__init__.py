"""The commands of ``dunning``."""
