"""A connection written to a file while the client does something else (docs/exports.md)."""
