"""Providers, offices and books that tests and benchmarks use instead of real ones."""
