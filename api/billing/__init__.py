"""Endpoints of billing systems: facts in."""
