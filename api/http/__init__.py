"""What all endpoints share: keys, bodies, problem documents, pages of lists."""
