"""Linli over HTTP, as a person's browser uses it: log in at the platform, be handed over to a
tenant's host, then GraphQL. Nothing here reaches past the product's own addresses."""

import re
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

_ATTEMPTS, _SECONDS_BETWEEN = 15, 5
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class DemoError(RuntimeError):
    """Something did not answer as it should; the message says what and where."""


class Host:
    """One host name, with the cookies it set. The address is always 127.0.0.1, the name goes into
    the Host header: not every resolver knows *.localhost, and cookies must not mix."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Host": f"{name}:{port}", "Accept-Language": "zh-hans"},
            timeout=60,
        )

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Post a form of the page at ``path``, with the token that the page carries."""
        token = _CSRF.search(self.get(path).text)
        if token is None:
            raise DemoError(f"{self.name}{path} shows no form")
        return self._http.post(path, data={"csrfmiddlewaretoken": token[1], **fields})

    def graphql(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer. Raises `DemoError` with the errors if there are any."""
        answer = self.ask(query, variables)
        if answer.get("errors"):
            raise DemoError(f"{self.name}: {answer['errors']}\n{query}")
        return answer["data"]

    def ask(
        self, query: str, variables: dict[str, Any] | None = None, language: str = "zh-hans"
    ) -> dict[str, Any]:
        """The whole answer."""
        headers = {
            "X-CSRFToken": self._http.cookies.get("csrftoken") or "",
            "Accept-Language": language,
        }
        body = {"query": query, "variables": variables or {}}
        for _attempt in range(_ATTEMPTS):
            answer = self._http.post("/graphql", json=body, headers=headers)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            # The minute's points are used up, as after a demo run again and again; nothing was run.
            time.sleep(int(answer.headers["Retry-After"]))
        return answer.json()

    def close(self) -> None:
        self._http.close()


class Browser:
    """One person, logged in at the platform; each tenant's host gets its own session."""

    def __init__(self, platform: str, port: int, username: str, password: str) -> None:
        self._port = port
        self.username = username
        self.platform = Host(platform, port)
        self._tenants: dict[str, Host] = {}
        answer = self._log_in(username, password)
        if answer.status_code != 302:
            raise DemoError(f"{username} could not log in: {answer.status_code}")

    def _log_in(self, username: str, password: str) -> httpx.Response:
        """Log-ins are throttled by the minute; so many in a row may have to wait for the next."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_SECONDS_BETWEEN)
            fields = {"login": username, "password": password}
            answer = self.platform.post("/accounts/login/", fields)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
        return answer

    def at(self, slug: str) -> Host:
        """The tenant's host, entered by a one-time code from the platform."""
        if slug not in self._tenants:
            host = Host(f"{slug}.{self.platform.name}", self._port)
            asked = host.get("/sign-in/?next=/")
            granted = self.platform.get(_path(asked, host.name))
            entered = host.get(_path(granted, self.platform.name))
            if entered.status_code != 302:
                raise DemoError(f"{self.username} was not let into {host.name}")
            host.get("/")  # sets the host's own CSRF cookie
            self._tenants[slug] = host
        return self._tenants[slug]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for host in (self.platform, *self._tenants.values()):
            host.close()


def _path(response: httpx.Response, where: str) -> str:
    """Path and query of a redirection, to be followed at the host it names."""
    target = response.headers.get("location")
    if response.status_code != 302 or target is None:
        raise DemoError(f"{where} did not redirect, it answered {response.status_code}")
    parts = urlsplit(target)
    return f"{parts.path}?{parts.query}"
