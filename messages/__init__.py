"""From a step's texts and the facts to a message in the customer's language."""
