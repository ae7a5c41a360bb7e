"""From layers to the image: what is there in the end, and since which layer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubframe.errors import NotFoundError, PayloadError
from hubframe.oci.archives import list_files
from hubframe.oci.contents.databases import MOST_OF_FILE, find_place, read_packages
from hubframe.oci.contents.filesystem import FileSystem, Layer
from tests.layerfiles.layers import archive, digest_of, entry, folder, packed

from .documents import spdx_of
from .images import CAPS, read_image
from .rpms import BASH, SHADOW, header, in_ndb, in_sqlite

STATUS, APK = "var/lib/dpkg/status", "lib/apk/db/installed"
SITE = "usr/lib/python3/site-packages"
DEBIAN = b'ID=debian\nVERSION_ID="12"\n'


def debs(**versions):
    return "\n".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n"
        for name, version in versions.items()
    ).encode()


def wheel(name, version):
    return (
        f"{SITE}/{name}-{version}.dist-info/METADATA",
        f"Name: {name}\nVersion: {version}\n".encode(),
    )


def link(name, target, kind=b"2"):
    return entry(name, kind=kind, linkname=target)


def found(*layers):
    """Name, version and position of each package."""
    contents = read_image(*layers)
    assert contents.failures == []
    return [(one.name, one.version, position) for one, position in contents.packages]


# Installed, upgraded, removed and installed again, in four layers.
FOUR = [
    archive((STATUS, debs(base="1", curl="7", git="2", nano="6")), wheel("pip", "23"), wheel("idna", "3")),
    archive(
        (STATUS, debs(base="1", curl="8", nano="6")),
        (f"{SITE}/.wh.pip-23.dist-info", b""),
        wheel("pip", "24"),
        wheel("idna", "3"),
    ),
    archive((STATUS, debs(base="1", curl="8")), (f"{SITE}/.wh.idna-3.dist-info", b"")),
    archive((STATUS, debs(base="1", curl="7", git="2", nano="6")), wheel("idna", "3")),
]  # fmt: skip


def test_positions_of_what_is_installed_upgraded_removed_and_installed_again():
    assert found(*FOUR[:1]) == [
        ("idna", "3", 0), ("pip", "23", 0),
        ("base", "1", 0), ("curl", "7", 0), ("git", "2", 0), ("nano", "6", 0),
    ]  # fmt: skip
    assert found(*FOUR[:2]) == [
        ("idna", "3", 0), ("pip", "24", 1), ("base", "1", 0), ("curl", "8", 1), ("nano", "6", 0),
    ]  # fmt: skip
    assert found(*FOUR[:3]) == [("pip", "24", 1), ("base", "1", 0), ("curl", "8", 1)]
    assert found(*FOUR) == [
        ("idna", "3", 3), ("pip", "24", 1),
        ("base", "1", 0), ("curl", "7", 3), ("git", "2", 3), ("nano", "6", 3),
    ]  # fmt: skip


def test_layers_without_databases_change_nothing_and_are_counted():
    empty, other = archive(), archive(("etc/motd", b"x"), ("etc/.wh.issue", b""))
    assert found(empty, archive((STATUS, debs(a="1"))), other, packed(other)) == [("a", "1", 1)]
    assert found() == found(empty) == []


@pytest.mark.parametrize(
    "removal",
    [
        [("var/lib/.wh.dpkg", b"")],
        [("var/.wh.lib", b"")],
        [(".wh.var", b"")],
        [("var/lib/dpkg/.wh.status", b"")],
        [folder("var/lib/dpkg"), ("var/lib/dpkg/.wh..wh..opq", b"")],
        [(".wh..wh..opq", b"")],
        [("var/lib", b"a file where a folder was")],
        [link("var/lib", "../elsewhere")],
        [link(STATUS, "elsewhere")],
    ],
)
def test_what_hides_a_database_hides_its_packages_and_breaks_their_time(removal):
    base = archive(("etc/os-release", DEBIAN), (STATUS, debs(a="1")))
    layers = [base, archive(*removal)]
    assert found(*layers) == []
    # What is there again is there since then.
    assert found(*layers, archive((STATUS, debs(a="1")))) == [("a", "1", 2)]


def test_what_a_layer_hides_and_writes_again_was_there_before_it():
    upper = archive(("var/lib/.wh.dpkg", b""), (STATUS, debs(a="1", b="1")))
    assert found(archive((STATUS, debs(a="1"))), upper) == [("a", "1", 0), ("b", "1", 1)]


def test_an_image_without_its_database_is_still_of_its_distribution():
    base = archive(("etc/os-release", DEBIAN), (STATUS, debs(a="1")))
    contents = read_image(base, archive(("var/lib/.wh.dpkg", b"")))
    assert (contents.packages, contents.distribution.id) == ([], "debian")


def test_a_folder_that_is_written_again_hides_nothing():
    base = archive((STATUS, debs(a="1")), wheel("idna", "3"))
    assert found(base, archive(folder("var/lib/dpkg"), folder(SITE))) == [
        ("idna", "3", 0), ("a", "1", 0),
    ]  # fmt: skip
    # Names that begin alike are others.
    assert (
        len(found(base, archive(("var/lib/.wh.dpk", b""), ("va", b""), ("var/lib/.wh.dpkg2", b""))))
        == 2
    )


def test_an_opaque_folder_hides_what_is_below_and_not_what_is_in_its_layer():
    upper = archive(("usr/.wh..wh..opq", b""), wheel("new", "1"))
    assert found(archive(wheel("old", "1"), (STATUS, debs(a="1"))), upper) == [
        ("new", "1", 1), ("a", "1", 0),
    ]  # fmt: skip


def test_status_and_status_d_are_of_one_system():
    base = archive(
        ("var/lib/dpkg/status.d/a", debs(a="1")), ("var/lib/dpkg/status.d/b", debs(b="1"))
    )
    later = archive((STATUS, debs(a="1", c="2")), ("var/lib/dpkg/status.d/.wh.a", b""))
    assert found(base, later) == [("a", "1", 0), ("c", "2", 1), ("b", "1", 0)]


def test_a_database_that_moves_keeps_the_time_of_its_packages():
    base = archive(("var/lib/rpm/rpmdb.sqlite", in_sqlite(BASH, SHADOW)))
    moved = archive(
        ("usr/lib/sysimage/rpm/Packages.db", in_ndb(BASH, header(name="new", version="1"))),
        ("var/lib/.wh.rpm", b""),
    )
    assert found(base, moved) == [("bash", "5.1.8-6.el9", 0), ("new", "1", 1)]


def test_a_system_in_a_folder_is_told_by_its_path_and_is_of_no_distribution():
    contents = read_image(
        archive(
            ("etc/os-release", DEBIAN),
            (STATUS, debs(a="1")),
            (f"srv/chroot/{STATUS}", debs(a="1", b="1")),
        ),
        archive((STATUS, debs(a="1", b="1"))),
    )
    assert [(one.path, one.name, one.namespace, position) for one, position in contents.packages] == [
        (f"srv/chroot/{STATUS}", "a", None, 0), (f"srv/chroot/{STATUS}", "b", None, 0),
        (STATUS, "a", "debian", 0), (STATUS, "b", "debian", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([("usr/lib/os-release", DEBIAN), link("etc/os-release", "../usr/lib/os-release")], "usr/lib/os-release"),
        ([("usr/lib/os-release", b"ID=no"), ("etc/os-release", DEBIAN)], "etc/os-release"),
        ([("usr/lib/os-release", DEBIAN)], "usr/lib/os-release"),
        (
            [
                ("usr/lib/os.release.d/fedora", DEBIAN),
                link("usr/lib/os-release", "./os.release.d/fedora"),
                link("etc/os-release", "/usr/lib/os-release"),
            ],
            "usr/lib/os.release.d/fedora",
        ),
        ([("usr/lib/os-release", DEBIAN), link("etc/os-release", "usr/lib/os-release", b"1")], "etc/os-release"),
        # Out of the image leads nowhere, nor do circles.
        ([("usr/lib/os-release", DEBIAN), link("etc/os-release", "../../../../usr/lib/os-release")], "usr/lib/os-release"),
        ([link("usr/lib/os-release", "os-release"), link("etc/os-release", "os-release")], None),
        ([("srv/etc/os-release", DEBIAN)], None),
        ([("etc/os-release", b"nothing")], None),
    ],
)  # fmt: skip
def test_the_distribution_is_what_the_system_says(entries, told):
    contents = read_image(archive(), archive(*entries))
    if told is None:
        assert (contents.distribution, contents.distribution_position) == (None, None)
    else:
        assert contents.distribution.qualifier == "debian-12"
        assert (contents.distribution.path, contents.distribution_position) == (told, 1)


def test_os_release_comes_before_what_older_systems_have():
    old = archive(
        ("etc/centos-release", b"CentOS release 6.10 (Final)\n"),
        link("etc/redhat-release", "centos-release"),
    )
    assert read_image(old).distribution.qualifier == "centos-6.10"
    ubuntu = archive(
        ("etc/debian_version", b"jessie/sid\n"),
        ("etc/lsb-release", b"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\n"),
    )
    assert read_image(ubuntu).distribution.qualifier == "ubuntu-14.04"
    assert read_image(old, archive(("etc/os-release", DEBIAN))).distribution.id == "debian"


def test_a_release_may_be_a_hard_link_to_a_link():
    """As images of ostree have it, whose files are objects of its repository."""
    objects = archive(
        ("objects/1", DEBIAN), link("usr/lib/os-release", "objects/1", b"1"),
        link("objects/2", "../usr/lib/os-release"), link("etc/os-release", "objects/2", b"1"),
    )  # fmt: skip
    contents = read_image(archive(("usr/lib/os-release", DEBIAN)), objects)
    assert [path for _, path, _ in contents.failures] == ["usr/lib/os-release"]
    contents = read_image(objects, archive(("usr/lib/os-release", DEBIAN)))
    assert (contents.distribution.id, contents.distribution_position) == ("debian", 1)
    system = FileSystem([Layer(list_files([objects], "layer", CAPS))])
    assert system.follow("etc/os-release").path == "objects/1"


def test_other_package_managers_are_named_while_their_databases_are_there():
    pacman, nix = "var/lib/pacman/local", "nix/store"
    base = archive((f"{pacman}/bash-5-1/desc", b"x"), (f"{nix}/abc-bash-5/bin/bash", b""))
    assert read_image(base).unread == [nix, pacman]
    assert read_image(base, archive(("var/lib/.wh.pacman", b""))).unread == [nix]
    assert read_image(base, archive((".wh.nix", b""), (f"{nix}/x", b""))).unread == [nix, pacman]
    assert read_image(archive((f"chroot/{nix}/x", b""))).unread == []


def test_the_topmost_release_counts():
    layers = [archive(("etc/os-release", b"ID=a")), archive(("etc/os-release", b"ID=b"))]
    contents = read_image(*layers, archive(("etc/motd", b"")))
    assert (contents.distribution.id, contents.distribution_position) == ("b", 1)
    assert read_image(*layers, archive(("etc/.wh.os-release", b""))).distribution is None


def test_who_asked_for_a_package_where_that_is_told():
    def package(name):
        return b'{"name": "%s", "version": "1"}' % name.encode()

    contents = read_image(
        archive(
            wheel("asked", "1"), wheel("needed", "1"), (f"{SITE}/asked-1.dist-info/REQUESTED", b""),
            ("opt/site-packages/unknown-1.dist-info/METADATA", b"Name: unknown\nVersion: 1"),
            (f"{SITE}/egg-1.egg-info/PKG-INFO", b"Name: egg\nVersion: 1"),
            ("usr/lib/node_modules/npm/package.json", package("npm")),
            ("usr/lib/node_modules/npm/node_modules/x/package.json", package("x")),
            ("app/node_modules/lifted/package.json", package("lifted")),
            ("app/node_modules/.pnpm/p@1/node_modules/p/package.json", package("p")),
            ("app/node_modules/.pnpm/p@1/node_modules/p/node_modules/q/package.json", package("q")),
        )
    )  # fmt: skip
    assert {one.name: one.is_direct for one, _ in contents.packages} == {
        "asked": True, "needed": False, "unknown": None, "egg": None,
        "npm": True, "x": False, "lifted": None, "p": None, "q": False,
    }  # fmt: skip


BITNAMI = "opt/bitnami/pg/.spdx-pg.spdx"


def bitnami(*versions):
    return BITNAMI, spdx_of(*(f"pkg:bitnami/{name}@{version}" for name, version in versions))


def test_packages_of_documents_in_the_image_go_by_layers_as_those_of_databases_do():
    first, second = (
        archive(bitnami(("pg", "16"), ("geos", "3"))),
        archive(bitnami(("pg", "17"), ("geos", "3"))),
    )
    assert found(first, second) == [("pg", "17", 1), ("geos", "3", 0)]
    assert found(first, archive(("opt/.wh.bitnami", b""))) == []
    assert found(first, archive(link(BITNAMI, "elsewhere.spdx"))) == []


def test_what_a_database_tells_of_too_counts_once():
    zlib = "pkg:apk/wolfi/zlib@1.3-r0?arch=x86_64"
    layers = [
        archive((APK, b"P:zlib\nV:1.3-r0\nA:x86_64\n\n")),
        archive(
            ("var/lib/db/sbom/zlib-1.3-r0.spdx.json", spdx_of(zlib, "pkg:github/madler/zlib@v1.3")),
            ("var/lib/db/sbom/gomp-13-r0.spdx.json", spdx_of("pkg:apk/wolfi/gomp@13-r0")),
            # Another version, and another scope.
            ("srv/a.spdx.json", spdx_of("pkg:apk/wolfi/zlib@1.2-r0", "pkg:npm/%40b/core@7", "pkg:npm/%40a/core@7")),
            ("app/node_modules/@a/core/package.json", b'{"name": "@a/core", "version": "7"}'),
        ),
    ]  # fmt: skip
    contents = read_image(*layers)
    assert [(one.type, one.namespace, one.name, one.path) for one, _ in contents.packages] == [
        ("npm", "a", "core", "app/node_modules/@a/core/package.json"),
        ("apk", None, "zlib", APK),
        ("apk", "wolfi", "zlib", "srv/a.spdx.json"),
        ("npm", "b", "core", "srv/a.spdx.json"),
        ("apk", "wolfi", "gomp", "var/lib/db/sbom/gomp-13-r0.spdx.json"),
        ("github", "madler", "zlib", "var/lib/db/sbom/zlib-1.3-r0.spdx.json"),
    ]


def test_documents_in_the_image_are_named_whether_they_are_read_or_not():
    path, tag_value = "opt/bitnami/a/.spdx-a.spdx", b"SPDXVersion: SPDX-2.3\n"
    base = archive((path, b"{}"), ("b.cdx.json", tag_value), ("gone.sbom", b"{}"))
    contents = read_image(base, archive((path, spdx_of("pkg:npm/a@1")), (".wh.gone.sbom", b"")))
    assert [(path, one.size, one.about.get("package_count")) for path, one in contents.documents] == [
        ("b.cdx.json", len(tag_value), None), (path, len(spdx_of("pkg:npm/a@1")), 1),
    ]  # fmt: skip
    assert contents.documents[0][1].digest == digest_of(tag_value)
    # None of it ends a call.
    assert contents.failures == []
    assert sorted(path for _, path, _ in contents.left_out) == ["b.cdx.json", "gone.sbom", path]


def test_what_is_damaged_costs_itself_only_and_is_told():
    contents = read_image(
        archive((STATUS, debs(a="1")), ("var/lib/rpm/Packages", b"nonsense" * 99)),
        archive(("app/node_modules/a/package.json", b"{")),
    )
    assert [one.name for one, _ in contents.packages] == ["a"]
    assert [(position, path) for position, path, _ in contents.failures] == [
        (0, "var/lib/rpm/Packages")
    ]
    assert [(position, path) for position, path, _ in contents.left_out] == [
        (1, "app/node_modules/a/package.json")
    ]
    assert "no database of rpm" in contents.failures[0][2]


def test_a_log_beside_a_database_is_told_unless_it_is_empty():
    path = "usr/lib/sysimage/rpm/rpmdb.sqlite"
    for log, failures in (
        (b"", []),
        (b"log", [(0, path, "what a log beside it (-wal) holds is not read")]),
    ):
        contents = read_image(archive((path, in_sqlite(BASH)), (f"{path}-wal", log)))
        assert [one.name for one, _ in contents.packages] == ["bash"]
        assert contents.failures == failures
    # As it is where rpm was ended before it wrote into its database what it did.
    base, log = archive((path, in_sqlite(BASH))), archive((f"{path}-wal", b"log"))
    assert read_image(base, log).failures == [
        (1, path, "what a log beside it (-wal) holds is not read")
    ]
    for above in (
        archive((f"{path}-wal", b"")),
        archive((path.replace("rpmdb", ".wh.rpmdb"), b"")),
    ):
        assert read_image(base, log, above).failures == []


def test_a_database_that_is_too_large_hides_the_older_one_and_is_told():
    large = archive((STATUS, bytes(MOST_OF_FILE + 1)))
    contents = read_image(archive((STATUS, debs(a="1"))), large)
    assert contents.packages == []
    assert contents.failures[0][:2] == (1, STATUS)
    assert "too large" in contents.failures[0][2]


def test_what_could_not_be_read_and_is_replaced_or_removed_hides_nothing():
    path = "var/lib/rpm/rpmdb.sqlite"
    damaged = archive((path, b"nonsense" * 99), ("lib/apk/db/installed", bytes(MOST_OF_FILE + 1)))
    above = archive((path, in_sqlite(BASH)), ("lib/apk/.wh.db", b""))
    contents = read_image(damaged, above)
    assert [(one.name, position) for one, position in contents.packages] == [("bash", 1)]
    assert contents.failures == []
    # It is told, since the package may have been there before.
    assert {path for _, path, _ in contents.left_out} == {path, "lib/apk/db/installed"}


def test_a_layer_that_holds_a_path_twice_has_the_last():
    assert found(archive((STATUS, debs(a="1")), (STATUS, debs(b="1")))) == [("b", "1", 0)]


# Paths of databases, and of what may hide them.
PLACES = [
    STATUS, "var/lib/dpkg/status.d/a", "var/lib/dpkg/status.d/b", f"c/{STATUS}",
    f"{SITE}/a-1.dist-info/METADATA", f"{SITE}/b-1.dist-info/METADATA",
]  # fmt: skip
FOLDERS = sorted({"/".join(path.split("/")[:depth]) for path in PLACES for depth in range(1, 5)})
VERSIONS = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12"), min_size=1, max_size=3)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(PLACES), VERSIONS),
        st.tuples(
            st.sampled_from(["remove", "empty", "file", "folder"]),
            st.sampled_from(PLACES * 4 + FOLDERS),
        ),
    ),
    max_size=4,
)


def content(path, versions):
    """A database of these packages; a file of metadata has one."""
    if path.endswith("METADATA"):
        return "".join(
            f"Name: {name}\nVersion: {version}\n" for name, version in sorted(versions.items())[:1]
        ).encode()
    return debs(**versions)


def is_below(path, folder):
    return path.startswith(f"{folder}/")


def written(changes):
    """A layer of changes, without those that contradict an earlier one, and what it does to a tree."""
    files, folders, entries, hidden = {}, set(), [], []
    for how, path, *versions in changes:
        if how in ("write", "file"):
            if any(path == one or is_below(path, one) or is_below(one, path) for one in files):
                continue
            if any(path == one or is_below(one, path) for one in folders):
                continue
            files[path] = content(path, *versions) if versions else b""
            hidden.append(path)
        elif how == "folder":
            if any(path == one or is_below(path, one) for one in files):
                continue
            folders.add(path)
            entries.append(folder(path))
        elif how == "remove":
            above, slash, name = path.rpartition("/")
            entries.append((f"{above}{slash}.wh.{name}", b""))
            hidden.append(path)
        else:
            entries.append((f"{path}/.wh..wh..opq", b""))
            hidden.append(f"{path}/")
    return archive(*entries, *files.items()), files, folders, hidden


def upon(tree, files, folders, hidden):
    """A tree without what a layer hides; a directory, be it made for what is in it, hides a file."""
    return {
        path: held
        for path, held in tree.items()
        if not any(path == one or is_below(path, one.rstrip("/")) for one in hidden)
        and not any(path == one or is_below(one, path) for one in (*files, *folders))
    }


@settings(max_examples=150, deadline=None)
@given(st.lists(CHANGES, max_size=5))
def test_whatever_layers_do_files_packages_and_positions_are_those_of_the_trees(layers):
    made = [written(changes) for changes in layers]
    tree, since = {}, {}
    for position, (_, files, *changed) in enumerate(made):
        tree = upon(tree, files, *changed) | {
            path: (body, position) for path, body in files.items()
        }
        there = {
            (find_place(path).group, one.name, one.version)
            for path, (body, _) in tree.items()
            if find_place(path)
            for one in read_packages(path, body)
        }
        since = {one: since.get(one, position) for one in there}
    contents = read_image(*[layer for layer, *_ in made])
    assert {
        (find_place(one.path).group, one.name, one.version): position
        for one, position in contents.packages
    } == since
    system = FileSystem([Layer(list_files([layer], "layer", CAPS)) for layer, *_ in made])
    entries = [one for one in system.match(lambda _: True) if system.kind(one) == "file"]
    assert {one.path: one.position for one in entries} == {
        path: position for path, (_, position) in tree.items()
    }
    assert all(system.follow(path) == system.find(path) for path in tree)


def test_a_hard_link_has_the_content_that_its_target_had():
    layers = [
        archive(("a", b"1"), ("c", b"2")),
        archive(link("b", "a", b"1"), link("d", "c", b"1"), link("e", "b", b"1"), (".wh.c", b"")),
        archive(("a", b"3"), ("b/inside", b"4")),
    ]
    system = FileSystem([Layer(list_files([layer], "layer", CAPS)) for layer in layers])
    assert system.follow("e") == system.follow("/e") == ("a", 0, 0)
    for path in ("b", "d"):
        with pytest.raises(NotFoundError):
            system.follow(path)


def test_more_directories_than_can_be_held_are_refused():
    deep = [(f"{number}/{'a-long-name/' * 2_000}file", b"") for number in range(12)]
    listing = list_files([archive(*deep)], "layer", CAPS)
    with pytest.raises(PayloadError, match="directories take more than"):
        Layer(listing)
