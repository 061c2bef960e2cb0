"""Floor 5: the command line. One file a command; each calls the library and says what came of it."""
