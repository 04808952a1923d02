"""Endpoints of admins: members, keys, the organisation, provider accounts."""
