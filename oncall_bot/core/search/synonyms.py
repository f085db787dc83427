"""Words that operators use for the same thing, for ranked search.

Knows: groups of general words of the trade; a phrase stands for its words together. Refuses to know
any product's alert names: those belong into a runbook's aliases. Serves `search`.
"""

from __future__ import annotations

_GROUPS = """
k8s|kube|kubernetes
node|host|machine|instance
down|unavailable|absent|missing|unreachable|dead
fill|full|space|exhausted|out
slow|latency|duration
error|fail|failure
high|excessive|much
low|few|insufficient
sts|stateful set
ds|daemon set
pvc|persistent volume|volume
pv|persistent volume
fs|filesystem|disk
cpu|processor
mem|memory|oom
net|network
config|configuration
restart|crash|loop
stuck|hanging|blocked
mismatch|differ|inconsistent
deploy|deployment|rollout
repl|replica
conn|connection
cert|certificate|tls|expiry
replication|lag|sync
sched|scheduler
ctrl|controller
mgr|manager
vm|virtual machine
api|apiserver
db|database
throttle|throttled|limit
degraded|unhealthy|warning
leader|election
evict|evicted
clock|time|ntp|skew
"""

SYNONYMS: tuple[tuple[str, ...], ...] = tuple(
    tuple(line.split("|")) for line in _GROUPS.strip().splitlines()
)
