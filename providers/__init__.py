"""The outside: the port, and one folder for each provider."""
