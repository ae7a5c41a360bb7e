"""The widgets without a browser: what they are made of, and what they suggest."""

import re
from xml.etree import ElementTree as ET

import anywidget
import ipywidgets
import pytest
from matplotlib.figure import Figure

import hubframe
from hubframe.apps.explorer.address import Address
from hubframe.apps.explorer.grid import Grid
from hubframe.apps.explorer.handover import CopyButton, SaveButton
from hubframe.apps.explorer.picture import Picture, svg

# What any notebook that shows ipywidgets and anywidget has: VS Code and Colab too.
EVERYWHERE = {"@jupyter-widgets/controls", "anywidget"}


@pytest.fixture
def explorer(sample):  # noqa: ARG001 - it is there while the explorer is
    opened = hubframe.explore("ansible/ansible")
    assert opened.wait()
    yield opened
    opened.close()


def widgets_of(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_of(child)


def test_it_is_made_of_what_every_notebook_shows(explorer):
    widgets = list(widgets_of(explorer.widget))
    assert {widget._model_module for widget in widgets} == EVERYWHERE
    assert [widget for widget in widgets if isinstance(widget, anywidget.AnyWidget)]
    assert not [widget for widget in widgets if isinstance(widget, ipywidgets.Output)]


@pytest.mark.parametrize("widget", [Grid, CopyButton, SaveButton, Picture, Address])
def test_its_scripts_load_nothing_and_run_no_text(widget):
    script = widget._esm.read_text() if hasattr(widget._esm, "read_text") else str(widget._esm)
    assert "export default" in script
    assert not re.search(
        r"\bimport\b|\bfetch\b|XMLHttp|eval\(|innerHTML|insertAdjacent|Function\(", script
    )


def test_every_field_has_a_name(explorer):
    fields = (ipywidgets.Text, ipywidgets.Combobox, ipywidgets.Dropdown, ipywidgets.BoundedIntText)
    named = [one for one in widgets_of(explorer.widget) if isinstance(one, fields)]
    assert len(named) > 8
    assert all(one.description for one in named)


def test_what_was_looked_for_is_suggested_in_the_field(explorer):
    field = next(w for w in widgets_of(explorer.widget) if isinstance(w, ipywidgets.Combobox))
    assert field.options[0] == "ansible/ansible"
    explorer.session.look_for("acme")
    assert explorer.wait()
    assert field.value == "acme"
    assert field.options[:2] == ("acme", "ansible/ansible")
    assert "acme/web" in field.options


def test_what_is_typed_stays_while_it_is_looked_for(explorer):
    field = next(w for w in widgets_of(explorer.widget) if isinstance(w, ipywidgets.Combobox))
    held = []
    field.observe(lambda change: held.append(change["new"]), "value")
    typed = ["no reference", "ansible/ansible:nope"]
    for text in typed:
        field.value = text
        assert explorer.wait()
    assert held == typed


def test_what_is_on_screen_is_handed_over(explorer):
    assert explorer.selection["tag"].tolist() == explorer.frame["tag"].tolist()[:20]
    explorer.session.choose([("ansible/ansible", "13.4.0")])
    assert explorer.wait()
    assert explorer.selection["tag"].tolist() == ["13.4.0"]
    explorer.session.show("layers")
    assert explorer.wait()
    assert explorer.figure.axes
    assert explorer.code.endswith('\n\nhubframe.layers_df(["ansible/ansible:13.4.0"])')


def test_it_opens_on_tags_and_a_panel(sample):  # noqa: ARG001
    explorer = hubframe.explore("ansible/ansible", tags=["13.4.0", "13.2.0"], panel="layers")
    assert explorer.wait()
    assert explorer.selection["tag"].tolist() == ["13.4.0", "13.2.0"]
    assert set(explorer.frame["tag"]) == {"13.4.0", "13.2.0"}
    explorer.close()
    explorer = hubframe.explore("ansible/ansible", tags="13.4.0")
    assert explorer.wait()
    assert "layers_df" in explorer.code
    explorer.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [({"what": "nginx", "panel": "layer"}, "overview, image,"), ({"tags": ["1"]}, "name it")],
)
def test_what_cannot_be_opened_is_said_at_once(options, said):
    with pytest.raises(ValueError, match=said):
        hubframe.explore(**options)


def test_a_page_opens_on_its_address(sample, monkeypatch):  # noqa: ARG001
    monkeypatch.setenv("QUERY_STRING", "what=ansible/ansible&tag=ansible/ansible:13.4.0&panel=env")
    explorer = hubframe.explore("acme")
    assert explorer.wait()
    assert explorer.session.state.repos == ("ansible/ansible",)
    assert 'env_df(["ansible/ansible:13.4.0"])' in explorer.code
    explorer.close()


def test_examples_are_there_to_begin_with_and_work(sample):  # noqa: ARG001
    explorer = hubframe.explore()
    named = {one.description: one for one in widgets_of(explorer.widget) if hasattr(one, "click")}
    for text in explorer.session.examples:
        named[text].click()
        assert explorer.wait()
        assert not explorer.session.messages
        assert explorer.session.state.search.text == text
    explorer.close()


def test_repositories_fold_once_one_is_open(sample):  # noqa: ARG001
    explorer = hubframe.explore("ansible")
    assert explorer.wait()
    fold = next(w for w in widgets_of(explorer.widget) if isinstance(w, ipywidgets.ToggleButton))
    assert fold.value
    explorer.session.open(["ansible/ansible"])
    assert explorer.wait()
    assert not fold.value
    explorer.close()


def test_fields_show_the_filters_of_another_place(explorer):
    field = next(w for w in widgets_of(explorer.widget) if getattr(w, "description", "") == "Tag")
    field.value = "13"
    assert explorer.wait()
    assert len(explorer.frame) == 4
    explorer.session.look_for("acme/web")
    assert explorer.wait()
    assert field.value == ""
    assert len(explorer.frame) > 4


def made_of(picture):
    return ET.fromstring(picture).iter()


def test_pictures_tell_what_their_marks_are_of(explorer):
    picture = next(w for w in widgets_of(explorer.widget) if isinstance(w, Picture))
    overview = picture.svg
    explorer.session.show("growth")
    assert explorer.wait()
    root = ET.fromstring(picture.svg)
    dots = {one.get("data-name") for one in made_of(overview) if one.get("data-name")}
    assert {"13.4.0", "13.2.0", "12.3.0"} <= dots
    titles = [one.text for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert [title for title in titles if title.startswith("13.4.0")]
    named = {one.get("data-name") for one in root.iter() if one.get("data-name")}
    assert {"13.4.0", "12.3.0"} <= named
    before = picture.svg
    picture.width = 640
    assert picture.svg != before
    assert 'width="480pt"' in picture.svg


def test_pictures_hold_text_and_nothing_that_acts():
    figure = Figure()
    axes = figure.subplots()
    axes.barh([0], [1])
    axes.set_yticks([0], ["<script>alert(1)</script>"])
    axes.set_title('" onload="alert(2)')
    made = svg(figure, ["<script>alert(1)</script>"])
    root = ET.fromstring(made)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert not [one for one in root.iter() if any(name.startswith("on") for name in one.attrib)]
