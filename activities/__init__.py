"""Temporal activities: load the account under the customer's lock, ask the rules, act, record.

Here are also the loops that run beside them: the relay, and the reader of callbacks.
"""
