"""The bundled sample beside a repository whose owner tries everything."""

from dataclasses import replace

from hubframe.testing import World
from hubframe.testing.world import DOCKER_IO
from tests.wire.releases import Releases

REPO = "evil/corp"
SCRIPT = "<script>alert('script')</script>"
HANDLER = "<img src=x onerror=alert('handler')>"
ADDRESS = "javascript:alert('address')"
ATTRIBUTE = '" onmouseover="alert(\'attribute\')" x="'
FETCH = "<img src='http://192.0.2.1/stolen'><link rel=stylesheet href='//192.0.2.1/style'>"
PRANKS = (SCRIPT, HANDLER, ADDRESS, ATTRIBUTE, FETCH)


class _Pranks(Releases):
    """Releases whose every text is one."""

    path = REPO

    def _steps(self, number):
        return [f"RUN {prank} {number}" for prank in PRANKS[:2]]

    def _config(self, number, platform):
        labels = {f"prank.{place}": prank for place, prank in enumerate(PRANKS)}
        labels |= {
            "org.opencontainers.image.source": ADDRESS,
            "org.opencontainers.image.url": HANDLER,
            HANDLER: f"{number} {platform}",
        }
        env = [f"PRANK{place}={prank}" for place, prank in enumerate(PRANKS)]
        return {"Labels": labels, "Env": env, "Entrypoint": [SCRIPT], "Author": HANDLER}


def hostile_world():
    """Return the sample's world with one stranger in it."""
    world, pranks = World.bundled(), _Pranks(6).world
    (made,) = [each for each in pranks.of_host(DOCKER_IO) if each.path == REPO]
    like = world.repositories[DOCKER_IO, "ansible/ansible"]
    payload = {**like.payload, "name": "corp", "namespace": "evil", "description": HANDLER + FETCH}
    world.documents.update(pranks.documents)
    world.repositories[DOCKER_IO, REPO] = replace(made, payload=payload)
    world.accounts["evil"] = replace(world.accounts["ansible"], name="evil")
    return world
