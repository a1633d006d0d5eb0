"""Why two clients are thought to be one, in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from dedup.score import Edge, Part
from hub.texts import sentence


def told(edge: Edge, lang: str) -> str:
    """What agrees, what speaks against it, the sum in bits, and by which rule."""
    good = [part for part in edge.parts if part.bits > 0]
    bad = [part for part in edge.parts if part.bits < 0]
    lines = [sentence("dup_agrees", lang, facts=_listed(good, lang))] if good else []
    lines += [sentence("dup_differs", lang, facts=_listed(bad, lang))] if bad else []
    lines.append(sentence("dup_sum", lang, bits=_bits(edge.weight, lang), version=edge.version))
    lines += [sentence(f"dup_rule_{edge.rule}", lang)] if edge.rule else []
    lines += [sentence("dup_doubt", lang)] if edge.doubt else []
    return " ".join(lines)


def pattern_told(pattern: str, lang: str) -> str:
    """A pattern of the queue in words."""
    pairs = (one.partition(".") for one in pattern.split())
    return ", ".join(_fact(fact, level, lang) for fact, _, level in pairs) or "—"


def _listed(parts: Iterable[Part], lang: str) -> str:
    ordered = sorted(parts, key=lambda part: -abs(part.bits))
    return ", ".join(f"{_fact(part.fact, part.level, lang)} ({_bits(part.bits, lang)})" for part in ordered)


def _fact(fact: str, level: str, lang: str) -> str:
    name = sentence(f"dup_fact_{fact}", lang)
    return name if level == "same" else f"{name} {sentence(f'dup_level_{level}', lang)}"


def _bits(hundredths: int, lang: str) -> str:
    text = f"{hundredths / 100:+.1f}".replace("-", "−")
    return text.replace(".", ",") if lang == "ru" else text
