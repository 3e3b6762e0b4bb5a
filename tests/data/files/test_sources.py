"""bench.data.files: files, folders, patterns and tables of states."""

import gzip
import os

import pytest
from structure_texts import HYDROXIDE_MOL, WATER_MOL, water

from bench.data.files import read
from bench.errors import BadInput


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "b.xyz").write_text(water())
    (tmp_path / "a.xyz").write_text(water() * 2)
    (tmp_path / "c.sdf").write_text(HYDROXIDE_MOL + "$$$$\n" + WATER_MOL)
    return tmp_path


def test_a_folder_gives_its_files_in_order(folder):
    assert [frame.name for frame in read([folder]).frames] == ["a 0", "a 1", "b", "hydroxide", "a"]
    (folder / "README.txt").write_text("words")
    (folder / ".hidden.xyz").write_text(water())
    contents = read([folder])
    assert len(contents.frames) == 5
    assert any("README.txt" in note for note in contents.notes) and any(".hidden" in note for note in contents.notes)


def test_patterns_and_packed_files(folder):
    assert len(read([str(folder / "*.xyz")]).frames) == 3
    (folder / "d.xyz.gz").write_bytes(gzip.compress(water("charge=1").encode()))
    (frame,) = read([folder / "d.xyz.gz"]).frames
    assert (frame.charge, frame.name) == (1, "d")
    (folder / "e.xyz.gz").write_bytes(b"no gzip")
    for bad in ("*.cif", "none.xyz", "e.xyz.gz"):
        with pytest.raises(BadInput):
            read([folder / bad])


def test_a_table_gives_states_by_file_or_title(folder):
    (folder / "systems.csv").write_text("name,charge,spin\na,1,2\nb,,3\nhydroxide,-1,1\n")
    (folder / "c.sdf").write_text(HYDROXIDE_MOL)
    contents = read([folder])
    assert [(f.charge, f.spin) for f in contents.frames] == [(1, 2), (1, 2), (None, 3), (-1, 1)]
    (folder / "b.xyz").write_text(water("spin=1"))
    with pytest.raises(BadInput, match="spin multiplicity 1, but the table gives 3"):
        read([folder])


@pytest.mark.parametrize(
    "table",
    ["name,charge\nzzz,1\n", "name,charge\na,x\n", "a,b\n1,2\n", "name,charge\na,1\na,2\n", "name,charge\na,1,2\n", ""],
)
def test_tables_that_do_not_fit_are_refused(folder, table):
    (folder / "systems.csv").write_text(table)
    with pytest.raises(BadInput, match=r"table|systems\.csv"):
        read([folder])


def test_a_file_that_the_table_lacks_is_said(folder):
    (folder / "systems.csv").write_text("name,charge,note\nb,1,x\n")
    contents = read([folder])
    assert any("no row for a" in note for note in contents.notes)
    assert any("'note'" in what for what in contents.unused)


def test_the_state_that_xtb_reads_beside_a_structure(folder):
    (folder / "c.sdf").unlink()
    (folder / ".CHRG").write_text("1\n")
    (folder / ".UHF").write_text("1\n")
    for source in (folder, folder / "b.xyz"):
        contents = read([source])
        assert {(frame.charge, frame.spin) for frame in contents.frames} == {(1, 2)}
        assert sum("beside the structures" in note for note in contents.notes) == 2
    (folder / "b.xyz").write_text(water("charge=0"))
    with pytest.raises(BadInput, match=r"charge 0, but its \.CHRG give 1"):
        read([folder / "b.xyz"])


def test_other_json_in_a_folder_is_passed_over(folder):
    (folder / "settings.json").write_text('{"a": 1}')
    contents = read([folder])
    assert len(contents.frames) == 5 and any("settings.json is JSON, but not ASE's" in note for note in contents.notes)


def test_pipes_are_refused_before_they_are_read(folder):
    os.mkfifo(folder / "p.xyz")
    with pytest.raises(BadInput, match="pipe"):
        read([folder / "p.xyz"])


def test_a_binary_file_with_the_name_of_a_text_is_said_to_be_binary(folder):
    (folder / "b.xyz").write_bytes(water().encode() + b"\0\1\2")
    with pytest.raises(BadInput, match=r"b\.xyz is a binary file"):
        read([folder / "b.xyz"])
