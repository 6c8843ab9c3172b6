"""Who is asking, what they may do here, and any object by its global id."""
