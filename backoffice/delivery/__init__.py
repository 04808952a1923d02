"""Deliveries: drafted, claimed, settled, looked up; what is reported and answered."""
