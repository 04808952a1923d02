"""Endpoints of members: actions, customers, plans, holds."""
