"""What fires is given to its groups, and groups to incidents: the one place where an incident is decided to begin.

Knows the brake (a team's second group in a minute waits two seconds) and the storm it is there to see. Refuses to judge
alerts and to page. Serves receive_alerts, the end of holds and the reconciler. Each group and incident is looked up
once a transaction, and told once, whatever number of alerts moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oncall_bot.core.config import Severity, Urgency
from oncall_bot.core.incidents import BRAKE, STORM_GROUPS, STORM_WITHIN, Status
from oncall_bot.core.routes import Routed
from oncall_bot.flows import open_incident as opening
from oncall_bot.flows import showing, telling, withheld
from oncall_bot.store import alerts, incidents, timers
from oncall_bot.store.db import Tx
from oncall_bot.store.statements import Row


@dataclass(frozen=True, slots=True)
class Opened:
    """An occurrence that fires from now on and is not held back."""

    occurrence_id: int
    source_id: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(slots=True)
class _Touched:
    """What one incident saw in this transaction."""

    firing: int = 0
    ever: int = 0
    names: list[str] = field(default_factory=list)
    severities: dict[str, Severity] = field(default_factory=dict)
    ended: int = 0


def place(tx: Tx, opened: Sequence[Opened], ended: Sequence[int]) -> None:
    """Give what fires to its groups, take what ended from them, and let their incidents know."""
    placing = _Placing(tx)
    placing.open(opened)
    placing.join_and_end(ended)
    placing.tell_incidents()


def place_again(
    tx: Tx,
    occurrence_id: int,
    source_id: int,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> None:
    """One occurrence that fires after all: a hold ended, a doubt was cleared, the source lists it."""
    place(tx, [Opened(occurrence_id, source_id, labels, annotations)], [])


@dataclass(slots=True)
class _Group:
    id: int
    incident_id: int | None
    opens: tuple[Routed, Opened] | None = None  # its incident begins in this transaction


class _Placing:
    """Groups and incidents touched by one transaction, each looked up once."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self.groups: dict[tuple[int, str, str], _Group] = {}
        self.by_id: dict[int, _Group] = {}
        self.members: list[tuple[int, int, Routed, Opened]] = []
        self.deltas: dict[int, int] = defaultdict(int)
        self.touched: dict[int, _Touched] = defaultdict(_Touched)
        self.recent: dict[str, list[Any]] = {}
        self.told: set[int] = set()  # incidents whose first line already names what fires

    # --- groups -------------------------------------------------------------------------------------------------

    def open(self, opened: Sequence[Opened]) -> None:
        router = self.tx.snapshot.router
        routes = [
            (one, way)
            for one in opened
            for way in router.routed(one.labels)
            if way.route.heartbeat is None  # there its silence is the alarm, not its firing
        ]
        self._find_open(routes)
        for one, way in routes:
            group = self._group(one, way)
            self.members.append((group.id, one.occurrence_id, way, one))

    def _find_open(self, routes: Sequence[tuple[Opened, Routed]]) -> None:
        """The groups that are open by now, with one query a route."""
        wanted: dict[tuple[int, str], set[str]] = defaultdict(set)
        for one, way in routes:
            wanted[one.source_id, way.route.key].add(way.group_key)
        for (source_id, route_key), keys in sorted(wanted.items()):
            for key, row in alerts.open_groups(self.tx, source_id, route_key, sorted(keys)).items():
                self._keep((source_id, route_key, key), _Group(row.id, row.incident_id))

    def _keep(self, key: tuple[int, str, str], group: _Group) -> _Group:
        self.groups[key] = self.by_id[group.id] = group
        return group

    def _group(self, one: Opened, way: Routed) -> _Group:
        key = (one.source_id, way.route.key, way.group_key)
        return self.groups.get(key) or self._keep(key, self._reopen_or_make(one, way))

    def _reopen_or_make(self, one: Opened, way: Routed) -> _Group:
        tx = self.tx
        since = tx.now - way.route.reopen_within
        last = alerts.last_group(tx, one.source_id, way.route.key, way.group_key, since=since)
        if last is not None:
            alerts.reopen_group(tx, last.id)
            return _Group(last.id, last.incident_id)
        return self._new_group(one, way)

    def _new_group(self, one: Opened, way: Routed) -> _Group:
        tx = self.tx
        loud = way.severity.urgency is not Urgency.NONE
        group_id = int(tx.new_ids("alert_group", 1)[0])
        alerts.insert_groups(
            tx,
            [
                {
                    "id": group_id,
                    "source_id": one.source_id,
                    "route_key": way.route.key,
                    "group_key": way.group_key,
                    "team": way.team or "",
                    "loud": loud,
                    "incident_id": None,
                    "opened_at": tx.now,
                }
            ],
        )
        group = _Group(group_id, None)
        recent = self._recent(way.team or "") if loud else []
        if not loud or not recent:
            group.opens = (way, one)
        elif len(recent) >= STORM_GROUPS:
            self._open_incidents()
            group.incident_id = self._storm(way.team or "", recent, group_id)
        if group.incident_id is None and group.opens is None:
            key = f"group:{group_id}"
            timers.add(tx, "open_group", key, tx.now + BRAKE, f"open_group:{group_id}")
        if loud:
            recent.append(group)
        return group

    def _recent(self, team: str) -> list[Any]:
        """The team's groups of the last minute, newest last; ours of this transaction are among them."""
        if team not in self.recent:
            since = self.tx.now - STORM_WITHIN
            rows = alerts.recent_loud_groups(self.tx, team, since=since, limit=STORM_GROUPS + 1)
            # the row just inserted for the group in hand is not one of the others
            self.recent[team] = [_Group(row.id, row.incident_id) for row in reversed(rows[1:])]
        return self.recent[team]

    def _storm(self, team: str, recent: Sequence[Any], group_id: int) -> int | None:
        """The storm this group joins: the team's open one, or one made of the recent incidents."""
        tx = self.tx
        open_storm = incidents.open_storm(tx, team)
        storm_id = int(open_storm.id) if open_storm else opening.become_storm(tx, team, recent)
        if storm_id is None:
            return None
        waiting = [group.id for group in recent if group.incident_id is None]
        self._give(waiting, storm_id, recent)
        alerts.give_groups(tx, [*waiting, group_id], storm_id)
        joined = {group.incident_id for group in recent if group.incident_id is not None}
        for group in (*recent, *self.groups.values()):
            if group.id in waiting or group.incident_id in joined:
                group.incident_id = storm_id
        return storm_id

    def _give(self, waiting: Sequence[int], storm_id: int, recent: Sequence[Any]) -> None:
        """What braked groups had counted before this transaction counts for the storm."""
        for group_id in waiting:
            row = alerts.group(self.tx, group_id)
            if row is not None and row.firing:
                incidents.count(self.tx, storm_id, firing=row.firing, ever=row.firing)

    def _open_incidents(self) -> None:
        """Begin the incidents of this transaction, each knowing all that fires in its group by now."""
        for group in self.groups.values():
            if group.opens is None:
                continue
            way, one = group.opens
            names = [m.labels.get("alertname", "") for g, _, _, m in self.members if g == group.id]
            group.opens = None
            group.incident_id = opening.open_incident(
                self.tx,
                way,
                [group.id],
                one.labels,
                one.annotations,
                fires=names or [one.labels.get("alertname", "")],
            )
            self.told.add(group.incident_id)

    # --- counters -----------------------------------------------------------------------------------------------

    def join_and_end(self, ended: Sequence[int]) -> None:
        tx = self.tx
        self._open_incidents()
        alerts.join(
            tx, [(group_id, occurrence_id) for group_id, occurrence_id, _, _ in self.members]
        )
        for group_id, _, way, one in self.members:
            self.deltas[group_id] += 1
            incident_id = self.by_id[group_id].incident_id
            if incident_id is not None:
                self._fires(self.touched[incident_id], way, one)
        for row in alerts.groups_of(tx, ended):
            self.deltas[row.group_id] -= 1
            group = self.by_id.get(row.group_id)
            incident_id = group.incident_id if group else row.incident_id
            if incident_id is not None:
                touched = self.touched[incident_id]
                touched.firing -= 1
                touched.ended += 1
        alerts.count_groups(tx, self.deltas)

    def _fires(self, touched: _Touched, way: Routed, one: Opened) -> None:
        touched.firing += 1
        touched.ever += 1
        touched.names.append(one.labels.get("alertname", ""))
        touched.severities[way.severity.incident] = way.severity

    # --- incidents ----------------------------------------------------------------------------------------------

    def tell_incidents(self) -> None:
        """Counters, timelines and messages of all of them with one statement each; the rest where it is due."""
        tx = self.tx
        rows = incidents.lock_all(tx, sorted(self.touched))
        incidents.grow(tx, [self._growth(row) for row in rows])
        for row in rows:
            touched = self.touched[row.id]
            if touched.names:
                if row.status == Status.RESOLVED:
                    opening.reopen(tx, row.id)
                opening.rise(tx, row, list(touched.severities.values()))
            if touched.ended and row.firing + touched.firing <= 0:
                opening.alerts_over(tx, row.id)
            elif row.held:
                withheld.recount(tx, row.id)
        showing.changed_all(tx, rows)

    def _growth(self, row: Row) -> incidents.Growth:
        touched = self.touched[row.id]
        told = telling.tell(
            self.tx,
            row,
            [] if row.id in self.told else touched.names,
            touched.ended,
            at_once=row.status == Status.RESOLVED or row.firing + touched.firing <= 0,
        )
        return incidents.Growth(
            row, touched.firing, touched.ever, told.entries, told.untold, told.told_at
        )
