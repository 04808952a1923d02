"""The HTTP API: reads a request, calls a use case of backoffice/, writes the answer."""
