"""Endpoints without a key: webhooks of providers and short links."""
