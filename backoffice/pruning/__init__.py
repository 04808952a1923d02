"""Deletes what is older than the settings keep it."""
