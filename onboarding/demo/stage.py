"""What the arc's steps work with: people's browsers, and reads and writes through GraphQL."""

from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml

from onboarding.demo.client import Browser, DemoError, Host

OPERATOR = "operator"
PASSWORD = "linli-demo-2025"  # development only: the command refuses to run in production


def load(name: str) -> dict[str, Any]:
    return yaml.safe_load(files("onboarding.demo").joinpath("data", name).read_text("utf-8"))


def cases() -> dict[str, Any]:
    """All that the demo's data says, as one: lists in the order of the files. A fact carries the
    source of its file."""
    told: dict[str, Any] = {}
    for name in ("zibo.yaml", "datong.yaml"):
        case = load(name)
        source = case.pop("source")
        for group in (group for groups in case["facts"].values() for group in groups):
            group["source"] = source
        for key, value in case.items():
            if isinstance(value, list):
                told[key] = told.get(key, []) + value
            else:
                told[key] = {**told.get(key, {}), **value}
    return told


@dataclass
class Stage:
    """``changes`` counts the writes that succeeded: a second run of the arc makes none."""

    platform: str
    port: int
    data: dict[str, Any] = field(default_factory=cases)
    changes: int = 0
    _browsers: dict[str, Browser] = field(default_factory=dict)

    def host(self, username: str, slug: str | None = None) -> Host:
        """A tenant's host, or the platform's, as one of the demo's people sees it."""
        if username not in self._browsers:
            self._browsers[username] = Browser(self.platform, self.port, username, PASSWORD)
        browser = self._browsers[username]
        return browser.at(slug) if slug else browser.platform

    def read(
        self, query: str, *, by: str, at: str | None = None, **variables: Any
    ) -> dict[str, Any]:
        return self.host(by, at).graphql(query, variables)

    def write(
        self, mutation: str, select: str, *, by: str, at: str | None = None, **values: Any
    ) -> dict[str, Any]:
        """One mutation; its payload. Raises `DemoError` where it is refused."""
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{"
            f" {select} errors {{ code field message }} }} }}"
        )
        given = {name: value for name, value in values.items() if value is not None}
        payload = self.host(by, at).graphql(document, {"input": given})[mutation]
        if payload["errors"]:
            raise DemoError(f"{mutation} by {by} at {at or 'the platform'}: {payload['errors']}")
        self.changes += 1
        return payload

    def again(self) -> "Stage":
        """For another run, by the same people, who are still logged in."""
        return Stage(self.platform, self.port, _browsers=self._browsers)

    def close(self) -> None:
        for browser in self._browsers.values():
            browser.__exit__(None, None, None)
