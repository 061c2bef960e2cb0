"""Whether frames are where a clock would put them, and inputs beside them."""
