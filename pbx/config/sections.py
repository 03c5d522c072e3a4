"""The sections of callpbx.yaml, one table each: key → field and how its node is read.

A new key is one row here and one field in settings.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pbx.config import values
from pbx.config.settings import (
    ApiSettings,
    DialplanSettings,
    FiguresSettings,
    HttpSettings,
    MailSettings,
    MediaSettings,
    RecordingSettings,
    RetentionSettings,
    Settings,
    SipSettings,
    SpeechSettings,
    TollFraudSettings,
)
from pbx.config.values import AllowedHost
from pbx.marks import MapNode, Node, Reader, TextNode
from pbx.marks.problem import WRONG_TYPE
from pbx.marks.reader import duration, one_of, size, yes_no


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What values may depend on besides the file: environment variables, the file's mode, and the
    folder that paths start from (None: nobody looks there)."""

    environ: Mapping[str, str]
    mode: int
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What reads a node: the reader that collects problems, and the surroundings."""

    reader: Reader
    surroundings: Surroundings


Read = Callable[[Context, Node, str], Any]
"""Return the value of a node; None means "keep the default". `str` names it in sentences."""

Keys = Mapping[str, tuple[str, Read]]


def read_settings(context: Context, root: Node | None) -> Settings:
    """Return the settings of a whole file; mistakes are in the reader afterwards."""
    return Settings(**_fields(context, root, "callpbx.yaml", SECTIONS))


def _fields(context: Context, node: Node | None, what: str, keys: Keys) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (_, value_node) in context.reader.mapping(node, what, keys).items():
        name, read = keys[key]
        value = read(context, value_node, key)
        if value is not None:
            found[name] = value
    return found


def section(kind: Callable[..., object], keys: Keys) -> Read:
    """Return what reads a map into `kind(**fields)`."""

    def read(context: Context, node: Node, what: str) -> object:
        return kind(**_fields(context, node, what, keys))

    return read


def one(convert: Callable[[str], object]) -> Read:
    """Return what reads a single value."""

    def read(context: Context, node: Node, what: str) -> object:
        return context.reader.value(node, what, convert, None)

    return read


def many(convert: Callable[[str], object]) -> Read:
    """Return what reads a list of values into a tuple; an empty list is a mistake."""

    def read(context: Context, node: Node, what: str) -> tuple[object, ...] | None:
        nodes = context.reader.items(node, what)
        if not nodes:
            context.reader.problem(node, WRONG_TYPE, f"{what} must name at least one")
            return None
        found = [context.reader.value(item, what, convert, None) for item in nodes]
        return tuple(dict.fromkeys(value for value in found if value is not None))

    return read


def named(read_value: Read) -> Read:
    """Return what reads a map from names that the user chose."""

    def read(context: Context, node: Node, what: str) -> dict[str, object]:
        entries = context.reader.mapping(node, what)
        found = {name: read_value(context, value, name) for name, (_, value) in entries.items()}
        return {name: value for name, value in found.items() if value is not None}

    return read


def file_of_office(context: Context, node: Node, what: str) -> str | None:
    """Return the path of a file that must be there, relative to the office's folder."""
    text = context.reader.text(node, what)
    folder = context.surroundings.folder
    if text is not None and folder is not None and not (folder / text).is_file():
        context.reader.problem(node, WRONG_TYPE, f"{what}: there is no file {folder / text}")
    return text


def sip_settings(context: Context, node: Node, what: str) -> SipSettings:
    """Return section `sip`: an address of TLS needs a certificate and its key."""
    settings = SipSettings(**_fields(context, node, what, _SIP))
    listens_on_tls = any(listen.transport == "tls" for listen in settings.listen)
    missing = [name for name in ("certificate", "key") if getattr(settings, name) is None]
    if missing and (listens_on_tls or len(missing) == 1):
        why = "tls:// needs" if listens_on_tls else "a certificate and its key belong together: say"
        sentence = f"{why} sip: {' and '.join(missing)}"
        fix = "write certificate: cert.pem and key: key.pem, files in PEM form"
        context.reader.problem(node, WRONG_TYPE, sentence, fix)
    return settings


def speech_settings(context: Context, node: Node, what: str) -> SpeechSettings:
    """Return section `speech`: the engine `http` needs a URL."""
    settings = SpeechSettings(**_fields(context, node, what, _SPEECH))
    if settings.engine == "http" and settings.url is None:
        fix = "write url: http://HOST/PATH?voice={voice}"
        context.reader.problem(node, WRONG_TYPE, "engine: http needs speech: url", fix)
    return settings


def mail_settings(context: Context, node: Node, what: str) -> MailSettings:
    """Return section `mail`: a server needs somebody whom its mails are from."""
    before = len(context.reader.problems)
    settings = MailSettings(**_fields(context, node, what, _MAIL))
    if (settings.server is None) != (settings.sender is None):
        missing = "from" if settings.sender is None else "server"
        if len(context.reader.problems) == before:
            sentence = f"mail: needs {missing}, too"
            fix = "write server: mail.example.com and from: pbx@example.com"
            context.reader.problem(node, WRONG_TYPE, sentence, fix)
    return settings


def secret(context: Context, node: Node, what: str) -> str | None:
    """Return a secret: `env:VARIABLE`, or a literal where only the owner may read the file."""
    text = context.reader.text(node, what)
    if text is None:
        return None
    scheme, _, variable = text.partition("env:")
    if not scheme and variable:
        if variable in context.surroundings.environ:
            return context.surroundings.environ[variable]
        sentence = f"the environment variable {variable} is not set"
        context.reader.problem(node, WRONG_TYPE, sentence)
    elif context.surroundings.mode & 0o077:
        sentence = f"{what} is a secret, but others may read this file"
        context.reader.problem(node, WRONG_TYPE, sentence, "run chmod 600 on it, or use env:NAME")
    return text


def connection(context: Context, node: Node, what: str) -> str | None:
    """Return the URL of a database; one with a password in it is a secret."""
    url: str | None = context.reader.value(node, what, values.connection, None)
    if url is not None and values.has_password(url) and context.surroundings.mode & 0o077:
        sentence = f"{what} has a password in it, but others may read this file"
        context.reader.problem(node, WRONG_TYPE, sentence, "run chmod 600 on it")
    return url


def secrets(context: Context, node: Node, what: str) -> dict[str, object]:
    """Return the secrets by names that a dialplan can write: ${secret.NAME}."""
    for name, (key, _) in context.reader.mapping(node, what).items():
        if not values.SECRET_NAME.fullmatch(name):
            sentence = f'"{name}" is no name of a secret'
            fix = "write small letters, digits and _, as in ${secret.crm_key}"
            context.reader.problem(key, WRONG_TYPE, sentence, fix)
    found: dict[str, object] = named(secret)(context, node, what)
    return found


def allowed_hosts(context: Context, node: Node, what: str) -> tuple[AllowedHost, ...]:
    """Return `http.allow`: names, and {host, address} for what is private."""
    reader = context.reader
    allowed: list[AllowedHost] = []
    for item in reader.items(node, what):
        if isinstance(item, MapNode):
            before = len(reader.problems)
            fields = _fields(context, item, what, _PINNED_HOST)
            if len(fields) == len(_PINNED_HOST):
                allowed.append(AllowedHost(**fields))
            elif len(reader.problems) == before:
                reader.problem(item, WRONG_TYPE, f"{what}: write both host and address")
        elif isinstance(item, TextNode):
            host = reader.value(item, what, values.public_host, None)
            if host is not None:
                allowed.append(AllowedHost(host))
    return tuple(allowed)


_PINNED_HOST: Keys = {
    "host": ("host", one(values.host_name)),
    "address": ("address", one(values.network)),
}
_SIP: Keys = {
    "listen": ("listen", many(values.sip_listen)),
    "realm": ("realm", one(values.realm)),
    "external_address": ("external_address", one(values.auto_or_address)),
    "local_networks": ("local_networks", many(values.network)),
    "certificate": ("certificate", file_of_office),
    "key": ("key", file_of_office),
    "ca": ("ca", file_of_office),
}
_MEDIA: Keys = {
    "address": ("address", one(values.auto_or_address)),
    "ports": ("ports", one(values.ports)),
    "workers": ("workers", one(values.workers)),
    "codecs": ("codecs", many(one_of(*values.CODECS))),
    "tones": ("tones", one(one_of(*values.TONE_COUNTRIES))),
    "srtp_over_plain": ("srtp_over_plain", one(yes_no)),
}
_MAIL: Keys = {
    "server": ("server", one(values.mail_server_text)),
    "from": ("sender", one(values.mail_sender)),
    "user": ("user", one(str)),
    "password": ("password", secret),
}
_RETENTION: Keys = {
    "recordings": ("recordings_s", one(duration)),
    "events": ("events_s", one(duration)),
    "records": ("records_s", one(duration)),
    "min_free": ("min_free_bytes", one(size)),
}
_TOLL_FRAUD: Keys = {
    name: (name, one(values.call_limit))
    for name in ("calls", "hourly", "office_calls", "office_hourly")
}

_FIGURES: Keys = {
    "short_abandon": ("short_abandon_s", one(duration)),
    "satisfied": ("satisfied", many(str)),
}
_LANGUAGES: Keys = {language: (language, one(str)) for language in ("zh", "yue", "en")}
_SPEECH: Keys = {
    "engine": ("engine", one(one_of("auto", *values.SPEECH_ENGINES))),
    "voices": ("voices", section(dict, _LANGUAGES)),
    "url": ("url", one(values.http_url)),
    "speed": ("speed", one(values.speed)),
    "recorded": ("recorded", section(dict, _LANGUAGES)),
}

SECTIONS: Keys = {
    "sip": ("sip", sip_settings),
    "media": ("media", section(MediaSettings, _MEDIA)),
    "api": ("api", section(ApiSettings, {"listen": ("listen", one(values.http_listen))})),
    "database": ("database", one(values.database)),
    "grace": ("grace_s", one(duration)),
    "connections": ("connections", named(connection)),
    "http": ("http", section(HttpSettings, {"allow": ("allow", allowed_hosts)})),
    "mail": ("mail", mail_settings),
    "secrets": ("secrets", secrets),
    "retention": ("retention", section(RetentionSettings, _RETENTION)),
    "recording": (
        "recording",
        section(RecordingSettings, {"format": ("format", one(one_of("ulaw", "pcm", "opus")))}),
    ),
    "speech": ("speech", speech_settings),
    "figures": ("figures", section(FiguresSettings, _FIGURES)),
    "dialplan": ("dialplan", section(DialplanSettings, {"watch": ("watch", one(yes_no))})),
    "toll_fraud": ("toll_fraud", section(TollFraudSettings, _TOLL_FRAUD)),
}
