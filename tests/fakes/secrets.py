"""Invented secrets of many kinds in the places where people and programs leave them, and look-alikes that are none.

Everything is made by a seeded generator, nothing was ever valid anywhere, and nothing here is spelled out whole.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"
BASE32 = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Secret:
    """`text` is what somebody pastes, `core` the part that must be gone."""

    kind: str
    text: str
    core: str


class Maker:
    """Draws from one seeded source, so that every run sees the same."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def of(self, alphabet: str, length: int) -> str:
        """A run of these characters with at least two digits and both cases where the alphabet has them."""
        while True:
            made = "".join(self.r.choice(alphabet) for _ in range(length))
            digits = sum(c.isdigit() for c in made)
            if (digits >= 2 or not set(string.digits) & set(alphabet)) and made[0] not in "-_+/":
                return made

    def word(self) -> str:
        """A password as people make them."""
        words = (
            "Winter",
            "Sommer",
            "Dragon",
            "blaue",
            "Kaffee",
            "monkey",
            "Letmein",
            "Hund",
            "Zebra",
        )
        return f"{self.r.choice(words)}{self.r.choice('!#_-+.')}{self.r.randint(10, 9999)}{self.r.choice(ALNUM)}"

    def bare(self, kind: str, prefix: str, alphabet: str, length: int, *, keep: int = 0) -> Secret:
        text = prefix + self.of(alphabet, length)
        return Secret(kind, text, text[keep:] if keep else text)


def _luhn(digits: str) -> str:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def card(m: Maker) -> Secret:
    start, length = m.r.choice([("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16)])
    number = _luhn(
        start + "".join(m.r.choice(string.digits) for _ in range(length - len(start) - 1))
    )
    shown = (
        " ".join(number[i : i + 4] for i in range(0, length, 4)) if m.r.random() < 0.5 else number
    )
    return Secret("card", shown, shown)


def iban(m: Maker) -> Secret:
    country, length = m.r.choice([("DE", 18), ("FR", 23), ("ES", 20), ("NL", 14), ("GB", 18)])
    letters = m.of(string.ascii_uppercase, 4) if country in ("NL", "GB") else ""
    bank = letters + "".join(m.r.choice(string.digits) for _ in range(length - len(letters)))
    check = 98 - int("".join(str(int(c, 36)) for c in f"{bank}{country}00")) % 97
    whole = f"{country}{check:02d}{bank}"
    shown = (
        " ".join(whole[i : i + 4] for i in range(0, len(whole), 4)) if m.r.random() < 0.5 else whole
    )
    return Secret("iban", shown, shown[4:])


def jwt(m: Maker) -> Secret:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    text = ".".join(
        (
            part({"alg": "RS256", "kid": m.of(HEX, 8)}),
            part({"sub": m.of(ALNUM, 9), "exp": 1999999999}),
            m.of(URLSAFE, 43),
        )
    )  # fmt: skip
    return Secret("jwt", text, text.split(".")[2])


def pem(m: Maker) -> Secret:
    kind = m.r.choice(("RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "))
    body = [m.of(BASE64, 64) for _ in range(4)]
    begin, end = f"-----BEGIN {kind}PRIV" + "ATE KEY-----", f"-----END {kind}PRIV" + "ATE KEY-----"
    return Secret("pem", "\n".join((begin, *body, end)), body[2])


def url_login(m: Maker) -> Secret:
    scheme = m.r.choice(("postgres", "amqp", "mongodb+srv", "https", "mysql", "rediss"))
    password = m.word().replace("#", "x").replace("/", "x")
    user = "" if scheme == "rediss" else m.r.choice(("app", "repl", "root"))
    return Secret(
        "url login",
        f"{scheme}://{user}:{password}@db-{m.r.randint(1, 9)}.example.com:6432/main",
        password,
    )


def connection_string(m: Maker) -> Secret:
    password = m.word()
    name = m.r.choice(("Password", "Pwd", "PWD"))
    return Secret(
        "connection string",
        f"Server=tcp:sql-{m.r.randint(1, 9)},1433;Database=main;User ID=app;{name}={password};Encrypt=True;",
        password,
    )


def azure_storage(m: Maker) -> Secret:
    key = m.of(BASE64, 86) + "=="
    return Secret(
        "azure storage",
        f"DefaultEndpointsProtocol=https;AccountName=prodlogs;AccountKey={key};EndpointSuffix=core.windows.net",
        key,
    )


def basic_header(m: Maker) -> Secret:
    encoded = base64.b64encode(f"deploy:{m.word()}".encode()).decode()
    return Secret("basic header", f"Authorization: Basic {encoded}", encoded)


def bearer_header(m: Maker) -> Secret:
    token = m.of(ALNUM, 32)
    return Secret("bearer header", f"authorization: Bearer {token}", token)


def token_header(m: Maker) -> Secret:
    name = m.r.choice(("X-Vault-Token", "PRIVATE-TOKEN", "X-Auth-Token", "X-Api-Key", "DD-API-KEY"))
    token = m.of(HEX, 32)
    return Secret("token header", f"{name}: {token}", token)


def cookie(m: Maker) -> Secret:
    value = m.of(ALNUM, 26)
    return Secret("cookie", f"Cookie: theme=dark; lang=de; session_id={value}; seen=1", value)


def query(m: Maker) -> Secret:
    value, name = (
        m.of(URLSAFE, 28),
        m.r.choice(("access_token", "sig", "api_key", "X-Amz-Signature", "password", "auth")),
    )
    return Secret("query", f"https://files.example.com/export?user=7&{name}={value}&fmt=csv", value)


def said_password(m: Maker) -> Secret:
    password = m.word()
    form = m.r.choice(
        (
            "password is {}", "the password for grafana is {}", "pw: {}", "passwd={}",
            "das Passwort lautet {}", "Kennwort: {}",
            "contraseña: {}", "le mot de passe est {}", "passphrase -> {}", "login with admin / {}",
        )
    )  # fmt: skip
    return Secret("said password", form.format(password), password)


def environment(m: Maker) -> Secret:
    value = m.of(ALNUM, m.r.choice((12, 20, 32)))
    name = m.r.choice(
        ("DB_PASSWORD", "DD_API_KEY", "DJANGO_SECRET_KEY", "VAULT_TOKEN", "SMTP_PASS", "ADMIN_PW")
    )
    return Secret("environment", f"{name}={value}", value)


def docker_auth(m: Maker) -> Secret:
    auth = base64.b64encode(f"ci:{m.of(ALNUM, 18)}".encode()).decode()
    return Secret("docker auth", json.dumps({"auths": {"reg.example.com": {"auth": auth}}}), auth)


def otp_address(m: Maker) -> Secret:
    secret = m.of(BASE32, 32)
    return Secret("otp", f"otpauth://totp/ops:ana?secret={secret}&issuer=ops", secret)


def hashed(m: Maker) -> Secret:
    form = m.r.choice(("$2y$10$", "$6$rounds=5000$", "$argon2id$v=19$m=65536$"))
    text = f"{form}{m.of(BASE64.replace('+', '.'), 42)}"
    return Secret("password hash", text, text[len(form) :])


def high_entropy(m: Maker) -> Secret:
    text = m.of(BASE64, m.r.choice((32, 40, 48)))
    return Secret("high entropy", text, text)


def kube_join(m: Maker) -> Secret:
    token = f"{m.of(string.ascii_lowercase + string.digits, 6)}.{m.of(string.ascii_lowercase + string.digits, 16)}"
    return Secret("kube join", f"kubeadm join 10.0.0.1:6443 --token {token}", token)


def slack_hook(m: Maker) -> Secret:
    upper = string.ascii_uppercase + string.digits
    path = f"T{m.of(upper, 8)}/B{m.of(upper, 8)}/{m.of(ALNUM, 24)}"
    return Secret("slack hook", f"https://hooks.slack.com/services/{path}", path.rsplit("/", 1)[1])


def teams_hook(m: Maker) -> Secret:
    tail = f"{uuid.UUID(int=m.r.getrandbits(128))}/IncomingWebhook/{m.of(HEX, 32)}"
    return Secret(
        "teams hook", f"https://example.webhook.office.com/webhookb2/{tail}", tail.rsplit("/", 1)[1]
    )


def discord_token(m: Maker) -> Secret:
    text = f"M{m.of(ALNUM, 23)}.{m.of(URLSAFE, 6)}.{m.of(URLSAFE, 27)}"
    return Secret("discord", text, text.rsplit(".", 1)[1])


def aws_secret(m: Maker) -> Secret:
    key = m.of(BASE64, 40)
    return Secret("aws secret", f"aws_secret_access_key = {key}", key)


def azure_client(m: Maker) -> Secret:
    text = f"{m.of(ALNUM, 3)}8Q~{m.of(ALNUM + '._-', 33)}x"
    return Secret("azure client", text, text)


# Tokens that their prefix gives away: kind, prefix (in halves), alphabet, length of the rest.
PREFIXED: tuple[tuple[str, str, str, int], ...] = (
    ("aws key", "AKIA", string.ascii_uppercase + string.digits, 16),
    ("aws temporary", "ASIA", string.ascii_uppercase + string.digits, 16),
    ("gcp key", "AIza", URLSAFE, 35),
    ("google client", "GOCSPX-", URLSAFE, 28),
    ("google refresh", "1//0", URLSAFE, 60),
    ("github", "ghp_", ALNUM, 36),
    ("github app", "ghs_", ALNUM, 36),
    ("github fine", "github_pat_", ALNUM + "_", 60),
    ("gitlab", "glpat-", URLSAFE, 20),
    ("gitlab pipeline", "glptt-", HEX, 40),
    ("slack bot", "xoxb-", string.digits + "-" + ALNUM, 50),
    ("slack user", "xoxp-", string.digits + "-" + ALNUM, 60),
    ("slack app", "xapp-1-", ALNUM + "-", 60),
    ("stripe", "sk_live_", ALNUM, 24),
    ("stripe restricted", "rk_live_", ALNUM, 24),
    ("twilio", "SK", HEX, 32),
    ("npm", "npm_", ALNUM, 36),
    ("pypi", "pypi-", URLSAFE, 80),
    ("rubygems", "rubygems_", HEX, 48),
    ("crates", "cio", ALNUM, 32),
    ("vault", "hvs.", URLSAFE, 90),
    ("grafana", "glsa_", ALNUM + "_", 41),
    ("grafana cloud", "glc_", ALNUM, 60),
    ("openai", "sk-proj-", URLSAFE, 48),
    ("anthropic", "sk-ant-api03-", URLSAFE, 60),
    ("hugging face", "hf_", ALNUM, 34),
    ("databricks", "dapi", HEX, 32),
    ("digitalocean", "dop_v1_", HEX, 64),
    ("docker hub", "dckr_pat_", URLSAFE, 27),
    ("linear", "lin_api_", ALNUM, 40),
    ("notion", "ntn_", ALNUM, 46),
    ("figma", "figd_", URLSAFE, 40),
    ("shopify", "shpat_", HEX, 32),
    ("new relic", "NRAK-", string.ascii_uppercase + string.digits, 27),
    ("atlassian", "ATATT3", URLSAFE, 120),
    ("terraform", "", ALNUM, 14),
    ("pulumi", "pul-", HEX, 40),
    ("planetscale", "pscale_tkn_", ALNUM, 43),
    ("supabase", "sbp_", HEX, 40),
    ("doppler", "dp.st.", ALNUM, 43),
    ("circleci", "CCIPAT_", ALNUM, 40),
    ("buildkite", "bkua_", HEX, 40),
    ("sentry", "sntrys_", BASE64, 60),
    ("postman", "PMAK-", HEX, 59),
    ("tailscale", "tskey-auth-", ALNUM, 30),
    ("age", "AGE-SECRET-KEY-1", string.ascii_uppercase + string.digits, 58),
    ("mailgun", "key-", HEX, 32),
)


def sendgrid(m: Maker) -> Secret:
    text = f"SG.{m.of(URLSAFE, 22)}.{m.of(URLSAFE, 43)}"
    return Secret("sendgrid", text, text.rsplit(".", 1)[1])


MADE: tuple[Callable[[Maker], Secret], ...] = (
    card, iban, jwt, pem, url_login, connection_string, azure_storage, azure_client, basic_header,
    bearer_header, token_header, cookie, query, said_password, environment, docker_auth, otp_address, hashed,
    high_entropy, kube_join, slack_hook, teams_hook, discord_token, aws_secret, sendgrid,
)  # fmt: skip


def secrets(seed: int = 7, *, each: int = 4) -> Iterator[Secret]:
    """So many of each kind."""
    m = Maker(seed)
    for _ in range(each):
        for kind, prefix, alphabet, length in PREFIXED:
            if kind == "terraform":
                text = f"{m.of(alphabet, length)}.atlasv1.{m.of(URLSAFE, 64)}"
                yield Secret(kind, text, text.rsplit(".", 1)[1])
            else:
                yield m.bare(kind, prefix, alphabet, length)
        for make in MADE:
            yield make(m)


ZERO_WIDTH = "\u200b"
SURROUNDINGS: Mapping[str, Callable[[str], str]] = {
    "alone": lambda s: s,
    "chat": lambda s: f"hey, try {s} and tell me",
    "chat end": lambda s: f"it works again with {s}",
    "chat stop": lambda s: f"I used {s}. Rotate it later, please.",
    "quoted": lambda s: f'he pasted "{s}" into the ticket',
    "code": lambda s: f"use `{s}` for now",
    "fence": lambda s: f"```\n{s}\n```",
    "brackets": lambda s: f"the one we had ({s}) is gone",
    "json": lambda s: json.dumps({"service": "checkout", "value": s, "retries": 3}),
    "json pretty": lambda s: json.dumps({"config": {"value": s}}, indent=2),
    "yaml": lambda s: f"spec:\n  replicas: 3\n  value: {s}\n  image: app:1.2.3",
    "yaml quoted": lambda s: f"- name: value\n  value: '{s}'",
    "log": lambda s: (
        f"2032-04-12T03:12:44Z ERROR worker-3 refused {s} status=401 trace=4bf92f3577b34da6"
    ),
    "logfmt": lambda s: f"level=error msg=refused value={s} attempt=3",
    "markdown list": lambda s: f"- step 1\n- {s}\n- step 3",
    "markdown table": lambda s: f"| name | value |\n|---|---|\n| x | {s} |",
    "bold": lambda s: f"the new one is **{s}**!",
    "quote": lambda s: f"> {s}\nthanks",
    "shell": lambda s: f"$ export VALUE='{s}' && ./run.sh",
    "html": lambda s: f"<td>{s}</td>",
    "xml attribute": lambda s: f'<add key="x" value="{s}" />',
    "diff": lambda s: f"-old\n+{s}\n context",
    "long line": lambda s: "x " * 300 + s + " y" * 300,
    "twice": lambda s: f"{s} and again {s}",
    "comma": lambda s: f"tried a, {s}, and c",
    "after colon": lambda s: f"value: {s}",
    "umlauts": lambda s: f"Bitte für Jürgen: {s}, schöne Grüße",
}


def zero_width(text: str) -> str:
    """Invisible characters inside, as copying from some tools leaves them."""
    return ZERO_WIDTH.join(text[i : i + 7] for i in range(0, len(text), 7))


def wrapped(text: str) -> str:
    """Broken over two lines in the middle of the token, as terminals copy it."""
    cut = len(text) * 2 // 3
    return f"{text[:cut]}\n{text[cut:]}"


def harmless(seed: int = 11, *, each: int = 12) -> Iterator[tuple[str, str]]:
    """Look-alikes by kind, in sentences: nothing in them is a secret."""
    m = Maker(seed)
    low = string.ascii_lowercase + string.digits
    for n in range(each):
        account = m.r.randint(10**11, 10**12 - 1)
        yield "commit", f"rolled back to {m.of(HEX, 40)}"
        yield "short commit", f"since {m.of(HEX, 9)} it is slow"
        yield "digest", f"image app@sha256:{m.of(HEX, 64)} is pulled"
        yield "uuid", f"request {uuid.UUID(int=m.r.getrandbits(128))} failed"
        yield "pod", f"checkout-api-{m.of(HEX, 10)}-{m.of(low, 5)} restarted {n} times"
        yield "metric", f'rate(http_requests_total{{job="api",code="50{n % 10}"}}[5m]) > 0.0{n}'
        yield "alert name", f"KubePersistentVolumeFillingUp{m.r.randint(1, 99)}Percent fired"
        yield (
            "class",
            f"at com.example.shop.CheckoutServiceImpl$Worker.run(CheckoutServiceImpl.java:{n})",
        )
        yield "path", f"/var/lib/docker/overlay2/{m.of(HEX, 64)}/merged is full"
        yield (
            "ip",
            f"10.{n}.{m.r.randint(0, 255)}.7:5432 and fe80::{m.of(HEX, 4)}:{m.of(HEX, 4)} refuse",
        )
        yield (
            "version",
            f"checkout {n}.{m.r.randint(0, 40)}.{n}-rc{n}+build.{m.r.randint(100, 999)} is out",
        )
        yield (
            "time",
            f"between 2032-04-12T03:{10 + n}:44.123Z and 03:59 the queue grew by {n},{m.r.randint(100, 999)}",
        )
        yield (
            "base64 word",
            f"the header says {base64.b64encode(m.r.choice((b'checkout', b'hello world', b'ok'))).decode()}",
        )
        yield "talk", m.r.choice(
            ("the token expired at 06:00", "password reset mails are late", "the secret was rotated",
             "who has the key to the rack?",
             "the api key is missing in staging", "the login page is slow", "credentials are in the vault, not here",
             "the password policy asks for 14 characters", "cookie banner is broken", "basic checks pass")
        )  # fmt: skip
        yield (
            "url",
            f"https://grafana.example.com/d/{m.of(low, 9)}/checkout-overview?orgId=1&from=now-{n}h&var-pod=api-{n}",
        )
        yield "trace", f"trace_id={m.of(HEX, 32)} span_id={m.of(HEX, 16)}"
        yield (
            "order",
            f"order {m.r.randint(10**11, 10**12 - 1)} is stuck, customer {m.r.randint(10**6, 10**7)}",
        )
        yield (
            "arn",
            f"arn:aws:elasticloadbalancing:eu-west-1:{account}:loadbalancer/app/web/{m.of(HEX, 16)}",
        )
        yield (
            "volume",
            f"vol-{m.of(HEX, 17)} attached to i-{m.of(HEX, 17)} in subnet-{m.of(HEX, 8)}",
        )
        yield "constant", f"MAX_WAL_SENDERS=32 and CONNECTION_POOL_SIZE={n}0 are set"
        yield (
            "wal",
            f"pg_wal/0000000{n % 10}000000{m.of('0123456789ABCDEF', 2)}000000{m.of('0123456789ABCDEF', 2)}",
        )
        yield (
            "topic",
            f"topic shop.checkout.orders-v{n}.retry-{n % 9} partition {n} offset {account}",
        )
        yield (
            "crd",
            f"certificaterequests.cert-manager.io/v1alpha{n % 3 + 1} mesh-intermediate-ca-202{n % 10} is not ready",
        )
        yield "hostname", f"ip-10-0-{n}-{m.r.randint(1, 254)}.eu-central-1.compute.internal is away"
        yield "etag", f'etag "{m.of(HEX, 32)}" differs'
        yield "phone", f"+49 30 901820{n} is on the door"
