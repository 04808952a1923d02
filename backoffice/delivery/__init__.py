"""Deliveries: draft, claim, settle, look up; callbacks, replies, files, short links."""
