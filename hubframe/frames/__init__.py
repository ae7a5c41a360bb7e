"""The public calls: what is asked for, where it is fetched, and the frame that is made of it.

`hubframe.frames` names those that fetch frames; they stand in `hubframe` too, with the others.
"""

import lazy_loader

__getattr__, _, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __dir__() -> list[str]:
    return [name for name in __all__ if name.endswith("_df")]
