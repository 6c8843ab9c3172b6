"""Which domains each schema shows. A further domain is a folder and a line here.

``linli_api/<domain>/tenant.py`` (or ``platform.py``) holds a class ``Query`` with root fields, a
list ``MUTATIONS``, or both.
"""

TENANT_DOMAINS = [
    "viewer",
    "registry",
    "accounts",
    "clients",
    "audit",
    "communities",
    "operating_model",
    "governing",
    "packages",
    "partners",
    "fund",
    "trusted",
    "events",
    "exports",
]

PLATFORM_DOMAINS = [
    "viewer",
    "registry",
    "accounts",
    "clients",
    "audit",
    "library",
    "packages",
    "lineage",
    "comparison",
]
