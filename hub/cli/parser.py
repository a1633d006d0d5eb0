"""The command line itself: click, speaking the language of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from hub import __version__
from hub.cli.call import Call, Outcome
from hub.cli.trouble import log_to
from hub.texts import LANGS, sentence

#: A command's work: takes the call and the options by name; ``None`` when it has told everything itself.
Work = Callable[..., Outcome | None]


class _Formatter(click.HelpFormatter):
    """Headings of click's help in the reader's language."""

    lang = "ru"

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """``Usage: …``."""
        super().write_usage(prog, args, prefix or sentence("cli_usage", self.lang) + " ")

    def write_heading(self, heading: str) -> None:
        """A heading over a list."""
        known = {"Options": "cli_options", "Commands": "cli_commands"}
        super().write_heading(sentence(known[heading], self.lang) if heading in known else heading)


class _Context(click.Context):
    def make_formatter(self) -> click.HelpFormatter:
        """A formatter in the language of the call."""
        made = _Formatter(width=self.terminal_width, max_width=self.max_content_width or 100)
        made.lang = self.ensure_object(Call).lang
        return made


class _Command(click.Command):
    context_class = _Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """``--help``, described in the language of the call."""
        return _help(super().get_help_option(ctx), ctx)


class _Group(click.Group):
    context_class = _Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """``--help``, described in the language of the call."""
        return _help(super().get_help_option(ctx), ctx)


def _help(option: click.Option | None, ctx: click.Context) -> click.Option | None:
    if option is not None:
        option.help = sentence("cli_opt_help", ctx.ensure_object(Call).lang)
    return option


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback that keeps a general option in the call; one that is not given changes nothing."""

    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(ctx.ensure_object(Call), name, value)

    return callback


def _general(lang: str) -> list[click.Parameter]:
    """Options that may stand before and after the command's name."""
    return [
        click.Option(
            ["--home"],
            metavar="DIR",
            expose_value=False,
            callback=_remember("named_home"),
            help=sentence("cli_opt_home", lang),
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember("as_json"),
            help=sentence("cli_opt_json", lang),
        ),
        click.Option(
            ["--lang"],
            type=click.Choice(LANGS),
            expose_value=False,
            callback=_remember("lang"),
            help=sentence("cli_opt_lang", lang),
        ),
    ]


def argument(name: str, metavar: str, *, many: bool = False, required: bool = False) -> click.Parameter:
    """A positional argument."""
    shown = f"{metavar}…" if many else metavar
    return click.Argument(
        [name], metavar=shown if required else f"[{shown}]", nargs=-1 if many else 1, required=required
    )


def option(lang: str, flag: str, name: str, **more: Any) -> click.Parameter:
    """An option; its help is the text ``cli_opt_<name>`` of the catalogue."""
    return click.Option([flag, name], help=sentence(f"cli_opt_{name}", lang), **more)


def command(
    lang: str, name: str, work: Work, params: Sequence[click.Parameter] = (), *, hidden: bool = False, of: str = ""
) -> click.Command:
    """A command; its help is ``cli_help_<name>`` (first line in the list of commands, the whole on its own page).

    ``of``: the family that it belongs to; its help is then ``cli_help_<of>_<name>``.
    """

    @click.pass_context
    def run(ctx: click.Context, /, **options: Any) -> Outcome | None:
        call = ctx.ensure_object(Call)
        call.command = " ".join(part for part in (of, "" if of and name == "list" else name) if part)
        log_to(call.home)
        return work(call, **options)

    text = sentence(f"cli_help_{of}_{name}" if of else f"cli_help_{name}", lang)
    return _Command(
        name,
        params=[*params, *_general(lang)],
        callback=run,
        help=text,
        short_help=text.partition(". ")[0].rstrip("."),
        hidden=hidden,
    )


def group(lang: str, commands: Sequence[click.Command]) -> click.Group:
    """``obmen`` with its commands, in the given order."""

    class Ordered(_Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return [item.name for item in commands if item.name]

    made = Ordered("obmen", params=_general(lang), help=sentence("cli_help", lang))
    click.version_option(__version__, prog_name="obmen", help=sentence("cli_opt_version", lang))(made)
    for item in commands:
        made.add_command(item)
    return made


def family(lang: str, name: str, commands: Sequence[click.Command]) -> click.Group:
    """A command with commands of its own. Where none of them is named, ``list`` is meant."""

    class Family(_Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return [item.name for item in commands if item.name]

        def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
            first = _first_word(args)
            named = first in self.commands or first == "--help"
            return super().parse_args(ctx, args if named else ["list", *args])

    text = sentence(f"cli_help_{name}", lang)
    made = Family(name, params=_general(lang), help=text, short_help=text.partition(". ")[0].rstrip("."))
    for item in commands:
        made.add_command(item)
    return made


def _first_word(args: Sequence[str]) -> str:
    """The first argument that is none of the general options."""
    rest = iter(args)
    for argument in rest:
        if argument in {"--home", "--lang"}:
            next(rest, None)
        elif argument != "--json" and not argument.startswith(("--home=", "--lang=")):
            return argument
    return ""


def complaint(error: click.UsageError, lang: str) -> tuple[str, str]:
    """What is wrong with the call (one sentence) and how to see the right form."""
    path = error.ctx.command_path if error.ctx else "obmen"
    return _wrong(error, lang), sentence("cli_see_help", lang, command=path)


def _wrong(error: click.UsageError, lang: str) -> str:
    if isinstance(error, click.NoSuchOption):
        near = ", ".join(error.possibilities or ())
        return sentence("cli_no_option", lang, option=error.option_name) + _near(near, lang)
    if isinstance(error, click.exceptions.NoSuchCommand):
        near = ", ".join(error.possibilities or ())
        return sentence("cli_no_command", lang, name=error.command_name) + _near(near, lang)
    if isinstance(error, click.MissingParameter):
        shown = error.param.make_metavar(error.ctx) if error.param and error.ctx else error.param_hint
        name = error.param.opts[0] if isinstance(error.param, click.Option) else shown
        return sentence("cli_missing", lang, name=name)
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        known = ", ".join(error.param.type.choices) if isinstance(error.param.type, click.Choice) else ""
        return sentence("cli_bad_choice" if known else "cli_bad_value", lang, name=error.param.opts[0], known=known)
    return sentence("cli_wrong_call", lang, detail=error.format_message())


def _near(near: str, lang: str) -> str:
    return f" {sentence('settings_did_you_mean', lang, near=near)}" if near else ""
