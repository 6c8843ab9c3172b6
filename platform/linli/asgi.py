"""The ASGI application, which gunicorn serves. It logs in to PostgreSQL as the application, never as
the owner."""

from django.conf import settings
from django.utils.module_loading import import_string

from linli.wsgi import application as django

application = import_string(settings.LINLI_ASGI_APPLICATION)(django)
