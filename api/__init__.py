"""The HTTP API: facts in, work out. The use cases are in backoffice/, the rules in dunning/."""
