"""callpbx.yaml: the documented defaults, and every mistake with its place and a way out."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest
import yaml

from pbx.config import (
    AllowedHost,
    Home,
    Settings,
    SipListen,
    check_settings,
    load_settings,
    parse_settings,
)
from pbx.config.settings import TollFraudSettings
from pbx.config.values import mail_server
from pbx.errors import ConfigError

DEFAULTS = """\
sip:
  listen: [udp://0.0.0.0:5060, tcp://0.0.0.0:5060]
  realm: callpbx
  external_address: auto
  local_networks: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 127.0.0.0/8, "fc00::/7", "fe80::/10"]
media:
  address: auto
  ports: 10000-19999
  workers: auto
  codecs: [opus, g722, pcma, pcmu]
api:
  listen: http://127.0.0.1:8080
database: sqlite
grace: 5s
connections: {}
http: {allow: []}
mail: {server: null, from: null, user: null, password: null}
secrets: {}
retention: {recordings: 90d, events: 7d, records: 730d, min_free: 1GB}
recording: {format: ulaw}
speech: {engine: auto, voices: {}, url: null, speed: 1.0, recorded: {}}
toll_fraud: {calls: 3, hourly: 20, office_calls: 10, office_hourly: 100}
"""


def settings_of(text: str, mode: int = 0o600, **environ: str) -> Settings:
    settings, problems = parse_settings(text, "callpbx.yaml", environ=environ, mode=mode)
    assert problems == []
    assert settings is not None
    return settings


def problems_of(text: str, mode: int = 0o600) -> list[str]:
    settings, problems = parse_settings(text, "callpbx.yaml", environ={}, mode=mode)
    assert settings is None
    return [str(problem) for problem in problems]


def test_the_defaults_written_out_are_the_defaults() -> None:
    assert settings_of(DEFAULTS) == Settings()


def test_an_absent_or_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(Home(tmp_path)) == Settings()
    (tmp_path / "callpbx.yaml").write_text("# all as it comes\nsip:\nmedia: {}\n")
    assert load_settings(Home(tmp_path)) == Settings()


def test_every_key_can_be_set() -> None:
    settings = settings_of(
        """\
sip:
  listen: ["udp://[::1]", tcp://192.0.2.1:5070]
  realm: 草源
  external_address: 203.0.113.7
  local_networks: 192.0.2.0/24
media: {address: 192.0.2.1, ports: 20000-20099, workers: 2, codecs: [pcma]}
api: {listen: "http://[::1]:0"}
grace: 90s
connections: {shop: "postgresql://reader@db/shop"}
http: {allow: [api.example.com, {host: crm.local, address: 10.0.0.5/32}]}
mail: {server: mail.example.com, from: pbx@example.com, user: pbx, password: env:MAIL}
secrets: {crm: geheim}
retention: {recordings: 30d, events: 12h, records: 365d, min_free: 500MB}
recording: {format: opus}
toll_fraud: {calls: 0, office_hourly: 500}
speech: {engine: http, voices: {en: piper}, url: "http://tts:5000/?v={voice}", speed: 1.2}
""",
        MAIL="s3cret",
    )
    assert settings.sip.listen == (
        SipListen("udp", "::1", 5060),
        SipListen("tcp", "192.0.2.1", 5070),
    )
    assert settings.sip.realm == "草源"
    assert settings.sip.external_address == "203.0.113.7"
    assert settings.sip.local_networks == (ipaddress.ip_network("192.0.2.0/24"),)
    assert settings.media.ports == (20000, 20099)
    assert (settings.media.address, settings.media.workers) == ("192.0.2.1", 2)
    assert settings.media.codecs == ("pcma",)
    assert str(settings.api.listen) == "http://[::1]:0"
    assert settings.grace_s == 90.0
    assert settings.connections == {"shop": "postgresql://reader@db/shop"}
    pinned = AllowedHost("crm.local", ipaddress.ip_network("10.0.0.5/32"))
    assert settings.http.allow == (AllowedHost("api.example.com"), pinned)
    assert (settings.mail.sender, settings.mail.password) == ("pbx@example.com", "s3cret")
    assert settings.secrets == {"crm": "geheim"}
    assert settings.retention.events_s == 43200.0
    assert settings.retention.min_free_bytes == 500_000_000
    assert settings.recording.format == "opus"
    assert settings.toll_fraud == TollFraudSettings(calls=0, office_hourly=500)
    assert (settings.speech.engine, settings.speech.voices) == ("http", {"en": "piper"})
    assert (settings.speech.url, settings.speech.speed) == ("http://tts:5000/?v={voice}", 1.2)


def test_tls_has_a_certificate_whose_files_are_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings.write_text(
        "sip: {listen: 'tls://[::1]', certificate: pki/cert.pem, key: /nowhere/key, ca: ca.pem}\n"
        "media: {srtp_over_plain: yes}\n"
    )
    _, problems = check_settings(home, {})
    assert [str(problem) for problem in problems] == [
        f"callpbx.yaml:1:{column} E005 {key}: there is no file {path}"
        for column, key, path in (
            (43, "certificate", tmp_path / "pki" / "cert.pem"),
            (62, "key", "/nowhere/key"),
            (80, "ca", tmp_path / "ca.pem"),
        )
    ]
    settings, problems = parse_settings(home.settings.read_text(), "callpbx.yaml", environ={})
    assert problems == []
    assert settings is not None
    assert settings.sip.listen == (SipListen("tls", "::1", 5061),)
    assert (settings.sip.certificate, settings.sip.ca) == ("pki/cert.pem", "ca.pem")
    assert settings.media.srtp_over_plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip: {lisen: x}", '1:7 E002 unknown key "lisen" in sip — did you mean "listen"?'),
        ("spi: {}", '1:1 E002 unknown key "spi" in callpbx.yaml — did you mean "sip"?'),
        ("sip: {listen: [tls://0.0.0.0:5061]}", "1:6 E005 tls:// needs sip: certificate and key"),
        ("sip: {listen: [tls://0.0.0.0], key: k}", "1:6 E005 tls:// needs sip: certificate"),
        ("sip: {certificate: c}", "belong together: say sip: key"),
        ("media: {srtp_over_plain: maybe}", "is neither yes nor no"),
        ("sip: {listen: [wss://0.0.0.0]}", "1:16 .* is not in this version yet: wss"),
        ("sip: {listen: [http://0.0.0.0]}", "is no SIP address; write udp://HOST:PORT"),
        ("sip: {listen: udp://box:5060}", "has no numeric IP address"),
        ("sip: {listen: udp://1.2.3.4:99999}", "has no port from 0 to 65535"),
        ("sip: {listen: 5060}", "is no address; write SCHEME://HOST:PORT"),
        ("sip: {listen: []}", "1:15 E005 listen must name at least one"),
        ("sip: {realm: 'a\"b'}", "has a quote"),
        ("sip: {external_address: home}", "has no numeric IP address"),
        ("sip: {local_networks: [10.0.0.1/8]}", "did you mean 10.0.0.0/8?"),
        ("sip: {local_networks: [lan]}", "is no network; write ADDRESS/BITS"),
        ("media: {ports: 20000}", "is no range of ports; write FIRST-LAST"),
        ("media: {ports: 20-30}", "is no range of ports from 1024 to 65535"),
        ("media: {workers: 0}", "is neither auto nor a number"),
        (
            "media: {codecs: [g729]}",
            'is none of opus, g722, pcma, pcmu, l16 — did you mean "g722"?',
        ),
        ("media: [opus]", "1:8 E005 media must hold lines of KEY: VALUE"),
        ("api: {listen: https://127.0.0.1:1}", "is not in this version yet: https"),
        ("api: {listen: http://127.0.0.1}", "is no address for the API; write http://HOST:PORT"),
        ("database: postgresql://db/x", "is not in this version yet; write sqlite"),
        ("grace: 5", '1:8 E005 grace: "5" is no duration'),
        ("grace: {a: b}", "1:8 E005 grace must be a text"),
        ("connections: {shop: mysql://x/y}", "is no connection; write sqlite:///PATH"),
        ("http: {allow: [127.0.0.1]}", "is private; write {host: NAME, address"),
        ("http: {allow: [localhost]}", "is private"),
        ("http: {allow: [a b]}", "is no host name"),
        ("http: {allow: [crm.example.]}", "is no host name"),
        ("http: {allow: [0x7f000001]}", "is an unusual spelling of an address"),
        ("http: {allow: [127.1]}", "is an unusual spelling of an address"),
        ("http: {allow: ['2130706433']}", "is an unusual spelling of an address"),
        ("http: {allow: ['::ffff:127.0.0.1']}", "is private"),
        ("http: {allow: [10.0.0.5]}", "is private"),
        ("http: {allow: [{host: a}]}", "allow: write both host and address"),
        ("mail: {server: a b, from: a@b.example}", "is no mail server; write HOST or HOST:PORT"),
        ("mail: {server: 'a:99999', from: a@b.example}", "is no mail server"),
        ("mail: {server: a, from: nobody}", "is no mail address; write name@example.com"),
        ("mail: {server: a, from: 'A <b>'}", "is no mail address"),
        ("mail: {server: a, from: 'A, B <a@b.example>'}", "is no sender; write pbx@example.com"),
        ("mail: {server: a}", "1:7 E005 mail: needs from, too"),
        ("mail: {from: a@b.example}", "1:7 E005 mail: needs server, too"),
        ("secrets: {CRM-Key: x}", 'E005 "CRM-Key" is no name of a secret'),
        ("mail: {password: env:NOPE}", "the environment variable NOPE is not set"),
        ("retention: {min_free: 1XB}", "is no size"),
        ("toll_fraud: {calls: many}", "is no number from 0 to 9999"),
        ("recording: {format: mp3}", "is none of ulaw, pcm, opus"),
        ("speech: {engine: http}", "1:9 E005 engine: http needs speech: url"),
        ("speech: {engine: pipr}", 'did you mean "piper"'),
        ("speech: {voices: {fr: anna}}", 'unknown key "fr" in voices'),
        ("speech: {speed: 3}", "is no number from 0.5 to 2.0"),
        ("speech: {url: tts.local}", "is no URL; write http://HOST/PATH"),
        ("a: [", "1:4 E001 this [ is never closed"),
    ],
)
def test_every_mistake_has_its_place_and_a_way_out(text: str, expected: str) -> None:
    (problem,) = problems_of(text + "\n")
    assert problem.startswith("callpbx.yaml:1:")
    assert re.search(expected.replace("[", r"\[").replace("?", r"\?"), problem), problem


def test_hosts_and_mail_have_one_spelling() -> None:
    settings = settings_of(
        "http: {allow: [CRM.Example, bücher.example, {host: '0:0::1', address: '::1'}]}\n"
        "mail: {server: '[2001:db8::1]:465', from: 草源 <pbx@Caoyuan.example>}\n"
    )
    hosts = [allowed.host for allowed in settings.http.allow]
    assert hosts == ["crm.example", "xn--bcher-kva.example", "::1"]
    assert settings.mail.server == "[2001:db8::1]:465"
    assert mail_server(settings.mail.server) == ("2001:db8::1", 465)
    assert settings.mail.sender == "草源 <pbx@caoyuan.example>"


def test_a_password_of_a_database_is_a_secret_too() -> None:
    text = "connections: {shop: 'postgresql://reader:geheim@db/shop'}\n"
    assert "geheim" not in repr(settings_of(text))
    (problem,) = problems_of(text, mode=0o644)
    assert "shop has a password in it, but others may read this file" in problem
    assert settings_of("connections: {shop: postgresql://reader@db/shop}\n", mode=0o644)


def test_a_secret_in_a_file_that_others_may_read_is_refused() -> None:
    text = "secrets: {crm: geheim}\n"
    assert "others may read this file — run chmod 600" in problems_of(text, mode=0o644)[0]
    assert settings_of("secrets: {crm: env:CRM}\n", mode=0o644, CRM="x").secrets == {"crm": "x"}


def test_the_mode_of_the_real_file_counts(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings.write_text("secrets: {crm: geheim}\n")
    home.settings.chmod(0o640)
    with pytest.raises(ConfigError, match=r"callpbx\.yaml:1:16 E005 crm is a secret"):
        load_settings(home, {})
    home.settings.chmod(0o600)
    assert load_settings(home, {}).secrets == {"crm": "geheim"}


def test_secrets_do_not_show_in_a_repr() -> None:
    settings = settings_of("secrets: {crm: geheim}\nmail: {password: geheim}\n")
    assert "geheim" not in repr(settings)


def test_what_callpbx_writes_is_for_its_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "office")
    home.make_folders()
    home.make_folders()
    assert home.var.stat().st_mode & 0o777 == 0o700
    assert home.recordings.is_dir()
    assert home.database.parent == home.lock.parent == home.socket.parent == home.var


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "dialplan.md").read_text()
    for name, value in yaml.safe_load(DEFAULTS).items():
        assert f"\n| `{name}" in page
        if name in ("sip", "media", "api", "speech"):
            assert all(f"\n| `{name}: {key}` |" in page for key in value)
        elif isinstance(value, dict):
            (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}")]
            assert all(key in line for key in value)
