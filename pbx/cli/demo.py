"""`callpbx demo`: an office of its own on loopback, with real phones."""

from __future__ import annotations

import click


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Let real phones call each other on loopback; exit 0 only if all of it was right."""
    from pbx import demo as shown

    ctx.exit(shown.main())
