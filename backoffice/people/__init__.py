"""Members, their keys, who owns what; the organisation, its plans and provider accounts."""
