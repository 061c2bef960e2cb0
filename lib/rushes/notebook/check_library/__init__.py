"""What the recipe about a whole library says: its own small library, the checks over it, the verdict."""
