"""Deletes what nobody needs any more."""
