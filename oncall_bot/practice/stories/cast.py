"""The people of the practice and their oncall.yaml: a small shop with a checkout that somebody is always on call for.

Knows four invented people, one team, one policy. Refuses to know what happens to them. Serves the stories.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.practice.plot import Setting
from oncall_bot.practice.slack import Person

ZONE = "Europe/Berlin"
CY_NUMBER = "+4915550100003"
PEOPLE = (
    Person(
        "U0PRACTANA", "ana", "Ana Ruiz", "ana@practice.example", "Shop, on call", "Europe/Madrid"
    ),
    Person("U0PRACTBO", "bo", "Bo Lindt", "bo@practice.example", "Shop", ZONE),
    Person("U0PRACTCY", "cy", "Cy Okafor", "cy@practice.example", "Shop", ZONE),
    Person(
        "U0PRACTDEE",
        "dee",
        "Dee Marsh",
        "dee@practice.example",
        "Engineering manager",
        "America/New_York",
    ),
)
EVERYBODY = tuple(person.name for person in PEOPLE)
CHANNELS = (("incidents", EVERYBODY), ("shop", EVERYBODY), ("general", EVERYBODY))

CONFIG = """\
# The practice's oncall.yaml: a whole configuration, small enough to read.
version: 1
defaults: {zone: Europe/Berlin, channel: "#incidents", fallback: [person:dee], last_resort: [dee]}
people:
  ana: {name: Ana Ruiz, email: ana@practice.example, zone: Europe/Madrid, contacts: {push: ana-phone}}
  bo: {name: Bo Lindt, email: bo@practice.example, contacts: {push: bo-phone}}
  cy: {name: Cy Okafor, email: cy@practice.example, contacts: {push: cy-phone}}
  dee: {name: Dee Marsh, email: dee@practice.example, zone: America/New_York, role: admin,
        contacts: {push: dee-phone}}
channels:
  push: {url: "ntfy://@PHONE@/{to}"}
teams:
  shop: {members: [ana, bo, cy], managers: [dee], channel: "#incidents", fallback: [person:dee]}
services:
  checkout: {team: shop, policy: shop-primary, label_values: [checkout]}
  search: {team: shop, policy: shop-primary, label_values: [search]}
schedules:
  shop-primary:
    team: shop
    zone: Europe/Berlin
    layers:
      - {name: @UNIT@, start: "@START@", rotation: {unit: @UNIT@, every: 1}, users: [@USERS@]}
policies:
  shop-primary:
    ack_timeout: 30m
    repeat: {times: 2, every: 10m}
    steps:
      - {after: 0m, page: [schedule:shop-primary]}
      - {after: 5m, page: [person:bo], when: {urgency: high}}
      - {after: 10m, page: [team:shop], when: {urgency: high}}
severities:
  critical: {incident: SEV2, urgency: high, postmortem: draft}
  warning: {incident: SEV4, urgency: low, postmortem: on_request}
  default: critical
routes:
  - {name: rest, service_from: [service], group_by: [alertname, service, instance], wait: 0s,
     reopen_within: 15m, policy: shop-primary}
"""


def weekly(at: datetime) -> str:
    """The configuration with Ana on call for the whole week around this instant."""
    here = at.astimezone(ZoneInfo(ZONE))
    monday = (here - timedelta(days=here.weekday())).date()
    if (here.weekday(), here.hour) < (0, 9):
        monday -= timedelta(days=7)
    return rota("week", f"{monday.isoformat()}T09:00", "ana, bo, cy")


def rota(unit: str, start: str, users: str) -> str:
    return CONFIG.replace("@UNIT@", unit).replace("@START@", start).replace("@USERS@", users)


SETTING = Setting(
    people=PEOPLE,
    channels=CHANNELS,
    config=weekly,
    labels={"service": "checkout", "severity": "critical"},
    topics={f"{person.name}-phone": person.name for person in PEOPLE} | {CY_NUMBER: "cy"},
)
