"""How the schema may change once it is released: announced, dated, and told in a change log."""
