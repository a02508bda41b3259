"""Reading JSON lines while another process writes them."""

from pathlib import Path

from dashboards.journal import Journal


def test_lines_come_as_they_are_completed(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    assert journal.lines() == []
    with path.open("a") as stream:
        stream.write('{"epoch": 1}\n{"epo')
        stream.flush()
        assert journal.lines() == [{"epoch": 1}]
        stream.write('ch": 2}\n')
        stream.flush()
        assert journal.lines() == [{"epoch": 1}, {"epoch": 2}]


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"epoch": 1}\n')
    journal = Journal(path)
    journal.lines()
    with path.open("r+") as stream:  # same length, other content: a reader that starts anew would see it
        stream.write('{"epoch": 9}\n')
    assert journal.lines() == [{"epoch": 1}]


def test_a_file_that_was_replaced_or_shortened_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"epoch": 1}\n{"epoch": 2}\n')
    journal = Journal(path)
    journal.lines()
    path.write_text('{"epoch": 7}\n')
    assert journal.lines() == [{"epoch": 7}]
    (tmp_path / "new").write_text('{"epoch": 8}\n{"epoch": 9}\n')
    (tmp_path / "new").replace(path)
    assert journal.lines() == [{"epoch": 8}, {"epoch": 9}]
    path.unlink()
    assert journal.lines() == []


def test_damaged_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"epoch": 1}\n\nrubbish\n[1, 2]\n\xff\xfe\n{"epoch": 2}\n')
    journal = Journal(path)
    assert journal.lines() == [{"epoch": 1}, {"epoch": 2}]
    assert journal.damaged == 3
