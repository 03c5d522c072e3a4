"""A mail address is one plain name@host."""

from __future__ import annotations

import pytest

from pbx.marks.mail import mail_address


@pytest.mark.parametrize("text", ["kefu@caoyuan.example", "a.b+c@10.example", "o'neil@Example.COM"])
def test_plain_addresses_are_taken(text: str) -> None:
    assert mail_address(text).lower() == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "kefu",
            "@b.example",
            "a@",
            "a@b@c.example",
            "a,b@c.example",
            "a@b.example,c@d.example",
        ),
        *("a@b.example\r\nBcc: c@d.example", "a b@c.example", '"a b"@c.example', "A <a@b.example>"),
        *(
            "a..b@c.example",
            ".a@b.example",
            "a@b.example ",
            f"{'a' * 250}@b.example",
            "客服@b.example",
        ),
    ],
)
def test_what_could_become_a_header_or_a_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no mail address"):
        mail_address(text)
