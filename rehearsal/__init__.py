"""Rehearsals: months of a book run through the real engine before any message is sent."""
