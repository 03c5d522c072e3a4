"""Kamailio as the carrier: it registers phones, challenges, and stays in the way (Record-Route).

Every request of the office that begins something is challenged, and so is what it sends within a
call, as far as that can be (RFC 3261 §22.1: no ACK, no CANCEL). A number that begins with 0 or is
called by an outside phone goes to where the office's account is registered; other numbers to the
phone that registered them. `requests` are those that came by, and who sent each.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.kit.programs import find

PORT = 15080
SERVER = f"127.0.0.1:{PORT}"
ACCOUNT = "8602888886666"
PASSWORD = "geheim"
OFFICE_PORT = 5060
"""Where the office sends from, in the network of a test."""

STARTS_WITHIN = 10.0

CONFIG = """\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:{server}
listen=tcp:{server}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "xlog.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 120)
modparam("rr", "enable_full_lr", 1)
request_route {{
    xlog("L_WARN", "{came_by}$rm $ci $sp $rU $tt $au\n");
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS") && uri == myself) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_auth_check("carrier", "{password}", "0", "0")) {{
            auth_challenge("carrier", "0"); exit;
        }}
        save("location");
        exit;
    }}
    if (has_totag()) {{
        if ($sp == {office} && !is_method("ACK")) {{
            if (!pv_auth_check("carrier", "{password}", "0", "0")) {{
                auth_challenge("carrier", "0"); exit;
            }}
            remove_hf("Proxy-Authorization");
        }}
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
        if (!is_method("ACK")) sl_send_reply("481", "No Dialog");
        exit;
    }}
    t_check_trans();
    if (is_method("INVITE") && $sp == {office}) {{
        if (!pv_auth_check("carrier", "{password}", "0", "0")) {{
            auth_challenge("carrier", "0"); exit;
        }}
        remove_hf("Proxy-Authorization");
    }}
    record_route();
    if ($rU =~ "^(0|\\+|86)") $rU = "{account}";
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
}}
"""

CAME_BY = "came by: "
NOTHING = "<null>"


@dataclass(frozen=True, slots=True)
class CameBy:
    """A request that Kamailio had in its hands; `user` is who was called in its Request-URI."""

    method: str
    call_id: str
    port: int
    """Whose port it came from."""
    user: str
    in_dialog: bool
    proved: bool
    """Whether it answered a challenge."""

    @classmethod
    def read(cls, line: str) -> CameBy:
        """Read what the configuration makes Kamailio say of a request."""
        method, call_id, port, user, tag, account = line.split()
        return cls(method, call_id, int(port), user, tag != NOTHING, account != NOTHING)

    @property
    def of_office(self) -> bool:
        """Tell whether the office sent it."""
        return self.port == OFFICE_PORT


class Kamailio:
    """One carrier on `SERVER`, from `with` to its end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "kamailio.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        folder = self._folder
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "kamailio.cfg"
        config.write_text(
            CONFIG.format(
                server=SERVER,
                account=ACCOUNT,
                password=PASSWORD,
                office=OFFICE_PORT,
                came_by=CAME_BY,
            )
        )
        program = find("kamailio")
        assert program is not None
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(program, "-DD", "-E", "-f", str(config), "-Y", str(folder)),
                    *("-w", str(folder), "-P", str(folder / "kamailio.pid")),
                    *("-m", "32", "-M", "4"),  # MB that all share, and that each has
                ],
                stdout=log,
                stderr=log,
            )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def log(self) -> str:
        """Return what it said."""
        return self._log.read_text(errors="replace")

    def requests(self) -> list[CameBy]:
        """Return every request that came by so far, retransmissions too, in order."""
        said = self.log
        lines = said[: said.rfind("\n") + 1].splitlines()
        return [CameBy.read(line.partition(CAME_BY)[2]) for line in lines if CAME_BY in line]

    def _wait(self) -> None:
        """Wait until it listens; AssertionError says why it does not."""
        deadline = time.monotonic() + STARTS_WITHIN
        wanted = f":{PORT:04X} "
        while not any(wanted in line for line in Path("/proc/net/tcp").read_text().splitlines()):
            assert self._process is not None
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
