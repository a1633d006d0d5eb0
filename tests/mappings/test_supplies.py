"""``supplies``: what a new record takes from the record it is for, and what is said of mistakes in it."""

from __future__ import annotations

import pytest

from mappings.describe import profile_page
from mappings.spec import Supply
from tests.mappings.build import read

HEAD = """
stream: Document_X
entity: sales_order
key: Ref_Key
date: Date
total: Sum
fields:
  number: Number
  date: Date
  total: Sum
  posting_state: {const: unposted}
  party: {ref: Party_Key, to: Catalog_P}
  contract: {ref: Contract_Key, to: Catalog_C}
  commercial_party: {ref: Partner_Key, to: Catalog_Q}
"""


def told(entries: str) -> tuple[tuple[Supply, ...], list[str]]:
    """What is read, and codes of what is wrong."""
    spec, problems = read(f"{HEAD}supplies: {entries}\n")
    return (spec.supplies if spec is not None else (), [problem.code for problem in problems])


def test_both_forms() -> None:
    """A reference of the other record, and the one record that names it; what an overlay took away is none."""
    found = told(
        "{commercial_party: {of: party, take: commercial_party},"
        " contract: {of: party, only: contract, where: {type: sale}}, currency: null}"
    )
    assert found == (
        (
            Supply("commercial_party", "party", take="commercial_party"),
            Supply("contract", "party", only="contract", where=(("type", "sale"),)),
        ),
        [],
    )


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ("[contract]", "mapping_wrong_type"),
        ("{contract: party}", "mapping_wrong_type"),
        ("{contract: {of: party}}", "mapping_wrong_type"),
        ("{contract: {take: contract}}", "mapping_wrong_type"),
        ("{contract: {of: party, take: owner, only: contract}}", "mapping_wrong_type"),
        ("{contract: {of: party, only: contract, first: true}}", "mapping_unknown_key"),
        ("{number: {of: party, take: owner}}", "mapping_unknown_word"),
        ("{warehouse: {of: party, take: owner}}", "mapping_unknown_word"),  # the mapping does not fill it
        ("{contract: {of: warehouse, only: contract}}", "mapping_unknown_word"),
        ("{commercial_party: {of: party, take: comment}}", "mapping_unknown_word"),
        ("{contract: {of: party, only: invoice}}", "mapping_unknown_word"),
        ("{contract: {of: commercial_party, only: contract}}", "mapping_unknown_word"),
        ("{contract: {of: party, only: contract, where: [sale]}}", "mapping_wrong_type"),
        ("{contract: {of: party, only: contract, where: {number: '1'}}}", "mapping_unknown_word"),
        ("{contract: {of: party, only: contract, where: {type: rent}}}", "mapping_unknown_word"),
    ],
)
def test_mistakes_are_told(entries: str, code: str) -> None:
    """Each mistake is one sentence; a file with one is not used."""
    assert told(entries)[1] == [code]


def test_the_page_of_a_profile_tells_it() -> None:
    """Who reads the profile's page sees where a new order's contract comes from."""
    assert "`contract` of `party`" in profile_page("onec_unf")
