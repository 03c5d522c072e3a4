"""The command line: `callpbx [--home DIR] COMMAND …`.

A command parses its words, makes one request of the API and prints a table or JSON; it decides
nothing. `COMMANDS` names each one's function without importing it, so that `callpbx` starts quickly
whatever others need. Exit status: 0 done, 1 refused with one sentence on stderr, 2 wrong usage.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from pbx import __version__
from pbx.config import Home, did_you_mean
from pbx.errors import ConfigError, NoResource, Refused, StorageError

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("pbx.cli.init:init", "Make an office in a folder."),
    "serve": ("pbx.cli.serve:serve", "Run the office in the foreground."),
    "demo": ("pbx.cli.demo:demo", "Let real phones call each other on loopback."),
    "extension": ("pbx.cli.extension:extension", "Phones: add, list, show, set, remove."),
    "agent": ("pbx.cli.agent:agent", "Agents of queues: add, list, log in and out, pause."),
    "trunk": ("pbx.cli.trunk:trunk", "Lines to carriers: add, list, remove."),
    "token": ("pbx.cli.token:token", "API tokens: add, list, remove."),
    "conference": ("pbx.cli.conference:conference", "Conference rooms: PINs, list, mute, kick."),
    "status": ("pbx.cli.status:status", "Show how the office is."),
    "registrations": ("pbx.cli.status:registrations", "List the phones that are registered."),
    "unban": ("pbx.cli.status:unban", "Let a banned address in again."),
    "calls": ("pbx.cli.calls:calls", "List the calls that are going on."),
    "call": ("pbx.cli.calls:call", "Ring one phone and connect it to a number."),
    "hangup": ("pbx.cli.calls:hangup", "End a call."),
    "listen": ("pbx.cli.calls:listen", "Let a supervisor hear a call."),
    "whisper": ("pbx.cli.calls:whisper", "Let a supervisor speak to the agent alone."),
    "barge": ("pbx.cli.calls:barge", "Let a supervisor speak to all in a call."),
    "transfer": ("pbx.cli.calls:transfer", "Hand a call on to a number or a place."),
    "release": ("pbx.cli.calls:release", "End a call by force, or take it over."),
    "queues": ("pbx.cli.queues:queues", "Queues: who waits, who serves; close, raise, move."),
    "callback": ("pbx.cli.callback:callback", "Call-backs: list, cancel, try now."),
    "trace": ("pbx.cli.trace:trace", "Draw what happened in a call, both sides of it."),
    "why": ("pbx.cli.why:why", "Tell why a call, or an agent's share of calls, went so."),
    "cdr": ("pbx.cli.cdr:cdr", "Records of calls: list, show, note, export."),
    "report": ("pbx.cli.report:report", "Figures of queues and agents, with their formulas."),
    "recording": ("pbx.cli.recording:recording", "Recordings: list, play, export, pause."),
    "reload": ("pbx.cli.reload:reload", "Put the dialplan as it is now in force."),
    "hours": ("pbx.cli.hours:hours", "Show when it is open, as a calendar."),
    "voicemail": ("pbx.cli.voicemail:voicemail", "Voicemail: list, play, delete, set PINs."),
    "check": ("pbx.cli.check:check", "Check dialplan.yaml and callpbx.yaml."),
    "simulate": ("pbx.cli.simulate:simulate", "Rehearse a call, step by step, without making it."),
    "prompts": ("pbx.cli.prompts:prompts", "What callers hear, per language: list, render."),
    "doctor": ("pbx.cli.doctor:doctor", "Check the machine that callpbx runs on."),
}
"""Command → where its function is, and its line in the help."""


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), function)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words name; explain one that does not exist."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = did_you_mean(args[0], COMMANDS)
            ctx.fail(f'There is no command "{args[0]}"' + (f" — {near}" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    envvar="CALLPBX_HOME",
    default=Path(),
    help="The office's folder; else CALLPBX_HOME, else the current folder.",
)
@click.version_option(__version__, prog_name="callpbx")
@click.pass_context
def cli(ctx: click.Context, home: Path) -> None:
    """A telephone exchange in a folder."""
    ctx.obj = Home(home.resolve())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its status."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    _print_what_can_be_printed()
    try:
        status = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="callpbx",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (ConfigError, NoResource, Refused, StorageError) as error:
        click.echo(str(error), err=True)
        return 1
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return _seen_enough()
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # click's way of saying the same
            return _seen_enough()
        raise
    except OSError as error:
        if error.filename is None:
            raise
        click.echo(f"{error.filename} cannot be used: {error.strerror}", err=True)
        return 1
    return status if isinstance(status, int) else 0


def _seen_enough() -> int:
    """Write nothing more, not even at exit: whoever read our output has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _print_what_can_be_printed() -> None:
    """Let a terminal without Unicode show `?` rather than end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
