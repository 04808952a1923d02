"""What PostgreSQL holds: the facts, the process and the timeline. It is the only truth."""
