"""Rehearsals: months of a book lived through on the real engine before a message ever leaves."""
