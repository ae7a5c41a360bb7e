"""Files that a layer writes again, told beside an image whose files were read."""

import hubframe
from hubframe.apps.explorer.session import PANEL, Session
from tests.layerfiles.conftest import shelf  # noqa: F401
from tests.layerfiles.layers import archive, packed
from tests.wire.conftest import bundled, direct, home, sleeps, stage, stage_of  # noqa: F401

from .conftest import PATIENCE


def test_waste_is_told_where_files_were_read(stage, shelf):  # noqa: F811
    layers = archive(("a", b"x" * 3000), ("b", b"y")), archive(("a", b"x" * 2000))
    shelf.add("1.0.0", *map(packed, layers))
    session = Session(client=stage.client())
    session.look_for(f"{stage.served.example_host}/team/api:1.0.0")
    assert session.work.wait(PATIENCE)
    assert session.panel.name == "image"
    assert not shelf.layers_asked(), "nothing is downloaded before it is asked for"
    frame, code = session.result.frame, session.code
    session.read_files()
    assert session.work.wait(PATIENCE)
    assert PANEL not in session.messages
    (told,) = [one for one in session.result.findings if one.startswith("Its files")]
    assert "most of it a (3" in told
    # What is shown, and the code for it, is what it was.
    assert session.result.frame is frame
    assert session.code == code


def test_a_layer_that_the_sample_lacks_is_told(sample):  # noqa: ARG001
    explorer = hubframe.explore("ansible/ansible:13.4.0")
    assert explorer.wait()
    explorer.session.read_files()
    assert explorer.wait()
    assert "holds the layers of" in explorer.session.messages[PANEL]
    assert explorer.session.result is not None
    explorer.close()
