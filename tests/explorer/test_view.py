"""The widgets without a browser: what they are made of, and what they suggest."""

import re

import anywidget
import ipywidgets
import pytest

import hubframe
from hubframe.apps.explorer.grid import Grid
from hubframe.apps.explorer.handover import CopyButton, SaveButton

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
    assert len([widget for widget in widgets if isinstance(widget, anywidget.AnyWidget)]) == 7
    assert not [widget for widget in widgets if isinstance(widget, ipywidgets.Output)]


@pytest.mark.parametrize("widget", [Grid, CopyButton, SaveButton])
def test_its_scripts_load_nothing_and_run_no_text(widget):
    script = widget._esm.read_text() if hasattr(widget._esm, "read_text") else str(widget._esm)
    assert "export default" in script
    assert not re.search(
        r"\bimport\b|\bfetch\b|XMLHttp|eval\(|innerHTML|insertAdjacent|Function\(", script
    )


def test_every_field_has_a_name(explorer):
    fields = (ipywidgets.Text, ipywidgets.Combobox, ipywidgets.Dropdown, ipywidgets.BoundedIntText)
    named = [one for one in widgets_of(explorer.widget) if isinstance(one, fields)]
    assert len(named) == 8
    assert all(one.description for one in named)


def test_what_was_looked_for_is_suggested_in_the_field(explorer):
    field = next(w for w in widgets_of(explorer.widget) if isinstance(w, ipywidgets.Combobox))
    assert field.options[0] == "ansible/ansible"
    explorer.search.show_text("acme")
    assert explorer.wait()
    assert field.options[:2] == ("acme", "ansible/ansible")
    assert "acme/web" in field.options


def test_what_is_on_screen_is_handed_over(explorer):
    assert (
        explorer.frame["tag"].tolist()
        == explorer.selection["tag"].tolist()[:20] + (explorer.frame["tag"].tolist()[20:])
    )
    explorer.session.choose([("ansible/ansible", "13.4.0")])
    assert explorer.wait()
    assert explorer.selection["tag"].tolist() == ["13.4.0"]
    assert explorer.figure.axes
    assert explorer.code == 'hubframe.tags_df("ansible/ansible")'
