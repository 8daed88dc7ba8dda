"""The proxies that a host's programs are told to use."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import filled, match, sections, understood

_CUT = "sed -e 's#^\\([A-Za-z_ ]*=\\).*@#\\1***@#' -e 's#\"[^\"]*@#\"***@#g'"  # all before the last "@"
_PLACES = ("session", "environment", "apt", "dnf", "docker")


@dataclass(frozen=True, slots=True)
class Proxy:
    """One setting: where it stands, its name in lower case ("https_proxy", "no_proxy"), and its value."""

    place: str
    name: str
    value: str


def _section(name: str, command: str) -> str:
    return f"echo '@@ {name}'; {{ {command}; }} | {_CUT}"


@dataclass(frozen=True)
class ProxyFact:
    """Every Proxy of our session, /etc/environment, apt, dnf and Docker's service, as far as our user may read them.

    Passwords are cut out on the host, so that no record holds them.

    Sample: "@@ session\\nhttps_proxy=***@10.0.0.1:3128\\n@@ environment\\n@@ apt\\n
    Acquire::http::Proxy \\"http://10.0.0.1:3128\\";\\n@@ dnf\\n@@ docker\\n@@ end"
    """

    command: str = "; ".join(
        (
            _section("session", "env | grep -iE '^(http|https|ftp|all|no)_proxy=.'"),
            _section("environment", "grep -iE '^(export )?(http|https|ftp|all|no)_proxy=.' /etc/environment"),
            _section(
                "apt", "if command -v apt-config >/dev/null; then apt-config dump | grep -iE '::proxy[^;]* \".'; fi"
            ),
            _section("dnf", "if [ -e /etc/dnf/dnf.conf ]; then grep -E '^ *proxy *= *.' /etc/dnf/dnf.conf; fi"),
            _section(
                "docker",
                "grep -rhoiE '(http|https|no)_proxy=[^\"[:space:]]+' /etc/systemd/system/docker.service.d 2>/dev/null",
            ),
            "echo '@@ end'",
        )
    )

    @understood
    def parse(self, stdout: str) -> tuple[Proxy, ...]:
        """One a line, whatever the place's way to write it."""
        *places, _ = sections(stdout, *_PLACES, "end")
        return tuple(
            _proxy(place, line) for place, lines in zip(_PLACES, places, strict=True) for line in lines if line.strip()
        )


def _proxy(place: str, line: str) -> Proxy:
    if place == "apt":
        found = match(r"Acquire::(\S+) \"(.+)\";", line.strip())
        return Proxy(place, found[1].lower(), found[2])
    name, equals, value = line.removeprefix("export ").partition("=")
    if not equals or (place != "dnf" and not name.strip().lower().endswith("_proxy")):
        raise ValueError("not a proxy")
    return Proxy(place, name.strip().lower(), filled(value.strip().strip("\"'")))
