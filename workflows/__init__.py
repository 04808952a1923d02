"""When things happen: one durable sequence per customer, and its contracts with the activities."""
