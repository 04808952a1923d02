"""What a plan may say, stated once; read from TOML or JSON, refused with step and reason."""
