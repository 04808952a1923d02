"""What happens: load the account under the customer's lock, ask the rules, act, record."""
