"""Endpoints of billing systems: customers, contacts, invoices, payments, credit notes."""
