"""Read-back: a write is what the system shows afterwards, never what was sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import Change, Connector, WriteResult
from connectors.certify.needs import leave_out, needs
from connectors.certify.reading import otherwise, shown, told
from connectors.certify.subject import NOBODY, Writable, Writing


def write(connector: Connector, target: Writable, *changes: Change) -> list[WriteResult]:
    """Write and collect; there is one result for each change."""
    results = list(connector.write(target.stream, changes))
    assert len(results) == len(changes), "one result is owed for each change"
    return results


def created(connector: Connector, target: Writable, key: str) -> WriteResult:
    """A new record, which must have been written."""
    (result,) = write(connector, target, target.creation(key))
    assert result.became == "written"
    return result


def each(subject: Writing, trait: str) -> list[Writable]:
    """The streams that have something to say on a trait; a skip where none has."""
    found = [target for target in subject.writables if getattr(target, trait)]
    if not found:
        leave_out(f"the subject names nothing for Writable.{trait}")
    return found


class ReadBack:
    """What becomes of a change."""

    @needs("write", Writing)
    def test_a_created_record_stands_there(self, connector: Connector, subject: Writing) -> None:
        """The system itself holds one record more, with what was sent, and the result shows that record."""
        for target in subject.writables:
            before, sent = subject.population(target.stream), connector.traffic.writes
            change = target.creation(subject.new_key())
            (result,) = write(connector, target, change)
            assert (result.became, result.differences, result.error) == ("written", (), None)
            assert subject.population(target.stream) == before + 1
            assert otherwise(subject.stored(target.stream, result.external_id), change.fields) == []
            assert otherwise(shown(result), change.fields) == []
            assert connector.traffic.writes > sent

    @needs("write", "versions", Writing)
    def test_the_version_in_a_result_is_the_records_own(self, connector: Connector, subject: Writing) -> None:
        """A result carries the version that the record shows; the next change can be decided on it."""
        for target in each(subject, "version"):
            made = created(connector, target, subject.new_key())
            assert made.version
            assert shown(made)[target.version] == made.version
            (changed,) = write(connector, target, Change(made.external_id, target.other, version=made.version))
            assert changed.became == "written"
            assert changed.version not in {None, made.version}
            assert shown(changed)[target.version] == changed.version

    @needs("write", Writing)
    def test_a_repeated_create_makes_no_second_record(self, connector: Connector, subject: Writing) -> None:
        """The same change again, after a look and by another connector, is still the one record under the same key.

        A system that gives keys of its own cannot know the change again: there the look is what prevents a second one.
        """
        for target in subject.writables:
            before = subject.population(target.stream)
            change = target.creation(subject.new_key())
            (first,) = write(connector, target, change)
            sent = connector.traffic.writes
            (looked,) = write(connector, target, replace(change, look_first=True))
            assert (looked.became, connector.traffic.writes) == ("unchanged", sent)
            (again,) = write(subject.open(), target, replace(change, look_first=bool(target.marker)))
            assert again.became in {"unchanged", "written"}
            assert first.external_id == looked.external_id == again.external_id
            assert subject.population(target.stream) == before + 1

    @needs("write", Writing)
    def test_only_the_fields_named_change(self, connector: Connector, subject: Writing) -> None:
        """An update changes what it names and leaves the rest of the record as it was."""
        for target in subject.writables:
            made = created(connector, target, subject.new_key())
            (result,) = write(connector, target, Change(made.external_id, target.other, version=made.version))
            assert (result.became, result.differences) == ("written", ())
            rest = {name: value for name, value in target.create.items() if name not in target.other}
            for record in (shown(result), subject.stored(target.stream, made.external_id)):
                assert otherwise(record, {**rest, **target.other}) == []

    @needs("write", Writing)
    def test_what_stands_there_is_not_sent(self, connector: Connector, subject: Writing) -> None:
        """Values that the record has already are ``unchanged``: nothing is sent, the version stays."""
        for target in subject.writables:
            made = created(connector, target, subject.new_key())
            sent = connector.traffic.writes
            (result,) = write(connector, target, Change(made.external_id, target.create, version=made.version))
            assert (result.became, result.version) == ("unchanged", made.version)
            assert connector.traffic.writes == sent

    @needs("write", "versions", Writing)
    def test_a_record_that_moved_is_left_alone(self, connector: Connector, subject: Writing) -> None:
        """Decided on a version that is no more: nothing is sent, what others wrote stays and is shown."""
        for target in subject.writables:
            made = created(connector, target, subject.new_key())
            write(subject.open(), target, Change(made.external_id, target.other))
            sent = connector.traffic.writes
            name = next(iter(target.other))
            late = Change(made.external_id, {name: target.create[name]}, version=made.version)
            (result,) = write(connector, target, late)
            assert (result.became, connector.traffic.writes) == ("moved", sent)
            assert result.version != made.version
            assert otherwise(subject.stored(target.stream, made.external_id), target.other) == []
            assert otherwise(shown(result), target.other) == []

    @needs("write", Writing)
    def test_without_a_version_it_is_written_over_whatever_is_there(
        self, connector: Connector, subject: Writing
    ) -> None:
        """A change that was decided on no version is carried out."""
        for target in subject.writables:
            made = created(connector, target, subject.new_key())
            write(subject.open(), target, Change(made.external_id, target.other))
            (result,) = write(connector, target, Change(made.external_id, target.create))
            assert result.became == "written"
            assert otherwise(subject.stored(target.stream, made.external_id), target.create) == []

    @needs("write", "read_back", Writing)
    def test_what_is_kept_otherwise_is_a_difference(self, connector: Connector, subject: Writing) -> None:
        """A value that was cut, rounded or dropped is told, with what was sent and what stands there instead."""
        for target in each(subject, "bent"):
            for bent in target.bent:
                (result,) = write(connector, target, target.creation(subject.new_key(), **{bent.field: bent.sent}))
                assert result.became == "written"
                told_of = [(found.field, found.sent, found.how) for found in result.differences]
                assert told_of == [(bent.field, bent.sent, bent.how)]
                stands = (subject.stored(target.stream, result.external_id) or {}).get(bent.field)
                assert result.differences[0].shown == shown(result).get(bent.field) != bent.sent
                assert stands in {None, result.differences[0].shown}

    @needs("write", "read_back", Writing)
    def test_what_the_system_filled_is_told(self, connector: Connector, subject: Writing) -> None:
        """Fields that came without having been sent are named, and none of those that were sent is."""
        for target in each(subject, "fills"):
            change = target.creation(subject.new_key())
            (result,) = write(connector, target, change)
            assert set(target.fills) <= set(result.filled)
            assert not set(result.filled) & set(change.fields)

    @needs("write", Writing)
    def test_a_table_is_replaced_whole(self, connector: Connector, subject: Writing) -> None:
        """Rows that are not sent any more are gone, the others stand there in their order."""
        for target in each(subject, "table"):
            longer, shorter = (list(rows) for rows in target.rows)
            (made,) = write(connector, target, target.creation(subject.new_key(), **{target.table: longer}))
            assert (made.became, made.differences) == ("written", ())
            assert otherwise(subject.stored(target.stream, made.external_id), {target.table: longer}) == []
            change = Change(made.external_id, {target.table: shorter}, version=made.version)
            (result,) = write(connector, target, change)
            assert (result.became, result.differences) == ("written", ())
            assert otherwise(subject.stored(target.stream, made.external_id), {target.table: shorter}) == []
            assert otherwise(shown(result), {target.table: shorter}) == []
            (again,) = write(connector, target, replace(change, version=result.version))
            assert again.became == "unchanged"

    @needs("write", Writing)
    def test_what_is_not_there_is_not_updated(self, connector: Connector, subject: Writing) -> None:
        """A change of a record that does not exist is refused, and creates none."""
        for target in subject.writables:
            before = subject.population(target.stream)
            (result,) = write(connector, target, Change(NOBODY, target.other))
            assert result.became == "refused"
            assert result.error is not None
            assert told(result.error)
            assert subject.population(target.stream) == before

    @needs("write", Writing)
    def test_a_refused_record_does_not_stop_the_others(self, connector: Connector, subject: Writing) -> None:
        """The system's no to one record is its result, with an advice; those before and after it are written."""
        for target in each(subject, "refused"):
            before = subject.population(target.stream)
            wrong = target.creation(subject.new_key(), **target.refused)
            one, other = (target.creation(subject.new_key()) for _ in range(2))
            results = write(connector, target, one, wrong, other)
            assert [result.became for result in results] == ["written", "refused", "written"]
            error = results[1].error
            assert error is not None
            assert told(error)
            assert subject.population(target.stream) == before + 2
            if not target.marker and not target.derived:
                assert [result.external_id for result in results] == [c.external_id for c in (one, wrong, other)]

    @needs("write", Writing)
    def test_changes_are_written_one_after_another(self, connector: Connector, subject: Writing) -> None:
        """What comes after the result in hand has not been sent; an iterator that is closed sends no more."""
        for target in subject.writables:
            before = subject.population(target.stream)
            results = connector.write(target.stream, [target.creation(subject.new_key()) for _ in range(3)])
            assert subject.population(target.stream) == before
            assert next(results).became == "written"
            assert subject.population(target.stream) == before + 1
            results.close()  # type: ignore[attr-defined]
            assert subject.population(target.stream) == before + 1
            created(connector, target, subject.new_key())

    @needs("write", Writing)
    def test_no_changes_are_no_requests(self, connector: Connector, subject: Writing) -> None:
        """An empty list of changes gives no result and sends nothing."""
        assert write(connector, subject.writables[0]) == []
        assert connector.traffic.writes == 0

    @needs("write", Writing)
    def test_a_document_is_posted_and_unposted(self, connector: Connector, subject: Writing) -> None:
        """Posting is part of the change and read back with it; posting what is posted sends nothing."""
        for target in each(subject, "posted"):
            change = replace(target.creation(subject.new_key()), posting="post")
            (made,) = write(connector, target, change)
            assert (made.became, shown(made)[target.posted]) == ("written", True)
            assert (subject.stored(target.stream, made.external_id) or {}).get(target.posted) is True
            sent = connector.traffic.writes
            (again,) = write(connector, target, Change(made.external_id, {}, version=made.version, posting="post"))
            assert (again.became, connector.traffic.writes) == ("unchanged", sent)
            (back,) = write(connector, target, Change(made.external_id, {}, posting="unpost"))
            assert (back.became, shown(back)[target.posted]) == ("written", False)
            assert not (subject.stored(target.stream, made.external_id) or {}).get(target.posted)

    @needs("write", Writing)
    def test_posting_that_fails_leaves_the_fields(self, connector: Connector, subject: Writing) -> None:
        """A document that cannot be posted is stored and not posted, and the result says both and why."""
        for target in each(subject, "unpostable"):
            change = replace(target.creation(subject.new_key(), **target.unpostable), posting="post")
            (result,) = write(connector, target, change)
            assert result.became == "not_posted"
            assert result.error is not None
            assert told(result.error)
            stands = subject.stored(target.stream, result.external_id)
            assert otherwise(stands, change.fields) == []
            assert not (stands or {}).get(target.posted)

    @needs("write", Writing)
    def test_a_task_is_executed_once(self, connector: Connector, subject: Writing) -> None:
        """Executing is part of the change, comes after its fields and is read back; what is done is not done again."""
        for target in each(subject, "executed"):
            made = created(connector, target, subject.new_key())
            assert not (subject.stored(target.stream, made.external_id) or {}).get(target.executed)
            change = Change(made.external_id, target.other, version=made.version, posting="execute")
            (done,) = write(connector, target, change)
            assert (done.became, shown(done).get(target.executed)) == ("written", True)
            assert (
                otherwise(subject.stored(target.stream, made.external_id), {**target.other, target.executed: True})
                == []
            )
            sent = connector.traffic.writes
            (again,) = write(connector, target, replace(change, version=done.version))
            assert (again.became, connector.traffic.writes) == ("unchanged", sent)
            (edited,) = write(connector, target, Change(made.external_id, target.create, posting="execute"))
            assert (edited.became, connector.traffic.writes) == ("written", sent + 1)
            assert shown(edited).get(target.executed) is True

    @needs("write", Writing)
    def test_load_mode_writes_as_well(self, connector: Connector, subject: Writing) -> None:
        """Asking the system to skip its own rules changes nothing of what a write owes."""
        for target in subject.writables:
            change = replace(target.creation(subject.new_key()), load_mode=True)
            (result,) = write(connector, target, change)
            assert result.became == "written"
            assert otherwise(subject.stored(target.stream, result.external_id), change.fields) == []

    @needs("write", Writing)
    @pytest.mark.parametrize("lost", ["after", "before"])
    @pytest.mark.parametrize("create", [True, False], ids=["create", "update"])
    def test_a_lost_answer_is_settled_by_looking(
        self, connector: Connector, subject: Writing, lost: str, create: bool
    ) -> None:
        """No answer came: whether the write was done is found out, and nothing is done twice."""
        if lost not in subject.losses:
            leave_out(f"the subject cannot lose an answer {lost} the write")
        for target in subject.writables:
            change = target.creation(subject.new_key())
            if not create:
                made = created(connector, target, change.external_id)
                change = Change(made.external_id, target.other, version=made.version)
            before = subject.population(target.stream)
            subject.lose("after" if lost == "after" else "before")
            (result,) = write(connector, target, change)
            assert result.became in {"written", "unknown"}
            if lost == "after" and result.became == "written":
                assert otherwise(shown(result), change.fields) == []
            settled = replace(change, look_first=True, external_id=result.external_id, version=None)
            sent = connector.traffic.writes
            (again,) = write(connector, target, settled)
            done = lost == "after" or result.became == "written"
            assert again.became == ("unchanged" if done else "written")
            assert connector.traffic.writes == sent if done else connector.traffic.writes > sent
            assert otherwise(subject.stored(target.stream, again.external_id), change.fields) == []
            assert subject.population(target.stream) == before + create
