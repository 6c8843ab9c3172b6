"""The sections of an operating model, one a file."""
