"""What serves a program's reads on the event loop (docs/express.md).

`application` takes in what comes over HTTP, `reads` answers what is known already; all else goes
the whole way, through Django.
"""
