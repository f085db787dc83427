"""Hostile alerts of our own, beside those of `data/hostile`: each is what a stranger can write into an alert.

`ALERTS` are labels and annotations by name; `BODIES` are whole bodies as bytes, NAME in the place of the alert's name;
`FORGED` are requests at other doors. Invented; nothing here points anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ALERTS: Mapping[str, Mapping[str, Any]] = {
    # markup and mentions
    "Mention": {"annotations": {"summary": "<!subteam^S0123|@oncall> <!everyone> <@U0ALICE>"}},
    "EscapedTwice": {"annotations": {"summary": "&amp;lt;!channel&amp;gt; &#60;!here&#62;"}},
    "FencesAndTicks": {"annotations": {"summary": "``` <!here> ``` `<!channel>` *_~b~_*"}},
    "DateToken": {"annotations": {"summary": "<!date^0^{date}^https://evil.example|now>"}},
    "EmojiShortcode": {"annotations": {"summary": ":white_check_mark: resolved :lock:"}},
    "BlockJson": {"annotations": {"summary": '{"type":"section","text":"<!here>"}'}},
    # links
    "ScriptLink": {"annotations": {"runbook_url": "javascript:alert(1)"}},
    "LookAlike": {"annotations": {"runbook_url": "https://runbooks.example.com@evil.example/x"}},
    "Punycode": {"annotations": {"runbook_url": "https://runb\u043eoks.example.com/"}},
    "LinkBreaks": {"annotations": {"runbook_url": "https://a.example/|x>\n<!here>"}},
    "FileLink": {"annotations": {"dashboard": "file:///etc/passwd", "graph": "data:text/html,x"}},
    "Metadata": {"annotations": {"runbook_url": "http://[::ffff:169.254.169.254]/latest"}},
    # characters
    "Bidi": {"annotations": {"summary": "\u202egnihton\u202c is wrong \u2066\u2069"}},
    "ZeroWidth": {"annotations": {"summary": "<\u200b!channel> p\u00adass\u2060word"}},
    "Control": {"annotations": {"summary": "\x1b[2J\x07\x08bell \x9b31m"}},
    "LineEnds": {"annotations": {"summary": "one\u2028two\u2029three\x85four\vfive"}},
    "Tags": {"annotations": {"summary": "\U000e0041\U000e0042 tagged \ufff9\ufffb"}},
    "Combining": {"annotations": {"summary": "Z" + "\u0301" * 3000}},
    # templates, formats, languages
    "Jinja": {"annotations": {"summary": "{{ config }} {% for x in y %} ${7*7} #{7*7} <%= 7 %>"}},
    "Format": {"annotations": {"summary": "%s %n %(key)s {0.__class__} {key!r} ${jndi:ldap://x}"}},
    "Sql": {"annotations": {"summary": "'; DROP TABLE incident; -- \" OR 1=1 % _ \\"}},
    "Like": {"pod": "%_%[a-z]\\"},
    "PromQl": {"pod": '"} or vector(1) or up{a="', "job": "a\\b\n"},
    "Regex": {"pod": "(a+)+$" + "a" * 2000},
    "Yaml": {"annotations": {"summary": "!!python/object/apply:os.system ['x']\n- &a [*a]"}},
    "Csv": {"annotations": {"summary": '=cmd|"/c calc"!A1', "description": "@SUM(1+1)\t+1"}},
    "Ics": {"annotations": {"summary": "x\r\nEND:VEVENT\r\nBEGIN:VALARM\r\nATTACH:http://x"}},
    "Html": {"annotations": {"summary": SCRIPT, "description": "--><svg/onload=alert(1)>"}},
    "Attribute": {"pod": '" onmouseover="alert(1)" x=\''},
    # headers
    "Headers": {"annotations": {"summary": "x\r\nX-Priority: 1\r\nTo: all@example.com\r\n\r\nhi"}},
    "HeaderInLabel": {"pod": "a\r\nSet-Cookie: a=b", "zone": "b\nPriority: 1"},
    # sizes and shapes
    "LongWord": {"annotations": {"summary": "w" * 60_000}},
    "ManyAnnotations": {"annotations": {f"a{n}": "v" * 50 for n in range(800)}},
    "LongNames": {"annotations": {"k" * 9_000: "v", "": "no name"}},
    # names that are also something else
    "ProtoLabels": {"__proto__": "x", "constructor": "y", "__name__": "up", "person": "alice"},
    "OddLabelNames": {"<!here>": "x", "a b": "c", "é": "ü", "0": "zero", 'q"uote': "q"},
    "ServiceTrick": {"incident": "1", "team": "person:alice", "route": "rest", "policy": "x"},
}
BODIES: Mapping[str, bytes] = {
    "DoubledKeys": b'{"alerts":[],"alerts":[{"status":"resolved","status":"firing","labels":{"alertname":"x",'
    b'"alertname":"NAME","service":"SERVICE","severity":"critical"},"startsAt":"2026-11-22T20:10:22Z"}]}',
    "HugeNumbers": b'{"version":1e999,"truncatedAlerts":99999999999999999999999,"alerts":[{"status":"firing","labels":'
    b'{"alertname":"NAME","service":"SERVICE","severity":"critical","n":-1e999},"startsAt":1e308}]}',
    "LoneSurrogate": b'{"groupKey":"\\ud800","receiver":"\\udfff\\u0000","alerts":[{"status":"firing","labels":'
    b'{"alertname":"NAME","service":"SERVICE","severity":"critical","x":"\\ud83d"},"startsAt":"2026-11-22T20:10:22Z"}]}',
    "BadUtf8": b'{"alerts":[{"status":"firing","labels":{"alertname":"NAME","service":"SERVICE","severity":"critical",'
    b'"x":"\xc3\x28\xed\xa0\x80\xff"},"startsAt":"2026-11-22T20:10:22Z"}]}',
    "ByteOrderMark": b'\xef\xbb\xbf{"alerts":[{"status":"firing","labels":{"alertname":"NAME","service":"SERVICE",'
    b'"severity":"critical"},"startsAt":"2026-11-22T20:10:22Z"}]}',
    "OddDates": b'{"alerts":[{"status":"firing","labels":{"alertname":"NAME","service":"SERVICE",'
    b'"severity":"critical"},"startsAt":"2026-02-30T25:61:61+99:99","endsAt":"9999-12-31T23:59:59-23:59"}]}',
    "DeepBeside": b'{"deep":'
    + b"[" * 5_000
    + b"]" * 5_000
    + b',"alerts":[{"status":"firing","labels":'
    b'{"alertname":"NAME","service":"SERVICE","severity":"critical"},"startsAt":"2026-11-22T20:10:22Z"}]}',
    "NestedLabels": b'{"alerts":[{"status":"firing","labels":{"alertname":"NAME","service":"SERVICE","severity":'
    b'"critical","x":{"y":[1,{"z":null}]}},"annotations":{"summary":{"a":[]}},"startsAt":"2026-11-22T20:10:22Z"}]}',
}
"""Bodies that are not wholly well formed and page all the same."""

KEPT_RAW = frozenset({"DeepBeside"})
"""Of these, what nobody reads: kept as it came, and an incident about it pages."""

FORGED: Mapping[str, Mapping[str, Any]] = {
    # at the webhook
    "twice the token": {"headers": {"Authorization": "Bearer sesame-open, Bearer sesame-open"}},
    "token in another case": {"headers": {"Authorization": "Bearer SESAME-OPEN"}},
    "token with a NUL": {"headers": {"Authorization": "Bearer sesame-open%00"}},
    "basic without a colon": {"headers": {"Authorization": "Basic c2VzYW1lLW9wZW4="}},
    "token as a cookie": {"headers": {"Cookie": "token=sesame-open"}},
    "token in the address": {"path": "/webhook/alertmanager?token=sesame-open"},
    # at the links
    "ack: nothing": {"path": "/ack/"},
    "ack: dots": {"path": "/ack/..%2f..%2fmetrics", "status": {404}},
    "ack: a made-up key": {"path": "/ack/" + "A" * 60, "status": {404}},
    "ack: bytes": {"path": "/ack/%ff%fe%00", "status": {404}},
    "sign-in: a guess": {"path": "/sign-in/" + "A" * 43, "status": {403, 404}},
    "sign-in: another site": {
        "path": "/sign-in/" + "A" * 43,
        "headers": {"Origin": "https://evil.example"},
        "status": {403},
    },
    "ical: a guess": {"path": "/ical/oncal_" + "A" * 43 + ".ics", "status": {404, 405}},
    "a page without a session": {"path": "/incidents/1", "method": "GET", "status": {403}},
    "a session that is none": {
        "path": "/schedules",
        "method": "GET",
        "headers": {"Cookie": "oncall=" + "A" * 43},
        "status": {403},
    },
}
"""By POST and refused with 401, 404 or 405 unless said otherwise."""
