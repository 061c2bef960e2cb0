"""What the notebook about alignment and checks says: its own session, its parameters, the repair, the verdict."""
