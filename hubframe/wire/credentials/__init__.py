"""Who asks: user names and secrets, and where they are found. Nothing secret is ever printed.

``credential`` is one login, ``files`` reads the files of Docker and podman, ``helpers`` runs their
credential helpers, ``search`` looks through all of them in their order.
"""

from hubframe.wire.credentials.credential import Credential, Sealed
from hubframe.wire.credentials.search import Credentials, Given

__all__ = ["Credential", "Credentials", "Given", "Sealed"]
