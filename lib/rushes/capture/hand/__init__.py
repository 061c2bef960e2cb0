"""Playing by hand: what a person does with keys and a pad becomes the actions of an environment, in measured time."""
