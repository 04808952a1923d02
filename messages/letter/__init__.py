"""A letter as PDF: paper sizes, the rows of its text and tables, and the sheets."""
