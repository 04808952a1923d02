"""A letter as PDF: the forms of paper, the rows of its text and tables, and the sheets."""
