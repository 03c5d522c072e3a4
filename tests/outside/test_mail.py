"""Mails against a real mail server: what arrives, how, and what cannot be smuggled into it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from pbx.config import MailSettings
from pbx.errors import Refused
from pbx.outside import mail
from pbx.outside.breaker import Unavailable
from pbx.outside.mail import MailServer
from tests.kit.certificates import Authority
from tests.kit.smtp import Letter, MailHost

SENDER = "草源客服 <pbx@caoyuan.example>"


def settings(
    port: int, user: str | None = None, password: str | None = None, host: str = "127.0.0.1"
) -> MailSettings:
    return MailSettings(f"{host}:{port}", SENDER, user, password)


def deliver(
    host: MailHost,
    to: str = "kefu@caoyuan.example",
    subject: str = "留言",
    body: str = "您好",
    attachment: Path | None = None,
    *,
    user: str | None = None,
    password: str | None = None,
    trusted: ssl.SSLContext | None = None,
    name: str = "127.0.0.1",
) -> list[Letter]:
    async def main() -> None:
        async with host:
            server = MailServer(
                settings(host.port, user, password, name), trusted or ssl.create_default_context()
            )
            await server.deliver(server.write(to, subject, body, attachment))

    asyncio.run(main())
    return host.letters


def tls(tmp_path: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the server's side and the client's."""
    authority = Authority(tmp_path)
    files = authority.issue(*names)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    return server, ssl.create_default_context(cafile=str(authority.ca))


def test_a_mail_arrives() -> None:
    (letter,) = deliver(MailHost())
    assert (letter.sender, letter.to) == ("pbx@caoyuan.example", ("kefu@caoyuan.example",))
    message = letter.message
    assert message["From"] == SENDER
    assert message["To"] == "kefu@caoyuan.example"
    assert message["Subject"] == "留言"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@caoyuan.example>")
    assert message["Date"]
    assert message.get_content().strip() == "您好"


def test_a_message_is_attached(tmp_path: Path) -> None:
    sound = tmp_path / "message.wav"
    sound.write_bytes(b"RIFF" + bytes(range(256)) * 100)
    (letter,) = deliver(MailHost(), attachment=sound)
    (attached,) = letter.message.iter_attachments()
    assert attached.get_content_type() == "audio/wav"
    assert attached.get_filename() == "message.wav"
    assert attached.get_payload(decode=True) == sound.read_bytes()


def test_an_attachment_that_is_gone_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="not there any more"):
        deliver(MailHost(), attachment=tmp_path / "gone.wav")
    monkeypatch.setattr(mail, "MAX_ATTACHMENT", 10)
    (tmp_path / "large.wav").write_bytes(b"x" * 11)
    with pytest.raises(Refused, match=r"large\.wav is larger"):
        deliver(MailHost(), attachment=tmp_path / "large.wav")


@pytest.mark.parametrize(
    "to",
    [
        *("", "nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"),
        *("a@b.example\nBcc: c@d.example", "<a@b.example>", "a@b.example> SIZE=1", "${mail}"),
    ],
)
def test_an_address_is_one_address(to: str) -> None:
    server = MailServer(settings(25), ssl.create_default_context())
    with pytest.raises(Refused, match="is no mail address"):
        server.write(to, "subject", "body")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028", "\x00"])
def test_no_value_becomes_a_header(end: str) -> None:
    evil = f"message{end}Bcc: thief@evil.example{end}{end}another body"
    (letter,) = deliver(MailHost(), subject=evil, body=evil)
    assert letter.to == ("kefu@caoyuan.example",)
    assert "Bcc" not in letter.message
    assert letter.message["Subject"].startswith("message")
    assert "thief@evil.example" in letter.message["Subject"]


def test_a_line_with_a_dot_ends_no_mail() -> None:
    body = "one\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n"
    (letter,) = deliver(MailHost(), body=body)
    assert "MAIL FROM" in letter.message.get_content()


def test_without_a_server_it_is_said_what_to_write() -> None:
    server = MailServer(MailSettings(), ssl.create_default_context())
    with pytest.raises(Refused, match="write server and from in mail: of callpbx"):
        server.write("a@b.example", "", "")


def test_starttls_is_used_where_it_is_offered(tmp_path: Path) -> None:
    offered, trusted = tls(tmp_path, "127.0.0.1")
    host = MailHost(tls=offered, password="geheim")
    (letter,) = deliver(host, user="pbx", password="geheim", trusted=trusted)
    assert letter.encrypted
    assert letter.user == "pbx"


def test_tls_begins_at_once_on_its_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered, trusted = tls(tmp_path, "127.0.0.1")

    async def main() -> None:
        async with MailHost(tls=offered, at_once=True) as host:
            monkeypatch.setattr(mail, "TLS_PORT", host.port)
            server = MailServer(settings(host.port), trusted)
            await server.deliver(server.write("a@b.example", "", ""))
            assert host.letters[0].encrypted
            assert "STARTTLS" not in host.commands

    asyncio.run(main())


def test_a_server_with_a_wrong_certificate_gets_nothing(tmp_path: Path) -> None:
    offered, trusted = tls(tmp_path, "other.example")
    host = MailHost(tls=offered, password="geheim")
    with pytest.raises(Unavailable, match="certificate of the mail server is not trusted"):
        deliver(host, user="pbx", password="geheim", trusted=trusted)
    assert "AUTH" not in host.commands
    assert host.letters == []


def test_a_password_is_not_sent_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of this test is on loopback, which would be good enough: let it seem elsewhere."""
    ordinary = mail.aiosmtplib.SMTP.get_transport_info
    far = ("192.0.2.1", 25)
    monkeypatch.setattr(
        mail.aiosmtplib.SMTP,
        "get_transport_info",
        lambda client, key: far if key == "peername" else ordinary(client, key),
    )
    host = MailHost(password="geheim")
    with pytest.raises(Refused, match="offers no TLS, and a password is not sent in clear"):
        deliver(host, user="pbx", password="geheim")
    assert "AUTH" not in host.commands


def test_a_server_on_this_machine_gets_its_password() -> None:
    (letter,) = deliver(MailHost(password="geheim"), user="pbx", password="geheim")
    assert letter.user == "pbx"


def test_a_wrong_password_is_for_good() -> None:
    with pytest.raises(Refused, match="the mail server says 535 wrong password") as caught:
        deliver(MailHost(password="geheim"), user="pbx", password="falsch")
    assert "falsch" not in str(caught.value)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_a_server_may_want_a_mail_later_or_never(verb: str) -> None:
    with pytest.raises(Unavailable, match="the mail server says 451 later"):
        deliver(MailHost(answers={verb: ["451 later"]}))
    with pytest.raises(Refused, match="the mail server says 550 never"):
        deliver(MailHost(answers={verb: ["550 never"]}))


def test_a_mail_that_was_taken_is_sent_whatever_comes_after() -> None:
    assert len(deliver(MailHost(answers={"QUIT": ["451 no"]}))) == 1


def test_a_server_that_is_not_there_is_unavailable() -> None:
    async def main() -> None:
        async with MailHost() as host:
            port = host.port
        server = MailServer(settings(port), ssl.create_default_context())
        with pytest.raises(Unavailable, match="cannot be reached, or broke off"):
            await server.deliver(server.write("a@b.example", "", ""))

    asyncio.run(main())
