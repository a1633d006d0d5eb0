"""What weights fitted to judgements would change, line by line, for the command and for Dagster."""

from __future__ import annotations

from dedup.explain import bits, part_text
from dedup.score import Part
from hub.exchange.duplicates.refit import Refitted
from hub.texts import sentence


def refit_lines(done: Refitted, lang: str) -> list[str]:
    """How many judgements, how well they are foretold, what moves by how much, and what became of it."""
    fit = done.fit
    numbers = {"pairs": fit.pairs, "same": fit.same, "before": f"{fit.before:.3f}", "after": f"{fit.after:.3f}"}
    lines = [sentence("refit_judged", lang, **numbers)]
    lines += [sentence("refit_start", lang, bits=bits(fit.start, lang))] if fit.start else []
    for (fact, level), by in sorted(fit.moved.items(), key=lambda one: (-abs(one[1]), one[0])):
        what = part_text(Part(fact, level, by), lang)
        lines.append(sentence("refit_part", lang, bits=bits(by, lang), what=what))
    if done.version is not None:
        return [*lines, sentence("refit_applied", lang, version=done.version)]
    return [*lines, sentence("refit_would" if fit.better else "refit_worse", lang)]
