"""What every endpoint needs of HTTP: keys, bodies, problems, pages of lists."""
