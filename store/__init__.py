"""PostgreSQL: engine, tables, migrations, the account under its lock, timeline and nudges."""
