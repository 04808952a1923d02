"""Customers, contacts, invoices, credits, as billing systems report them; holds; imports; files."""
