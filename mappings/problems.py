"""What can be wrong with a mapping file, and with a mapping on a base; each names its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from hub.model.errors import NeedsPerson
from hub.texts import sentence


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a mapping file; ``line`` counts from 1.

    The file is told with its folder, because a shipped file and an overlay share their name.
    """

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Problem(NeedsPerson):
    """One thing that is wrong, with its place: in a file, or (``paused``) between a mapping and a live base."""

    def __init__(self, code: str, place: Place, **params: Any) -> None:
        super().__init__(code, place=str(place), **params)
        self.place = place

    def sentence(self, lang: str = "ru") -> str:
        """``file:line: what is wrong. Did you mean …?``"""
        text = super().sentence(lang)
        guess = self.params.get("guess")
        if guess:
            text = f"{text} {sentence('mapping_did_you_mean', lang, guess=guess)}"
        return f"{self.place}: {text}" if self.place.file else text


class MappingInvalid(NeedsPerson):
    """The mapping files of a profile are wrong; ``problems`` has every one of them, by file and line."""

    def __init__(self, profile: str, problems: Sequence[Problem]) -> None:
        super().__init__("mapping_invalid", profile=profile, count=len(problems))
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.place.file, problem.place.line)))

    def sentence(self, lang: str = "ru") -> str:
        """A heading, then one line per problem."""
        return "\n".join([super().sentence(lang), *("  " + problem.sentence(lang) for problem in self.problems)])


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that ``word`` was probably meant to be, or an empty text."""
    pool = list(known)
    exact = {item.lower(): item for item in pool}
    if word.lower() in exact:
        return exact[word.lower()]
    found = get_close_matches(word, pool, n=1, cutoff=0.6)
    return found[0] if found else ""
