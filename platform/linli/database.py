"""Which database, and as which of the two log-ins.

DATABASE_URL is the application's log-in, OWNER_DATABASE_URL the owner's; without either, the
embedded server is used. LINLI_LOGIN (`app`, the default, or `owner`) chooses between them.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import make_conninfo

from linli import embedded

URL_OF_LOGIN = {"app": "DATABASE_URL", "owner": "OWNER_DATABASE_URL"}
CONNECTION_SECONDS = 600  # then recycled: a backend keeps 2 MB for each tenant it has touched


def database_settings() -> dict[str, dict[str, Any]]:
    """Django's DATABASES. Starts the embedded server when no URL is given.

    Raises ImproperlyConfigured, embedded.EmbeddedError.
    """
    login = os.environ.get("LINLI_LOGIN", "app")
    parameters = _parameters(login)
    return {
        "default": {
            "ENGINE": "linli.tenancy.postgresql",
            "HOST": parameters.pop("host"),
            "PORT": parameters.pop("port"),
            "NAME": parameters.pop("dbname"),
            "USER": parameters.pop("user"),
            "PASSWORD": parameters.pop("password"),
            "CONN_MAX_AGE": CONNECTION_SECONDS if login == "app" else 0,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": parameters,
        }
    }


def connect(login: str, dbname: str | None = None) -> psycopg.Connection:
    """A raw autocommit connection as `app` or `owner`, to `dbname` or to the configured database."""
    parameters = {key: value for key, value in _parameters(login).items() if value}
    if dbname is not None:
        parameters["dbname"] = dbname
    return psycopg.connect(make_conninfo(**parameters), autocommit=True)


def grant_connect(dbname: str) -> None:
    """Let the application into `dbname`, which the owner made by CREATE DATABASE … TEMPLATE.

    Everything inside a template is copied, its own CONNECT grant is not.
    """
    app = _parameters("app")["user"]
    with connect("owner", dbname) as connection:
        for statement in embedded.grant_connect_statements(dbname, app):
            connection.execute(statement)


def _parameters(login: str) -> dict[str, str]:
    """libpq's parameters: host, port, dbname, user, password ("" = not given), and a URL's query."""
    if login not in URL_OF_LOGIN:
        raise ImproperlyConfigured(f"LINLI_LOGIN is {login!r}; it must be app or owner.")
    variable = URL_OF_LOGIN[login]
    if url := os.environ.get(variable):
        return _parse(variable, url)
    for other in URL_OF_LOGIN.values():
        if os.environ.get(other):
            raise ImproperlyConfigured(
                f"{other} is set but {variable} is not, and this process logs in as {login}: "
                f"set {variable} too, or neither of them to use the embedded PostgreSQL."
            )
    server = embedded.ensure_running()
    name = os.environ.get("LINLI_DATABASE", embedded.DATABASE)
    embedded.ensure_roles_and_database(server, name)
    return {
        "host": str(server.socket_dir),
        "port": str(server.port),
        "dbname": name,
        "user": embedded.APP if login == "app" else embedded.OWNER,
        "password": "",
    }


def _parse(variable: str, url: str) -> dict[str, str]:
    """Never quotes the URL in an error: it holds a password."""
    wanted = f"{variable} must look like postgresql://user:password@host:5432/name"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{wanted}; its host or port cannot be read.") from error
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("postgres", "postgresql") or not parts.username or not name:
        raise ImproperlyConfigured(f"{wanted}; its scheme, user or database name is missing.")
    return {
        "host": unquote(parts.hostname or ""),
        "port": str(port or ""),
        "dbname": name,
        "user": unquote(parts.username),
        "password": unquote(parts.password or ""),
        **dict(parse_qsl(parts.query)),
    }
