"""Where a registration begins: candidate poses (S, V, 4, 4) from tags, angles, results, landmarks or a search."""
