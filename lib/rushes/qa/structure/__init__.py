"""Whether all that is said to be there is there, unchanged, in order, and adds up."""
