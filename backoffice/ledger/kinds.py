"""The two kinds of credit: what lowers a debt."""

PAYMENT, CREDIT_NOTE = "payment", "credit_note"
WORDS = {PAYMENT: "payment", CREDIT_NOTE: "credit note"}
