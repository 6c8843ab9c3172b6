"""The WSGI application. It logs in to PostgreSQL as the application, never as the owner."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linli.settings")
os.environ.setdefault("LINLI_LOGIN", "app")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
