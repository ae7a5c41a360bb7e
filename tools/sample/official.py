"""The ``library`` namespace: two base systems, and what is built on them."""

from collections.abc import Sequence
from datetime import datetime

from tools.sample.draft import Draft, Era, Images, build_all
from tools.sample.image import (
    AMD64,
    ARM64,
    ARM_V7,
    I386,
    PPC64LE,
    S390X,
    Image,
    Platform,
    Step,
    add,
    cmd,
    copy,
    entrypoint,
    env,
    expose,
    label,
    run,
    stop_signal,
    verbatim,
    volume,
    workdir,
)
from tools.sample.seeded import moment
from tools.sample.store import Store

EVERY_PLATFORM = (AMD64, ARM_V7, ARM64, I386, PPC64LE, S390X)
DEBIAN_PLATFORMS = (AMD64, ARM_V7, ARM64, I386, PPC64LE)
COMMON_PLATFORMS = (AMD64, ARM_V7, ARM64)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Base systems set PATH without a step that says so.
SCRATCH = {
    platform: Image(platform, settings={"Env": {"PATH": PATH}}) for platform in EVERY_PLATFORM
}
SOURCE = "https://sample.invalid/library/"

OPERATING_SYSTEMS = ("Operating systems", "operating-systems")
LANGUAGES = ("Languages & frameworks", "languages-and-frameworks")
WEB_SERVERS = ("Web servers", "web-servers")
DATABASES = ("Databases & storage", "databases-and-storage")

# version, pushed, compressed megabytes
ALPINE = (
    ("3.9.0", "2019-03-07", 2.74), ("3.10.0", "2019-06-20", 2.79), ("3.11.0", "2019-12-20", 2.80),
    ("3.12.0", "2020-05-29", 2.80), ("3.13.0", "2021-01-15", 2.81), ("3.14.0", "2021-06-16", 2.81),
    ("3.15.0", "2021-11-24", 2.82), ("3.16.0", "2022-05-24", 2.80), ("3.17.0", "2022-11-23", 3.37),
    ("3.18.0", "2023-05-10", 3.40), ("3.18.4", "2023-09-29", 3.41), ("3.19.0", "2023-12-08", 3.41),
    ("3.20.0", "2024-05-23", 3.62), ("3.20.3", "2024-09-07", 3.63), ("3.21.0", "2024-12-06", 3.64),
    ("3.21.3", "2025-02-14", 3.64), ("3.22.0", "2025-05-31", 3.79), ("3.22.2", "2025-10-09", 3.80),
    ("3.23.0", "2025-12-04", 3.86), ("3.24.0", "2026-06-02", 3.91), ("3.24.2", "2026-10-14", 3.92),
)  # fmt: skip

# version, code name, pushed, compressed megabytes of the whole and of the slim variant
DEBIAN = (
    ("9.8", "stretch", "2019-03-05", 45.3, 22.5),
    ("10.1", "buster", "2019-09-12", 50.4, 27.1),
    ("10.4", "buster", "2020-06-10", 50.4, 27.1),
    ("10.8", "buster", "2021-02-10", 50.4, 27.1),
    ("11.0", "bullseye", "2021-08-18", 54.9, 31.4),
    ("11.4", "bullseye", "2022-07-12", 55.0, 31.4),
    ("11.6", "bullseye", "2022-12-21", 55.0, 31.4),
    ("12.0", "bookworm", "2023-06-14", 49.6, 29.2),
    ("12.4", "bookworm", "2023-12-19", 49.6, 29.1),
    ("12.6", "bookworm", "2024-07-02", 49.6, 29.1),
    ("12.9", "bookworm", "2025-01-14", 48.5, 28.2),
    ("12.12", "bookworm", "2025-09-09", 48.5, 28.2),
    ("13.0", "trixie", "2025-08-13", 49.3, 29.8),
    ("13.3", "trixie", "2026-02-03", 49.3, 29.8),
    ("13.6", "trixie", "2026-11-04", 49.4, 29.9),
)

# version, pushed, compressed megabytes of the interpreter
PYTHON = (
    ("3.8.0", "2019-10-17", 11.9), ("3.8.6", "2020-09-25", 12.1),
    ("3.9.0", "2020-10-06", 12.4), ("3.10.0", "2021-10-05", 12.6),
    ("3.10.8", "2022-10-12", 12.7), ("3.11.0", "2022-10-25", 13.1), ("3.11.4", "2023-06-15", 13.1),
    ("3.12.0", "2023-10-03", 13.3), ("3.12.4", "2024-07-03", 13.4), ("3.13.0", "2024-10-08", 13.7),
    ("3.13.2", "2025-02-05", 11.9), ("3.14.0", "2025-10-08", 12.2), ("3.14.3", "2026-02-05", 12.2),
    ("3.15.0rc1", "2026-08-05", 12.9), ("3.15.0", "2026-10-07", 12.8),
)  # fmt: skip

NGINX = (
    ("1.17.3", "2019-09-14", 21.9), ("1.19.0", "2020-06-11", 24.6), ("1.19.7", "2021-02-17", 25.1),
    ("1.21.1", "2021-08-19", 25.2), ("1.23.0", "2022-07-13", 25.3), ("1.23.3", "2022-12-22", 25.4),
    ("1.25.1", "2023-06-15", 38.8), ("1.25.4", "2024-02-15", 38.9), ("1.27.3", "2025-01-15", 42.9),
    ("1.29.1", "2025-08-14", 42.9), ("1.29.5", "2026-02-05", 32.4), ("1.31.2", "2026-11-05", 32.9),
)  # fmt: skip

REDIS = (
    ("5.0.6", "2019-09-26", 7.4), ("6.0.5", "2020-06-11", 8.2), ("6.2.0", "2021-02-23", 8.9),
    ("6.2.7", "2022-07-13", 9.1), ("7.0.7", "2022-12-22", 10.3), ("7.0.12", "2023-07-11", 10.4),
    ("7.2.4", "2024-01-10", 11.1), ("7.4.2", "2025-01-15", 13.2), ("8.2.1", "2025-08-19", 26.4),
    ("8.6.0", "2026-02-10", 27.1),
)  # fmt: skip


def draft(store: Store) -> dict[str, Draft]:
    """Return the official repositories by name."""
    alpine, debian = _alpine(store), _debian(store)
    return {
        "alpine": alpine,
        "debian": debian,
        "python": _python(store, debian, alpine),
        "nginx": _nginx(store, debian, alpine),
        "redis": _redis(store, debian, alpine),
    }


def minor(version: str) -> str:
    """Return ``3.21`` of ``3.21.3``."""
    return ".".join(version.split(".")[:2])


def _alpine(store: Store) -> Draft:
    repository = Draft(
        store, "library/alpine", "a minimal base system.", 11_402_118_733, 11_480, "2015-02-04",
        categories=(OPERATING_SYSTEMS,),
    )  # fmt: skip
    for version, day, megabytes in ALPINE:
        at = moment(day, "alpine")
        steps = [_root(f"alpine-minirootfs-{version}.tar.gz", megabytes), cmd("/bin/sh")]
        tags = [version, minor(version), "3", "latest"]
        _publish(repository, tags, at, SCRATCH, steps, EVERY_PLATFORM, version)
    edge = [_root("alpine-minirootfs-20261109.tar.gz", 4.01), cmd("/bin/sh")]
    _publish(repository, ["edge"], moment("2026-11-10"), SCRATCH, edge, EVERY_PLATFORM, "edge")
    return repository


def _root(archive: str, megabytes: float) -> Step:
    return add(f"{archive} /", megabytes)


def _debian(store: Store) -> Draft:
    repository = Draft(
        store, "library/debian", "a general base system.", 1_204_775_310, 5_260, "2014-05-01",
        categories=(OPERATING_SYSTEMS,),
    )  # fmt: skip
    newest = ""
    for version, name, day, whole, slim in sorted(DEBIAN, key=lambda row: row[2]):
        at = moment(day, "debian")
        major = version.partition(".")[0]
        newest = max(newest, major, key=lambda text: int(text or 0))
        stable = newest == major
        dated = f"{name}-{at:%Y%m%d}-slim"
        tags = [version, name, major, *(["latest"] if stable else [])]
        slims = [f"{version}-slim", f"{name}-slim", *(["stable-slim"] if stable else [])]
        if at.year >= 2025:
            slims.append(dated)
        steps = _debian_steps(name, at, whole)
        _publish(repository, tags, at, SCRATCH, steps, DEBIAN_PLATFORMS, name)
        steps = _debian_steps(f"{name}-slim", at, slim)
        _publish(repository, slims, at, SCRATCH, steps, DEBIAN_PLATFORMS, name)
    return repository


def _debian_steps(name: str, at: datetime, megabytes: float) -> list[Step]:
    if not Era.official(at).buildkit:
        return [add(f"rootfs-{name}.tar.xz /", megabytes, f"{at:%Y%m%d}"), cmd("bash")]
    comment = "debuerreotype 0.16"
    script = f"# debian.sh --arch out/ '{name}' '@{int(at.timestamp())}'"
    return [verbatim(script, megabytes, comment), cmd("bash")]


def _publish(  # noqa: PLR0913, PLR0917
    repository: Draft,
    tags: Sequence[str],
    at: datetime,
    base: Images,
    steps: Sequence[Step],
    platforms: Sequence[Platform],
    version: str,
) -> None:
    era = Era.official(at)
    images = build_all(base, platforms, steps, at, era)
    source = SOURCE + repository.path.partition("/")[2]
    repository.release(tags, at, images, era, source=source, version=version)


def _python(store: Store, debian: Draft, alpine: Draft) -> Draft:
    repository = Draft(
        store, "library/python", "an interpreter on two bases.", 6_113_904_551, 10_150,
        "2014-06-06", categories=(LANGUAGES, ("Developer tools", "developer-tools")),
    )  # fmt: skip
    for version, day, megabytes in PYTHON:
        at = moment(day, "python")
        for variant, base in _bases(debian, alpine, at).items():
            tags = _python_tags(version, variant)
            steps = _python_steps(version, variant, megabytes)
            _publish(repository, tags, at, base, steps, COMMON_PLATFORMS, version)
    for version, day in (("3.13.2", "2025-02-05"), ("3.14.3", "2026-02-05")):
        _windows(repository, version, moment(day, "python", "windows"))
    return repository


def _bases(debian: Draft, alpine: Draft, at: datetime) -> dict[str, Images]:
    return {
        "": debian.at("latest", at),
        "slim": debian.at("stable-slim", at),
        "alpine": alpine.at("latest", at),
    }


def _python_tags(version: str, variant: str) -> list[str]:
    final = "rc" not in version
    if not variant:
        return [version, *([minor(version), "3", "latest"] if final else [])]
    return [f"{version}-{variant}", *([variant] if final else [])]


def _python_steps(version: str, variant: str, megabytes: float) -> list[Step]:
    prepare = {
        "": [
            run(_apt("ca-certificates curl gnupg netbase wget"), 16.4),
            run(_apt("git mercurial openssh-client subversion procps"), 54.2),
            run(_apt("autoconf automake bzip2 g++ gcc make zlib1g-dev"), 186.0),
        ],
        "slim": [run(_apt("ca-certificates netbase tzdata"), 3.3)],
        "alpine": [run("set -eux; apk add --no-cache ca-certificates tzdata;", 0.6)],
    }[variant]
    return [
        env("PATH", f"/usr/local/bin:{PATH}"),
        env("LANG", "C.UTF-8"),
        *prepare,
        env("PYTHON_VERSION", version),
        run(
            "set -eux; wget -O python.tar.xz https://sample.invalid/python-$PYTHON_VERSION.tar.xz;"
            " tar --extract --file python.tar.xz; ./configure --enable-shared; make -j $(nproc);"
            " make install; python3 --version",
            megabytes + (6 if not variant else 0),
            content=version,
        ),
        run("set -eux; for name in idle pip python; do ln -s ${name}3 $name; done", 0.00025),
        cmd("python3"),
    ]  # fmt: skip


def _apt(packages: str) -> str:
    return (
        f"set -eux; apt-get update; apt-get install -y --no-install-recommends {packages};"
        " rm -rf /var/lib/apt/lists/*"
    )


def _windows(repository: Draft, version: str, at: datetime) -> None:
    images = {}
    for build, megabytes in (("10.0.20348.3089", 601.0), ("10.0.26100.2894", 498.0)):
        platform = Platform("windows", "amd64", os_version=build)
        shell = "powershell -Command $ErrorActionPreference = 'Stop';"
        steps = [
            verbatim(f"Apply image {build.rpartition('.')[0]}.1", megabytes),
            verbatim(f"Install update {build}", 148.0),
            verbatim(f"cmd /S /C #(nop)  ENV PYTHON_VERSION={version}",
                     Env={"PYTHON_VERSION": version}),
            verbatim(f"{shell} Write-Host ('Installing {version} ...'); python --version", 31.0),
            verbatim('cmd /S /C #(nop)  CMD ["python"]', Cmd=["python"]),
        ]  # fmt: skip
        images[platform] = Image(platform).build(steps, at, buildkit=False)
    tags = [f"{version}-windowsservercore"]
    repository.release(tags, at, images, Era(buildkit=False, oci=False, attestation=""))


def _nginx(store: Store, debian: Draft, alpine: Draft) -> Draft:
    repository = Draft(
        store, "library/nginx", "a web server on two bases.", 12_981_954_060, 21_268, "2014-06-05",
        categories=(WEB_SERVERS,),
    )  # fmt: skip
    for version, day, megabytes in NGINX:
        at = moment(day, "nginx")
        bases = _bases(debian, alpine, at)
        tags = [version, "1", "mainline", "latest"]
        steps = _nginx_steps(version, megabytes, "apt-get install -y nginx")
        _publish(repository, tags, at, bases["slim"], steps, COMMON_PLATFORMS, version)
        tags = [f"{version}-alpine", "alpine"]
        steps = _nginx_steps(version, megabytes * 0.4, "apk add --no-cache nginx")
        _publish(repository, tags, at, bases["alpine"], steps, COMMON_PLATFORMS, version)
    return repository


def _nginx_steps(version: str, megabytes: float, install: str) -> list[Step]:
    return [
        label("maintainer", "The hubframe sample <sample@sample.invalid>"),
        env("NGINX_VERSION", version),
        env("PKG_RELEASE", "1"),
        run(f"set -x && {install}=$NGINX_VERSION-$PKG_RELEASE && nginx -t", megabytes),
        copy("docker-entrypoint.sh /", 0.00062),
        copy("10-listen-on-ipv6.sh /docker-entrypoint.d", 0.00096),
        entrypoint("/docker-entrypoint.sh"),
        expose(80),
        stop_signal("SIGQUIT"),
        cmd("nginx", "-g", "daemon off;"),
    ]


def _redis(store: Store, debian: Draft, alpine: Draft) -> Draft:
    repository = Draft(
        store, "library/redis", "a store in memory on two bases.", 9_871_332_046, 13_490,
        "2014-06-05", categories=(DATABASES,),
    )  # fmt: skip
    for version, day, megabytes in REDIS:
        at = moment(day, "redis")
        bases = _bases(debian, alpine, at)
        steps = _redis_steps(version, megabytes)
        tags = [version, "latest"]
        _publish(repository, tags, at, bases["slim"], steps, COMMON_PLATFORMS, version)
        tags = [f"{version}-alpine", "alpine"]
        _publish(repository, tags, at, bases["alpine"], steps, COMMON_PLATFORMS, version)
    return repository


def _redis_steps(version: str, megabytes: float) -> list[Step]:
    return [
        run("set -eux; groupadd -r -g 999 redis; useradd -r -g redis -u 999 redis", 0.0018),
        env("REDIS_VERSION", version),
        run("set -eux; make -C /usr/src/redis -j $(nproc) all; make install", megabytes,
            content=version),
        run("mkdir /data && chown redis:redis /data", 0.0001),
        volume("/data"),
        workdir("/data", makes_layer=int(version[0]) > 6),
        copy("docker-entrypoint.sh /usr/local/bin/", 0.00058),
        entrypoint("docker-entrypoint.sh"),
        expose(6379),
        cmd("redis-server"),
    ]  # fmt: skip
