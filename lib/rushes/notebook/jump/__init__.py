"""The jump recipe: sessions, table, net, score, and what the faults of a pipeline are worth."""
