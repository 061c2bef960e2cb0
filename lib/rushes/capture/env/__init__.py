"""Recording environments: policies, the backend that plays, and sampling many games at once."""
