"""When: the durable sequence of each customer, and the contracts between it and the activities."""
