"""The form of a plan, stated once; read from TOML or JSON, refused with step and reason."""
