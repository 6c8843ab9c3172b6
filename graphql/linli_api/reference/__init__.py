"""The page that documents the API, made from the schema and from examples that tests run."""
