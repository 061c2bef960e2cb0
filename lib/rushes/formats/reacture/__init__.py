"""ReActure's sets: a game in the browser at 10 Hz, with what its robot felt; read in every form, written in one."""
