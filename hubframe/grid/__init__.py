"""A table on screen: what is said of each column, and the JavaScript that shows it.

The same JavaScript is a widget of a notebook, whose rows come from Python a page at a time, and a
table of a page without a kernel, which holds all its rows.
"""

from pathlib import Path

# Where the JavaScript and its style are.
HERE = Path(__file__).parent
# How many rows a page has, and may have.
PAGE = 15
SIZES = (PAGE, 50, 100, 500)
