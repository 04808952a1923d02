"""Reading CSV: books of invoices, maps of foreign files, facts of a rehearsal."""
