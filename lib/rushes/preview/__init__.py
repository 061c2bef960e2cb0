"""Floor 3: static pictures, films and HTML of what was recorded, and notebooks as pages."""
