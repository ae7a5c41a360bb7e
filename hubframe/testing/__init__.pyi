from .adapter import SampleAdapter as SampleAdapter
from .application import Application as Application
from .message import (
    DROP as DROP,
)
from .message import (
    Exchange as Exchange,
)
from .message import (
    Fault as Fault,
)
from .message import (
    Reply as Reply,
)
from .message import (
    Request as Request,
)
from .server import Served as Served
from .server import serve as serve
from .world import World as World
