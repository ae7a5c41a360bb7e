"""Amazon ECR: what AWS's own API knows of images, asked by boto3 with the logins of AWS.

boto3 signs and sends, so nothing of it is kept in the cache, and the limits are AWS's. The
gallery's API tells only of the registries of the account that asks.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock
from typing import Any

from hubframe.errors import (
    CredentialsError,
    HubframeError,
    InvalidReferenceError,
    NotFoundError,
    RateLimitError,
    TransportError,
    UnauthorizedError,
)
from hubframe.oci.payload import items, mapping, text, texts
from hubframe.readers.severities import AFFECTED, fixed_or, joined, severity
from hubframe.wire import cancellation
from hubframe.wire.providers.provider import Provider, Row, Scan, digest_of, tag_of
from hubframe.wire.statistics import count_request
from hubframe.wire.statuses import quotable

_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.dkr(?P<mark>[.-])ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.[a-z0-9.-]+"
)
# Where the gallery's API is.
_PUBLIC_HOST, _PUBLIC_REGION = "public.ecr.aws", "us-east-1"
_PAGE_SIZE = 1000
# Whose scan it is: one that is done, or one that goes on with what becomes known.
_SCANNED = {"COMPLETE": "ecr", "ACTIVE": "inspector"}
_NO_FIX = "NotAvailable"
# The versions of CVSS, the newest first.
_SCORES = ("CVSS4", "CVSS3", "CVSS2")
# What Inspector calls kinds of packages, and whose advisories it has for those of the system.
_KINDS = {
    **dict.fromkeys(("DEBIAN", "UBUNTU"), "deb"),
    "ALPINE": "apk",
    **dict.fromkeys(("AMAZON", "REDHAT", "ROCKY", "ALMALINUX", "ORACLE", "SUSE"), "rpm"),
    **dict.fromkeys(("NPM", "NODEPKG", "YARN"), "npm"),
    **dict.fromkeys(("PIP", "PIPENV", "POETRY", "PYTHONPKG"), "pypi"),
    **dict.fromkeys(("GOBINARY", "GOMOD"), "golang"),
    **dict.fromkeys(("JAR", "POM"), "maven"),
    **dict.fromkeys(("BUNDLER", "GEMSPEC"), "gem"),
    **dict.fromkeys(("NUGET", "DOTNET_CORE"), "nuget"),
    "CARGO": "cargo",
    "COMPOSER": "composer",
}
# What codes of AWS's errors hold, by what they mean; services spell them differently.
_CODES = {
    NotFoundError: re.compile("NotFound"),
    RateLimitError: re.compile("Throttl|TooManyRequests|LimitExceeded|SlowDown"),
    UnauthorizedError: re.compile(
        "AccessDenied|NotAuthorized|Unauthorized|AuthFailure|AuthenticationToken|ClientToken|"
        "UnrecognizedClient|ExpiredToken|InvalidToken|Signature|OptIn"
    ),
}


class Ecr(Provider):
    """Reads the API of a private registry of ECR."""

    kind = "ecr"
    title = "Amazon ECR"
    is_kept = False
    scanner = "ecr"
    service = "ecr"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._lock = Lock()

    def tags(self, path: str) -> Sequence[Row]:
        """List tags; the dates are those of their images, which a tag may have come to later."""
        return self._tags(path, _PAGE_SIZE, filter={"tagStatus": "TAGGED"})

    def tag(self, path: str, name: str) -> Row:
        """Return what is told of one tag."""
        # Images that are named come without pages.
        return self.named(self._tags(path, None, imageIds=[{"imageTag": name}]), path, name)

    def _tags(self, path: str, size: int | None, **which: Any) -> Sequence[Row]:
        which |= {**self._registry, "repositoryName": path}
        rows = {}
        pages = self._pages("describe_images", f"the tags of {path}", which, size)
        for image in _joined(pages, "imageDetails"):
            told = {
                "digest": digest_of(image.get("imageDigest")),
                "media_type": image.get("imageManifestMediaType"),
                "status": str(image.get("imageStatus") or "").lower() or None,
                "size": image.get("imageSizeInBytes"),
                "pushed_at": _moment(image.get("imagePushedAt")),
                "pulled_at": _moment(image.get("lastRecordedPullTime")),
            }
            for name in filter(tag_of, image.get("imageTags") or ()):
                rows[name] = {"name": name, **told}
        return list(rows.values())

    def repos(self, namespace: str) -> Sequence[Row]:
        """List the repositories of the registry, or those below a path."""
        asked = " of ".join(filter(None, ("the repositories", namespace)))
        found = self._listed("describe_repositories", "repositories", asked, self._registry)
        # The account owns all of them.
        prefix = "" if namespace in ("", self._place["account"]) else f"{namespace}/"
        named = (one for one in found if text(one.get("repositoryName")))
        return [self._repo(one) for one in named if one["repositoryName"].startswith(prefix)]

    def scan(self, path: str, digest: str) -> Scan:
        """Return what ECR's basic scan found in an image, or Amazon Inspector."""
        asked, image = f"the scan of {path}@{digest}", {"imageDigest": digest}
        which = {**self._registry, "repositoryName": path, "imageId": image}
        pages = self._pages("describe_image_scan_findings", asked, which, _PAGE_SIZE)
        status = str(mapping(pages[-1].get("imageScanStatus")).get("status"))
        if status not in _SCANNED:
            raise NotFoundError(
                f"{asked} on {self.host}: {self.title} tells nothing of this image: its scan is "
                f"{quotable(status)}"
            )
        found = [mapping(page.get("imageScanFindings")) for page in pages]
        basic = [_basic(one) for page in found for one in items(page.get("findings"))]
        listed = (one for page in found for one in items(page.get("enhancedFindings")))
        enhanced = [row for one in listed for row in _enhanced(one)]
        rows = [row for row in (*basic, *enhanced) if row["id"] and row["name"]]
        return Scan(_SCANNED[status], rows, _moment(found[-1].get("imageScanCompletedAt")))

    def _repo(self, found: Mapping[str, Any]) -> Row:
        name = found["repositoryName"]
        return {
            "repo": f"{self.host}/{name}",
            "namespace": found.get("registryId") or self._place["account"],
            "name": name,
            "is_private": True,
            "is_official": False,
            "registered_at": _moment(found.get("createdAt")),
        }

    @property
    def _registry(self) -> dict[str, Any]:
        return {"registryId": self._place["account"]}

    @cached_property
    def _place(self) -> Mapping[str, str]:
        """The account and the region, as the name of the registry tells them."""
        found = _HOST.fullmatch(self.host)
        if found is None:
            raise InvalidReferenceError(
                f"{self.host} is no registry of {self.title}: expected a host such as "
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com in Settings(providers=…)"
            )
        return found.groupdict()

    @cached_property
    def _client(self) -> Any:
        from boto3.session import Session  # noqa: PLC0415 - an extra, and slow to load
        from botocore.config import Config  # noqa: PLC0415

        connect, read = self.timeout
        # A host that keeps to FIPS, or that has both kinds of addresses, is named for it.
        config = Config(
            connect_timeout=connect,
            read_timeout=read,
            use_fips_endpoint=bool(self._place.get("fips")) or None,
            use_dualstack_endpoint=self._place.get("mark") == "-" or None,
        )
        return Session().client(self.service, region_name=self._place["region"], config=config)

    def _listed(
        self, operation: str, key: str, asked: str, which: Mapping[str, Any]
    ) -> list[Mapping[str, Any]]:
        """Read a list of AWS by pages of one size."""
        return _joined(self._pages(operation, asked, which, _PAGE_SIZE), key)

    def _pages(
        self, operation: str, asked: str, which: Mapping[str, Any], size: int | None = None
    ) -> list[Mapping[str, Any]]:
        """Read what AWS answers, all its pages."""
        asked = f"{asked} on {self.host}"
        self.session.check_online(asked)
        found = []
        with _own_errors(asked):
            with self._lock:
                client = self._client
            sized = {"PaginationConfig": {"PageSize": size}} if size else {}
            for page in client.get_paginator(operation).paginate(**which, **sized):
                cancellation.check()
                count_request()
                found.append(page)
        return found


class EcrPublic(Ecr):
    """Reads the gallery's API, which tells of the account's own registries alone."""

    kind = "ecr-public"
    title = "Amazon ECR Public"
    scanner = ""
    service = "ecr-public"

    def tags(self, path: str) -> Sequence[Row]:
        """List the tags of a repository of the account's own, and when they were made."""
        which, asked = {"repositoryName": self._own(path)}, f"the tags of {path}"
        rows = {}
        for tag in self._listed("describe_image_tags", "imageTagDetails", asked, which):
            image = tag.get("imageDetail") or {}
            if written := tag_of(tag.get("imageTag")):
                rows[written] = {
                    "name": written,
                    "digest": digest_of(image.get("imageDigest")),
                    "media_type": image.get("imageManifestMediaType"),
                    "size": image.get("imageSizeInBytes"),
                    "pushed_at": _moment(tag.get("createdAt") or image.get("imagePushedAt")),
                }
        return list(rows.values())

    def tag(self, path: str, name: str) -> Row:
        """Return what is told of one tag."""
        return self.named(self.tags(path), path, name)

    def repos(self, namespace: str) -> Sequence[Row]:
        """List the repositories of a registry of the account's own, by its alias."""
        self._own(f"{namespace}/")
        return super().repos("")

    def _repo(self, found: Mapping[str, Any]) -> Row:
        # By the address: it begins with the alias.
        path = str(found.get("repositoryUri") or "").partition("/")[2] or found["repositoryName"]
        namespace, _, name = path.partition("/")
        return {
            **super()._repo(found),
            "repo": f"{self.host}/{path}",
            "namespace": namespace,
            "name": name or namespace,
            "is_private": False,
        }

    @property
    def _registry(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _place(self) -> Mapping[str, str]:
        if self.host != _PUBLIC_HOST:
            raise InvalidReferenceError(
                f"{self.host} is not {self.title}, which is {_PUBLIC_HOST}: mend "
                "Settings(providers=…)"
            )
        return {"account": "", "region": _PUBLIC_REGION}

    @cached_property
    def _aliases(self) -> frozenset[str]:
        found = self._listed("describe_registries", "registries", "your registries", {})
        listed = [alias for one in found for alias in one.get("aliases") or ()]
        return frozenset(alias["name"] for alias in listed if isinstance(alias.get("name"), str))

    def _own(self, path: str) -> str:
        """Return a repository's name in its registry; others may have one of the same name."""
        alias, _, name = path.partition("/")
        if alias not in self._aliases:
            raise NotFoundError(
                f"{self.host}/{path}: {self.title} tells of your own registries alone, and {alias} "
                "is none of them"
            )
        return name


@contextmanager
def _own_errors(asked: str) -> Iterator[None]:
    """Raise in place of AWS's errors those of hubframe."""
    try:
        import boto3  # noqa: F401, PLC0415 - an extra
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
            ConfigNotFound,
            ConfigParseError,
            CredentialRetrievalError,
            InvalidConfigError,
            NoCredentialsError,
            PartialCredentialsError,
            ProfileNotFound,
            SSOError,
            TokenRetrievalError,
        )
    except ImportError:
        raise HubframeError(
            f"{asked}: AWS's API is asked by boto3: python -m pip install 'hubframe[ecr]'"
        ) from None
    no_login = (
        *(NoCredentialsError, CredentialRetrievalError),
        *(ProfileNotFound, SSOError, TokenRetrievalError),
    )
    odd = (ConfigNotFound, ConfigParseError, InvalidConfigError, PartialCredentialsError)
    try:
        yield
    except no_login as error:
        raise UnauthorizedError(
            f"{asked}: AWS needs a login, and boto3 has none ({type(error).__name__}). To log in, "
            "run aws configure or aws sso login, or set AWS_PROFILE"
        ) from None
    except odd as error:
        raise CredentialsError(
            f"{asked}: boto3 cannot use its configuration: {quotable(str(error))}. Mend ~/.aws, or "
            "the AWS_ variables of the environment"
        ) from None
    except ClientError as error:
        told = error.response.get("Error", {})
        code = str(told.get("Code", ""))
        said = f"{code}: {told.get('Message', '')}"
        raise _error_of(code)(f"{asked}: AWS answered {quotable(said)}") from None
    except BotoCoreError as error:
        raise TransportError(f"{asked}: AWS gave no answer ({type(error).__name__})") from None


def _error_of(code: str) -> type[HubframeError]:
    return next((kind for kind, held in _CODES.items() if held.search(code)), TransportError)


def _joined(pages: Iterable[Mapping[str, Any]], key: str) -> list[Mapping[str, Any]]:
    return [one for page in pages for one in page.get(key) or ()]


def _basic(one: Mapping[str, Any]) -> Row:
    """Read what a basic scan found: the package stands among attributes, scores as text."""
    told = {each.get("key"): each.get("value") for each in items(one.get("attributes"))}
    newest = next((name for name in _SCORES if f"{name}_SCORE" in told), _SCORES[-1])
    return {
        "id": text(one.get("name")),
        "type": "generic",
        "name": text(told.get("package_name")),
        "version": text(told.get("package_version")),
        "state": AFFECTED,
        "severity": severity(one.get("severity")),
        "cvss": _number(told.get(f"{newest}_SCORE")),
        "cvss_vector": text(told.get(f"{newest}_VECTOR")),
        "url": text(one.get("uri")),
    }


def _enhanced(one: Mapping[str, Any]) -> Iterator[Row]:
    """Read what Inspector found, a row for each package that has it."""
    about = mapping(one.get("packageVulnerabilityDetails"))
    found, source = text(about.get("vulnerabilityId")), text(about.get("source"))
    scores = items(about.get("cvss"))
    newest = max(scores, key=lambda score: str(score.get("version")), default={})
    shared = {
        "id": found,
        "aliases": joined(" ", *sorted({*texts(about.get("relatedVulnerabilities"))} - {found})),
        "severity": severity(one.get("severity")),
        "cvss": newest.get("baseScore"),
        "cvss_vector": text(newest.get("scoringVector")),
        "published_at": _moment(about.get("vendorCreatedAt")),
        "modified_at": _moment(about.get("vendorUpdatedAt")),
        "advisory_source": source,
        "title": text(one.get("title")),
        "url": text(about.get("sourceUrl")),
    }
    system = (source or "").partition("_")[0]
    for package in items(about.get("vulnerablePackages")):
        manager, epoch = package.get("packageManager"), package.get("epoch")
        version = joined("-", package.get("version"), package.get("release"))
        fixed = (text(package.get("fixedInVersion")) or "").removeprefix("0:")
        fixed = "" if fixed == _NO_FIX else fixed
        yield {
            **shared,
            "type": _KINDS.get(system if manager == "OS" else str(manager), "generic"),
            "name": text(package.get("name")),
            "version": f"{epoch}:{version}" if epoch and version else version,
            "fixed_version": fixed or None,
            "state": fixed_or(fixed, None),
            "layer_digest": digest_of(package.get("sourceLayerHash")),
            "path": (text(package.get("filePath")) or "").lstrip("/") or None,
        }


def _number(written: Any) -> float | None:
    with suppress(TypeError, ValueError):
        return float(written)
    return None


def _moment(found: Any) -> str | None:
    """Write a date as frames read it."""
    return found.astimezone(UTC).isoformat() if isinstance(found, datetime) else None
