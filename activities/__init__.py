"""Temporal activities: load the account under the customer's lock, ask the rules, act, record.

The loops that run beside them, the relay and the reader of callbacks, are here as well.
"""
