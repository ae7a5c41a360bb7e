"""A small Docker Hub and three registries inside the package, synthetic, with true digests.

They answer through a requests transport adapter, with no socket and no network, or on loopback
sockets. `hubframe.sample` has all calls answered from here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
