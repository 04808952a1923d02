"""What billing systems report: customers, contacts, invoices, credits; and holds."""
