"""What hands do: keyboard, mouse, pads."""
