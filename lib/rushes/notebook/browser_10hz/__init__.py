"""What the recipe about browser games at 10 Hz calls: a play, its checks, what it becomes, read back."""
