"""The HTTP API: facts in, work out. Thin: what is true stands in db/, what to do in dunning/."""
