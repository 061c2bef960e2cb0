"""Floor 1: things that can be played without hardware. They yield pictures and outcomes and never write sessions."""
