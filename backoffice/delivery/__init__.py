"""Deliveries: draft, claim, settle, look up; callbacks, replies, short links."""
