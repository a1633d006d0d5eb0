"""Why two records are one, or are not: sentences in Russian or English, and a picture whose bars sum to the total."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from dedup.score import Edge, Part
from dedup.weights import base_of, weights
from hub.texts import sentence

_LEFT, _ROW, _BAR, _WIDE = 330, 24, 16, 720
_FOR, _AGAINST, _SUM = "#2f855a", "#c53030", "#4a5568"


def bits(hundredths: int, lang: str = "ru") -> str:
    """A weight as people read it: ``+12,3`` or ``-0.5``, with a true minus."""
    text = f"{abs(hundredths) / 100:.1f}"
    return ("−" if hundredths < 0 else "+") + (text.replace(".", ",") if lang == "ru" else text)


def why(edge: Edge, lang: str = "ru") -> str:
    """The decision on a pair in words: what it is, what carries it, what speaks against it, the total."""
    agree = _listed([part for part in edge.parts if part.bits > 0], lang)
    differ = _listed([part for part in edge.parts if part.bits < 0], lang)
    vetoes = "; ".join(sentence(f"dedup_veto_{name}", lang) for name in edge.vetoes)
    nothing = sentence("dedup_nothing", lang)
    if edge.band == "auto":
        said = [sentence("dedup_merged", lang, facts=agree or nothing), sentence(f"dedup_rule_{edge.rule}", lang)]
        said += [sentence("dedup_against", lang, facts=differ)] if differ else []
    elif edge.band == "review":
        said = [sentence("dedup_review", lang, facts=agree or nothing)]
        said += [sentence("dedup_against", lang, facts=differ)] if differ else []
        said += [sentence("dedup_doubt", lang)] if edge.doubt else []
    else:
        said = [sentence("dedup_apart", lang, facts=vetoes or differ or nothing)]
        said += [sentence("dedup_although", lang, facts=agree)] if agree else []
    said += [sentence(f"dedup_relation_{edge.relation}", lang)] if edge.relation else []
    threshold = bits(weights(base_of(edge.version)).auto, lang)
    return " ".join(
        [*said, sentence("dedup_total", lang, bits=bits(edge.weight, lang), threshold=threshold, version=edge.version)]
    )


def _listed(parts: Sequence[Part], lang: str) -> str:
    """Parts by their weight, the greatest first."""
    ordered = sorted(parts, key=lambda part: -abs(part.bits))
    return ", ".join(
        sentence("dedup_part", lang, what=part_text(part, lang), bits=bits(part.bits, lang)) for part in ordered
    )


def part_text(part: Part, lang: str = "ru") -> str:
    """What one fact told, in words."""
    return sentence(f"dedup_fact_{part.fact}_{part.level}", lang)


def waterfall(edge: Edge, lang: str = "ru") -> str:
    """The score as an SVG picture: a bar for where it begins, one for each part that weighs, one for the total.

    Each bar begins where the last one ended, so that the eye can add them up.
    """
    rows = [(sentence("dedup_start", lang), edge.prior)]
    rows += [(part_text(part, lang), part.bits) for part in edge.parts if part.bits]
    ends = [0]
    for _, weight in rows:
        ends.append(ends[-1] + weight)
    low, high = min(ends), max(ends)
    scale = (_WIDE - _LEFT - 80) / max(1, high - low)
    height = _ROW * (len(rows) + 1) + 12
    bars = [
        _bar(place, name, (begin, begin + weight), weight, _FOR if weight > 0 else _AGAINST, low, scale, lang)
        for place, ((name, weight), begin) in enumerate(zip(rows, ends, strict=False))
    ]
    bars.append(_bar(len(rows), sentence("dedup_sum", lang), (0, edge.weight), edge.weight, _SUM, low, scale, lang))
    zero = _LEFT + (0 - low) * scale
    axis = f'<line x1="{zero:.1f}" y1="4" x2="{zero:.1f}" y2="{height - 4}" stroke="#a0aec0"/>'
    title = f"<title>{escape(sentence('dedup_picture', lang))}</title>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDE}" height="{height}"'
        ' font-family="sans-serif" font-size="12">'
        f"{title}{axis}{''.join(bars)}</svg>"
    )


def _bar(
    place: int, name: str, span: tuple[int, int], weight: int, colour: str, low: int, scale: float, lang: str
) -> str:
    """One line of the picture; ``data-bits`` holds what it adds, in hundredths of a bit."""
    top = 6 + place * _ROW
    left = _LEFT + (min(span) - low) * scale
    width = max(1.0, abs(span[1] - span[0]) * scale)
    return (
        f'<text x="{_LEFT - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}" data-bits="{weight}"/>'
        f'<text x="{left + width + 4:.1f}" y="{top + 12}">{bits(weight, lang)}</text>'
    )
