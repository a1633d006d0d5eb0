"""Bytes of a part as text that people read: transfer encodings, charsets, HTML."""

from __future__ import annotations

import binascii
import quopri
import re
from base64 import b64decode

from lxml import etree, html

from connectors.imap.charset import NOT_BASE64, decode

_SPACES = re.compile(r"[ \t\xa0\u200b\u200c\u200d\u2007\u202f\u034f\u00ad]+")
_MANY_LINES = re.compile(r"\n{3,}")
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{2,40})", re.IGNORECASE)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_SILENT = frozenset(("script", "style", "head", "title", "template", "noscript", "object", "applet", "svg"))


def transferred(data: bytes, encoding: str) -> bytes:
    """What was sent: base64 with rubbish in it and cut base64 too; nothing of an encoding that nobody knows."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        bare = (data.partition(b"=")[0] if data.count(b"=") <= 2 else data).translate(None, NOT_BASE64)
        bare = bare[: len(bare) - 1] if len(bare) % 4 == 1 else bare
        try:
            return b64decode(bare + b"=" * (-len(bare) % 4))
        except (binascii.Error, ValueError):
            return b""
    if encoding == "quoted-printable":
        return quopri.decodestring(data)
    if encoding in {"x-uuencode", "x-uue", "uuencode"}:
        return _uudecoded(data)
    return b"" if encoding.startswith("x-") else data


def _uudecoded(data: bytes) -> bytes:
    lines = []
    for line in data.splitlines():
        if line.startswith((b"begin ", b"end")) or not line:
            continue
        try:
            lines.append(binascii.a2b_uu(line))
        except binascii.Error:
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
            lines.append(binascii.a2b_uu(line[:wanted]) if wanted <= len(line) else b"")
    return b"".join(lines)


def plain(data: bytes, encoding: str, charset: str, hint: str = "") -> str:
    """Text of a ``text/plain`` part, line ends as LF."""
    return tidy(decode(transferred(data, encoding), charset, hint))


def from_html(data: bytes, encoding: str, charset: str, hint: str = "") -> str:
    """What is to be read of a ``text/html`` part: a line per block, links by their words."""
    body = transferred(data, encoding)
    told = _META.search(body[:4096])
    source = decode(body, charset, hint or (told[1].decode("ascii") if told else ""))
    return html_text(source)


def html_text(source: str) -> str:
    """Text of HTML, however broken it is."""
    parser = html.HTMLParser(recover=True, no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = html.document_fromstring(_without_declaration(source), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return ""
    parts: list[str] = []
    _walk(root, parts)
    lines = [_SPACES.sub(" ", line).strip() for line in "".join(parts).split("\n")]
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without_declaration(source: str) -> str:
    """Without an XML declaration, which lxml refuses to see in a text."""
    return re.sub(r"^\s*<\?xml[^>]*>", "", source, count=1)


def _walk(root: html.HtmlElement, parts: list[str]) -> None:
    """Text in order, without recursion: a hostile letter nests thousands of tags."""
    for event, node in etree.iterwalk(root, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        silent = tag in _SILENT
        if event == "start":
            if tag == "br" or tag in _BLOCKS:
                parts.append("\n")
            elif tag in {"td", "th"}:
                parts.append(" ")
            if silent:
                node.clear(keep_tail=True)
            elif node.text:
                parts.append(_flat(node.text, tag))
        else:
            if tag in _BLOCKS:
                parts.append("\n")
            if node.tail:
                parts.append(_flat(node.tail, ""))


def _flat(text: str, tag: str) -> str:
    return text if tag == "pre" else text.replace("\r", " ").replace("\n", " ")


def tidy(text: str) -> str:
    """Line ends as LF, no blanks before them, no more than two empty lines together."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _MANY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")
