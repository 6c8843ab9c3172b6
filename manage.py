#!/usr/bin/env python
"""The operator's tool. It logs in to PostgreSQL as the owner unless told otherwise."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linli.settings")
    os.environ.setdefault("LINLI_LOGIN", "owner")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
