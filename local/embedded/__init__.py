"""PostgreSQL and Temporal as child processes; ``local.standalone`` starts them."""
