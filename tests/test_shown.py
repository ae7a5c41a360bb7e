"""Pictures are shown where cells of a notebook plot, counted in a real kernel.

Those of the project's own notebooks are counted where these are run: `tests/test_docs.py`.
"""

from importlib import import_module


def pictures(notebook):
    """Execute a notebook, and count the pictures that each of its cells of code shows."""
    import_module("nbclient").NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return [
        (cell.source, sum("image/png" in output.get("data", {}) for output in cell.outputs))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_the_style_and_what_is_drawn_after_it_are_shown():
    cells = (
        "import hubframe\nwith hubframe.sample():\n    repos = hubframe.repos_df('acme')",
        "with hubframe.style():\n    hubframe.plots.plot_pulls(repos)",
        "hubframe.plots.plot_pulls(repos);",
        "hubframe.plots.plot_pulls(repos)\nhubframe.plots.plot_pulls(repos);",
        "with hubframe.style(dark=True):\n    ax = hubframe.plots.plot_pulls(repos)",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "hubframe.repos_df",
    )
    # It takes seconds to import, and each process that runs tests imports all files of tests.
    nbformat = import_module("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
    assert [count for _, count in pictures(notebook)] == [0, 1, 1, 2, 1, 1, 0]
