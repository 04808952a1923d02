"""Makes a message in the customer's language from a step's texts and the facts."""
