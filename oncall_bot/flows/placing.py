"""What fires is given to its groups, and groups to incidents: the one place where an incident is decided to begin.

Knows the brake (a team's second group in a minute waits two seconds) and the storm it is there to see. Refuses to judge
alerts and to page. Serves receive_alerts, the end of holds and the reconciler. Each group and incident is looked up
once a transaction, and told once, whatever number of alerts moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from oncall_bot.core.config import Severity, Urgency
from oncall_bot.core.incidents import (
    BRAKE,
    OPEN,
    STORM_GROUPS,
    STORM_WITHIN,
    Status,
    is_worse,
)
from oncall_bot.core.routes import Routed
from oncall_bot.flows import open_incident as opening
from oncall_bot.flows import showing, telling, withheld
from oncall_bot.store import groups, incidents, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


class Opened(NamedTuple):
    """An occurrence that fires from now on and is not held back."""

    occurrence_id: int
    source_id: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(slots=True)
class _Touched:
    """What one incident saw in this transaction."""

    moved: telling.Moved = field(default_factory=telling.Moved)
    severities: dict[str, Severity] = field(default_factory=dict)

    @property
    def firing(self) -> int:
        return self.moved.fired - self.moved.ended


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
    counted_to: int | None = None  # members after this one are counted later
    severity: str = ""  # of its incident, while that is open and nothing of it is held back

    def counts_later(self, occurrence_id: int, way: Routed) -> bool:
        """It only adds to the number of what fires in an open incident; `telling` will catch up."""
        return (
            self.counted_to is not None
            and occurrence_id > self.counted_to
            and self.severity != ""
            and not is_worse(way.severity.incident, self.severity)
        )


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
        self.waiting: set[int] = set()  # incidents whose next line is planned

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
            for key, row in groups.open_groups(self.tx, source_id, route_key, sorted(keys)).items():
                severity = row.severity if row.status in OPEN and not row.held else ""
                group = _Group(row.id, row.incident_id, None, row.counted_to, severity)
                self._keep((source_id, route_key, key), group)

    def _keep(self, key: tuple[int, str, str], group: _Group) -> _Group:
        self.groups[key] = self.by_id[group.id] = group
        return group

    def _group(self, one: Opened, way: Routed) -> _Group:
        key = (one.source_id, way.route.key, way.group_key)
        return self.groups.get(key) or self._keep(key, self._reopen_or_make(one, way))

    def _reopen_or_make(self, one: Opened, way: Routed) -> _Group:
        tx = self.tx
        since = tx.now - way.route.reopen_within
        last = groups.last_group(tx, one.source_id, way.route.key, way.group_key, since=since)
        if last is not None:
            groups.reopen_group(tx, last.id)
            return _Group(last.id, last.incident_id)
        return self._new_group(one, way)

    def _new_group(self, one: Opened, way: Routed) -> _Group:
        tx = self.tx
        loud = way.severity.urgency is not Urgency.NONE
        group_id = int(tx.new_ids("alert_group", 1)[0])
        groups.insert_groups(
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
            rows = groups.recent_loud_groups(self.tx, team, since=since, limit=STORM_GROUPS + 1)
            # the row just inserted for the group in hand is not one of the others
            self.recent[team] = [_Group(row.id, row.incident_id) for row in reversed(rows[1:])]
        return self.recent[team]

    def _storm(self, team: str, recent: Sequence[Any], group_id: int) -> int | None:
        """The storm this group joins: the team's open one, or one made of the recent incidents."""
        tx = self.tx
        open_storm = incidents.open_storm(tx, team)
        if open_storm is None:
            self._catch_up(recent)
        storm_id = int(open_storm.id) if open_storm else opening.become_storm(tx, team, recent)
        if storm_id is None:
            return None
        waiting = [group.id for group in recent if group.incident_id is None]
        self._give(waiting, storm_id, recent)
        groups.give_groups(tx, [*waiting, group_id], storm_id)
        joined = {group.incident_id for group in recent if group.incident_id is not None}
        for group in (*recent, *self.groups.values()):
            if group.id in waiting or group.incident_id in joined:
                group.incident_id = storm_id
        return storm_id

    def _catch_up(self, recent: Sequence[Any]) -> None:
        """Before incidents are merged, all that fires in them is counted; from then on at once."""
        ids = {group.incident_id for group in recent if group.incident_id is not None}
        for incident_id in sorted(ids):
            telling.catch_up(self.tx, incident_id)
        for group in self.groups.values():
            if group.incident_id in ids:
                group.counted_to = None

    def _give(self, waiting: Sequence[int], storm_id: int, recent: Sequence[Any]) -> None:
        """What braked groups had counted before this transaction counts for the storm."""
        for group_id in waiting:
            row = groups.group(self.tx, group_id)
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
        groups.join(
            tx, [(group_id, occurrence_id) for group_id, occurrence_id, _, _ in self.members]
        )
        for group_id, occurrence_id, way, one in self.members:
            group = self.by_id[group_id]
            if group.counts_later(occurrence_id, way):
                continue
            self.deltas[group_id] += 1
            if group.incident_id is not None:
                self._fires(self.touched[group.incident_id], way, one)
        self._end(groups.groups_of(tx, ended))
        groups.count_groups(tx, self.deltas)

    def _fires(self, touched: _Touched, way: Routed, one: Opened) -> None:
        touched.moved.fired += 1
        touched.moved.names.append(one.labels.get("alertname", ""))
        touched.severities[way.severity.incident] = way.severity

    def _end(self, rows: Sequence[Row]) -> None:
        """Members that ended; their groups are counted in full first, so that none falls to nothing too early."""
        counted: set[int] = set()
        for row in rows:
            self.deltas[row.group_id] -= 1
            group = self.by_id.get(row.group_id)
            incident_id = group.incident_id if group else row.incident_id
            if incident_id is None:
                continue
            moved = self.touched[incident_id].moved
            moved.ended += 1
            if row.counted_to is not None and row.group_id not in counted:
                counted.add(row.group_id)
                uncounted = groups.take_uncounted(
                    self.tx, row.group_id, row.counted_to, names=telling.NAMES_KEPT
                )
                moved.came(uncounted)
                self.deltas[row.group_id] += uncounted.count

    # --- incidents ----------------------------------------------------------------------------------------------

    def tell_incidents(self) -> None:
        """Counters, timelines and messages of all of them with one statement each; the rest where it is due."""
        tx = self.tx
        rows = incidents.lock_all(tx, sorted(self.touched))
        incidents.grow(tx, [self._growth(row) for row in rows])
        for row in rows:
            touched = self.touched[row.id]
            if touched.severities:
                if row.status == Status.RESOLVED:
                    opening.reopen(tx, row.id)
                opening.rise(tx, row, list(touched.severities.values()))
            if touched.moved.ended and row.firing + touched.firing <= 0:
                opening.alerts_over(tx, row.id)
            elif row.held:
                withheld.recount(tx, row.id)
        showing.changed_all(tx, rows)
        groups.count_later(tx, (id_ for id_ in self.deltas if self._waits(id_)))

    def _growth(self, row: Row) -> incidents.Growth:
        touched = self.touched[row.id]
        moved = touched.moved
        if row.id in self.told:  # its first line names all that began
            moved = telling.Moved(ended=moved.ended)
        over = row.firing + touched.firing <= 0
        told = telling.tell(self.tx, row, moved, at_once=row.status == Status.RESOLVED or over)
        if told.untold is not None:
            self.waiting.add(row.id)
        return incidents.Growth(
            row, touched.firing, touched.moved.fired, told.entries, told.untold, told.told_at
        )

    def _waits(self, group_id: int) -> bool:
        """Its incident has told enough for now: what joins it before the next line is counted with that line."""
        group = self.by_id.get(group_id)
        return group is not None and group.incident_id in self.waiting
