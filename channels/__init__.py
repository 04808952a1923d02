"""The outside: messages as text (``render``), the port (``port``) and one file per provider."""
