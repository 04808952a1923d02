"""Who and what stands in for the world, in tests and benchmarks: providers, offices, books."""
