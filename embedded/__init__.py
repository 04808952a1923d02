"""PostgreSQL and Temporal as child processes. Use them through standalone.py."""
