"""PostgreSQL and Temporal as child processes. Use them through local.standalone."""
