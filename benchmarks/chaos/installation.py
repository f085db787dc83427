"""The installation that is tormented: many small teams, so that one incident never waits for another.

Knows oncall.yaml and who must be paged by which step of which team. Serves the load (which breaks services), the
ledger (which knows whom to expect) and the fakes (which know who is who).

A team's second incident within a minute waits two seconds, and twenty make a storm: both are right and both would blur
what is measured here. So there are many teams, each with its own people, and each has one incident a minute.
"""

from __future__ import annotations

from dataclasses import dataclass

ADMIN = "root"
MAIL_ADDRESS = (
    "mail.address"  # a file beside oncall.yaml, because an address of mail may hold a password
)


@dataclass(frozen=True)
class Installation:
    """`teams` teams; each incident has `steps` steps, `gap` seconds apart, each pages a person of its own.

    Every `slack_each`-th person is in Slack too; everybody has a telephone of their own.
    """

    teams: int = 120
    steps: int = 8
    gap: float = 1.0
    slack_each: int = 4
    first_wait: str = "0s"
    every_road: bool = False  # a webhook and mail beside Slack and push

    def person(self, team: int, step: int) -> int:
        """Whom that step of that team pages."""
        return team * self.steps + step

    def slack_id(self, person: int) -> str | None:
        return f"U{person:08d}" if person % self.slack_each == 0 else None

    def yaml(self, phones: int) -> str:
        """The file; the port is where telephones are served on loopback."""
        rules = "{after: 0m, by: slack}, {after: 0m, by: push}"
        more = ""
        if self.every_road:
            rules += ", {after: 0m, by: hook}, {after: 1s, by: mail}"
            more = (
                f'  hook: {{url: "webhook+http://127.0.0.1:{phones}/hook/{{to}}"}}\n'
                f"  mail: {{url_file: {MAIL_ADDRESS}}}"
            )
        people = "\n".join(self._person(n) for n in range(self.teams * self.steps))
        teams = "\n".join(
            f'  t{n}: {{members: [p{self.person(n, 0)}], managers: [{ADMIN}], channel: "#c{n}"}}'
            for n in range(self.teams)
        )
        services = "\n".join(f"  s{n}: {{team: t{n}, policy: y{n}}}" for n in range(self.teams))
        schedules = "\n".join(
            f'  d{n}: {{team: t{n}, zone: UTC, layers: [{{name: all, start: "2026-01-05T09:00",'
            f" rotation: {{unit: week, every: 1}}, users: [p{self.person(n, 0)}]}}]}}"
            for n in range(self.teams)
        )
        policies = "\n".join(self._policy(n) for n in range(self.teams))
        return f"""version: 1
defaults: {{zone: UTC, channel: "#alerts", fallback: [person:{ADMIN}], last_resort: [{ADMIN}]}}
personal_rules:
  high: [{rules}]
people:
  {ADMIN}: {{name: Root, email: root@example.com, role: admin, contacts: {{push: {ADMIN}}}}}
{people}
channels:
  push: {{url: "ntfy://127.0.0.1:{phones}/{{to}}?priority=max"}}
{more}
teams:
{teams}
services:
{services}
schedules:
{schedules}
policies:
{policies}
routes:
  - {{name: rest, service_from: [service], group_by: [alertname, service], wait: {self.first_wait}}}
"""

    def _person(self, n: int) -> str:
        known = f", slack: {self.slack_id(n)}" if self.slack_id(n) else ""
        mail = f", email: p{n}@example.com" if known or self.every_road else ""
        hook = f", hook: p{n}" if self.every_road else ""
        return f"  p{n}: {{name: Person {n}{mail}{known}, contacts: {{push: p{n}{hook}}}}}"

    def _policy(self, n: int) -> str:
        steps = ", ".join(
            f"{{after: {_seconds(self.gap * step)}, page: [{self._target(n, step)}]}}"
            for step in range(self.steps)
        )
        return f"  y{n}: {{ack_timeout: 30m, repeat: {{times: 3, every: 2m}}, steps: [{steps}]}}"

    def _target(self, team: int, step: int) -> str:
        return f"schedule:d{team}" if step == 0 else f"person:p{self.person(team, step)}"


def mail_address(port: int) -> str:
    return f"mailto://127.0.0.1:{port}?from=bot@example.com&to={{to}}&mode=insecure\n"


def _seconds(value: float) -> str:
    return f"{value:g}s"
