"""What callpbx.yaml can say, as frozen values with their defaults.

The documented defaults are these and no others: `callpbx init` writes its commented sample from the
same values and a test holds the two together. Times are seconds, sizes bytes; None stands for
`auto`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pbx.config.values import AllowedHost, HttpListen, Network, SipListen, network

DAY = 86400.0  # seconds
API_LISTEN = HttpListen("127.0.0.1", 8080)
SIP_LISTEN = (SipListen("udp", "0.0.0.0", 5060), SipListen("tcp", "0.0.0.0", 5060))
LOCAL_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
)


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Section `sip`. `external_address` None means auto.

    `certificate`, `key` and `ca` are PEM files, relative to the office's folder; `ca` None means
    the authorities that the system knows.
    """

    listen: tuple[SipListen, ...] = SIP_LISTEN
    realm: str = "callpbx"
    external_address: str | None = None
    local_networks: tuple[Network, ...] = tuple(map(network, LOCAL_NETWORKS))
    certificate: str | None = None
    key: str | None = None
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Section `media`.

    `address` and `workers` None mean auto; `ports` are the first and the last. `srtp_over_plain`
    lets keys of SRTP pass where somebody on the way may read them.
    """

    address: str | None = None
    ports: tuple[int, int] = (10000, 19999)
    workers: int | None = None
    codecs: tuple[str, ...] = ("opus", "g722", "pcma", "pcmu")
    tones: str = "cn"
    srtp_over_plain: bool = False


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Section `api`."""

    listen: HttpListen = API_LISTEN


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Section `http`: the hosts that lookups may reach."""

    allow: tuple[AllowedHost, ...] = ()


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Section `mail`: the server that sends voicemail; all None where there is none."""

    server: str | None = None
    sender: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """Section `retention`: seconds, and the bytes of disk that must stay free."""

    recordings_s: float = 90 * DAY
    events_s: float = 7 * DAY
    records_s: float = 730 * DAY
    min_free_bytes: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Section `recording`."""

    format: Literal["ulaw", "pcm", "opus"] = "ulaw"


@dataclass(frozen=True, slots=True)
class DialplanSettings:
    """Section `dialplan`: `watch` reloads it whenever one of its files is saved."""

    watch: bool = False


@dataclass(frozen=True, slots=True)
class TollFraudSettings:
    """Section `toll_fraud`: how many calls may go abroad, at once and within an hour, of one
    extension and of the office."""

    calls: int = 3
    hourly: int = 20
    office_calls: int = 10
    office_hourly: int = 100


@dataclass(frozen=True, slots=True)
class FiguresSettings:
    """Section `figures`: who leaves a queue within `short_abandon_s` had no fair chance to be
    answered; `satisfied` are the meanings of a satisfied answer to a survey, empty: the usual
    words."""

    short_abandon_s: float = 5.0
    satisfied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """Section `speech`: who reads texts aloud.

    `voices` and `recorded` are by language: a voice, ENGINE or ENGINE/VOICE, and a folder of
    recorded words, relative to the office's. `url` is that of the engine `http`. `speed` is a
    factor, 0.5-2.0.
    """

    engine: str = "auto"
    voices: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    speed: float = 1.0
    recorded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything in callpbx.yaml."""

    sip: SipSettings = SipSettings()
    media: MediaSettings = MediaSettings()
    api: ApiSettings = ApiSettings()
    database: str = "sqlite"
    grace_s: float = 5.0
    connections: Mapping[str, str] = field(default_factory=dict, repr=False)
    http: HttpSettings = HttpSettings()
    mail: MailSettings = MailSettings()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    retention: RetentionSettings = RetentionSettings()
    recording: RecordingSettings = RecordingSettings()
    speech: SpeechSettings = SpeechSettings()
    dialplan: DialplanSettings = DialplanSettings()
    figures: FiguresSettings = FiguresSettings()
    toll_fraud: TollFraudSettings = TollFraudSettings()
