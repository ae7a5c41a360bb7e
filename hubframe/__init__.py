"""Docker Hub and every OCI registry as tidy pandas frames.

>>> import hubframe
>>> with hubframe.sample():
...     tags = hubframe.tags_df("ansible/ansible", newest=3)

Importing this costs next to nothing: names are loaded when they are used; ``__init__.pyi`` lists
them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
