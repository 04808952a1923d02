"""Members, their keys, the owners of actions; the organisation, its plans and provider accounts."""
