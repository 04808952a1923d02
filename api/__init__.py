"""The HTTP API: facts in, work out. Thin: the use cases are in backoffice/, the rules in dunning/."""
