"""Packages and distributions as frames: of layouts on the disk, of a registry, and in any order."""

import hashlib
import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.frames import contents, files
from hubframe.oci.archives import Caps
from hubframe.tables import amounts
from tests import shelf
from tests.contents.documents import spdx_of
from tests.contents.images import write_layout
from tests.contents.programs import FORMS, jar
from tests.contents.test_layers import DEBIAN, FOUR, STATUS, debs, link
from tests.layerfiles.layers import archive, packed
from tests.quirks.registry import OCI_CONFIG, OCI_LAYER
from tests.test_local import MANIFEST, Layout

# Packages of Ruby, PHP and .NET.
OTHERS = {
    "usr/lib/ruby/specifications/nokogiri.gemspec": b"# stub: nokogiri 1.16.0 x86_64-linux lib\n",
    "srv/vendor/composer/installed.json": b'[{"name": "acme/log", "version": "v2.0.0"}]',
    "app/app.deps.json": b'{"libraries": {"Newtonsoft.Json/13.0.3": {"type": "package"}}}',
}


hard_link = partial(link, kind=b"1")


@pytest.fixture
def client(tmp_path):
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "cache")) as made:
        yield made


@pytest.fixture
def what(tmp_path):
    """An image of four layers that install, upgrade, remove and install again, of Debian."""
    release = archive(("etc/os-release", DEBIAN))
    return f"oci:{write_layout(tmp_path / 'image', *FOUR, release)}"


def test_packages_with_the_layer_since_which_they_are_there(what, client):
    found = hubframe.packages_df(what, client=client)
    rows = found[["type", "namespace", "name", "version", "position"]]
    assert sorted(map(tuple, rows.fillna("").to_numpy().tolist())) == [
        ("deb", "debian", "base", "1", 0),
        ("deb", "debian", "curl", "7", 3),
        ("deb", "debian", "git", "2", 3),
        ("deb", "debian", "nano", "6", 3),
        ("pypi", "", "idna", "3", 3),
        ("pypi", "", "pip", "24", 1),
    ]
    curl = found[found["name"] == "curl"].iloc[0]
    assert curl["purl"] == "pkg:deb/debian/curl@7?arch=amd64&distro=debian-12"
    assert (curl["evidence"], curl["tool"], curl["path"]) == ("layers", "hubframe", STATUS)
    layers = hubframe.layers_df(what, client=client)
    joined = found.merge(layers[["position", "layer_digest"]], on="position")
    assert (joined["layer_digest_x"] == joined["layer_digest_y"]).all()
    assert not found.duplicated([*hubframe.tables.PACKAGES.key]).any()


def test_distributions(what, client, tmp_path):
    found = hubframe.distributions_df(what, client=client)
    assert found[["id", "version_id", "path", "evidence"]].to_numpy().tolist() == [
        ["debian", "12", "etc/os-release", "layers"]
    ]
    scratch = f"oci:{write_layout(tmp_path / 'scratch', archive(('app', b'x')))}"
    found = hubframe.distributions_df(scratch, client=client)
    assert found["id"].isna().tolist() == [True]
    for evidence, words in (("layers", "no database"), ("sbom", "no bill of materials")):
        packages = hubframe.packages_df(scratch, evidence=evidence, client=client)
        assert packages.empty
        (unknown,) = packages.attrs["hubframe"]["unknown"]
        assert words in unknown["message"]


WHEEL = ("usr/lib/python3/site-packages/idna-3.dist-info/METADATA", b"Name: idna\nVersion: 3\n")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([WHEEL], None),
        ([WHEEL, ("etc/os-release", DEBIAN)], "no database of its system's packages (deb, apk, rpm): it is of debian-12"),
        ([WHEEL, ("etc/os-release", DEBIAN), (STATUS, debs(a="1"))], None),
        ([WHEEL, ("etc/os-release", b"ID=arch\n"), ("var/lib/pacman/local/a-1/desc", b"")], "packages of pacman (var/lib/pacman/local), which are not read"),
        ([(STATUS, debs(a="1")), ("nix/store/x-a/bin/a", b"")], "packages of Nix (nix/store), which are not read"),
    ],
)  # fmt: skip
def test_an_image_whose_system_tells_no_packages_says_so(client, tmp_path, files, words):
    """What else is found in it would else look like all that there is."""
    what = f"oci:{write_layout(tmp_path / 'image', archive(*files))}"
    found = hubframe.packages_df(what, client=client)
    assert len(found) > 0
    told = [one["message"] for one in found.attrs["hubframe"]["unknown"]]
    assert told == ([f"the image has {words}"] if words else [])
    of_python = hubframe.packages_df(what, kinds="pypi", client=client)
    assert not words or of_python.attrs["hubframe"]["unknown"] == []


def test_databases_that_are_hard_links_are_read(client, tmp_path):
    """ostree writes files as objects first, and pnpm into a store: what they are called comes later."""
    objects = archive(
        ("objects/1", DEBIAN), hard_link("usr/lib/os-release", "objects/1"),
        ("objects/2", debs(curl="7")), hard_link(STATUS, "objects/2"), hard_link("chroot/lib/dpkg/status", "objects/2"),
        ("store/3", b'{"name": "x", "version": "1"}'), hard_link("app/node_modules/x/package.json", "store/3"),
        hard_link("app/node_modules/y/package.json", "store/none"),
    )  # fmt: skip
    what = f"oci:{write_layout(tmp_path / 'image', objects)}"
    # Of no use to who asks for files alone, so it is not read twice for these.
    assert len(hubframe.files_df(what, client=client)) == 8
    assert not client.layer_files.kept(with_bodies=True)
    with pytest.warns(hubframe.IncompleteWarning, match="node_modules/y"):
        found = hubframe.packages_df(what, client=client)
    assert found[["name", "namespace", "path"]].fillna("").to_numpy().tolist() == [
        ["x", "", "app/node_modules/x/package.json"],
        ["curl", "", "chroot/lib/dpkg/status"],
        ["curl", "debian", STATUS],
    ]
    remove_layer(what)
    assert hubframe.distributions_df(what, client=client)["id"].tolist() == ["debian"]


def test_kinds(what, client):
    assert set(hubframe.packages_df(what, kinds="os", client=client)["type"]) == {"deb"}
    assert set(hubframe.packages_df(what, kinds="pypi", client=client)["type"]) == {"pypi"}
    assert len(hubframe.packages_df(what, kinds=["deb", "pypi"], client=client)) == 6
    assert len(hubframe.packages_df(what, kinds=["os", "pypi"], client=client)) == 6
    assert len(hubframe.packages_df(what, kinds="all", client=client)) == 6
    assert hubframe.packages_df(what, kinds="golang", client=client).empty
    for bad in ("jar", ["deb", "jar"], [], None, [["deb"]]):
        with pytest.raises(ValueError, match="kinds must be usual, os, all, or some of apk"):
            hubframe.packages_df(what, kinds=bad, client=client)


@pytest.fixture
def programs(tmp_path):
    """An image with a program of Go, archives of Java, and packages of Ruby, PHP and .NET."""
    layer = archive(
        ("etc/os-release", DEBIAN), (STATUS, debs(curl="7")), ("bin/app", FORMS["inline"]),
        ("app.war", jar(("lib/b-2.jar", jar(b="2")), manifest="Implementation-Version: 1\n")),
        *OTHERS.items(),
    )  # fmt: skip
    return f"oci:{write_layout(tmp_path / 'programs', layer)}"


def test_all_kinds(programs, client):
    found = hubframe.packages_df(programs, kinds="all", client=client)
    rows = found[found["type"] != "golang"][["purl", "path"]].to_numpy().tolist()
    assert sorted(map(tuple, rows)) == [
        ("pkg:composer/acme/log@v2.0.0", "srv/vendor/composer/installed.json"),
        ("pkg:deb/debian/curl@7?arch=amd64&distro=debian-12", STATUS),
        ("pkg:gem/nokogiri@1.16.0?platform=x86_64-linux", "usr/lib/ruby/specifications/nokogiri.gemspec"),
        ("pkg:maven/app@1", "app.war"),
        ("pkg:maven/org.example/b@2", "app.war!/lib/b-2.jar"),
        ("pkg:nuget/Newtonsoft.Json@13.0.3", "app/app.deps.json"),
    ]  # fmt: skip
    assert found[found["type"] == "golang"]["purl"].tolist() == [
        "pkg:golang/stdlib@1.22.3",
        "pkg:golang/example.org/app",
        "pkg:golang/github.com/BurntSushi/toml@v1.4.0",
        "pkg:golang/github.com/b/fork/v2@v2.1.0",
        "pkg:golang/example.org/local",
        "pkg:golang/golang.org/x/net@v0.0.0-20240101000000-abcdefabcdef",
    ]
    assert found["position"].eq(0).all()
    assert not found.duplicated([*hubframe.tables.PACKAGES.key]).any()
    assert found.attrs["hubframe"]["complete"]
    assert hubframe.packages_df(programs, client=client)["name"].tolist() == ["curl"]
    kinds = ["gem", "maven"]
    assert set(hubframe.packages_df(programs, kinds=kinds, client=client)["type"]) == set(kinds)


def remove_layer(what):
    """Remove the layer of an image of one; return what puts it back."""
    blobs = Path(what.removeprefix("oci:")) / "blobs" / "sha256"
    layer = max(blobs.iterdir(), key=lambda one: one.stat().st_size)
    body = layer.read_bytes()
    layer.unlink()
    return lambda: layer.write_bytes(body)


def test_a_layer_is_read_once_more_for_its_binaries_and_never_again(programs, client):
    assert len(hubframe.packages_df(programs, client=client)) == 1
    restore = remove_layer(programs)
    # What files of text tell was kept.
    assert len(hubframe.packages_df(programs, kinds=["usual", "gem"], client=client)) == 2
    with pytest.raises(hubframe.NotFoundError):
        hubframe.packages_df(programs, kinds="golang", client=client)
    restore()
    assert len(hubframe.packages_df(programs, kinds="maven", client=client)) == 2
    remove_layer(programs)
    assert len(hubframe.packages_df(programs, kinds="all", client=client)) == 12
    assert len(hubframe.packages_df(programs, client=client)) == 1
    assert len(hubframe.files_df(programs, client=client)) == 7


def test_a_layer_without_binaries_is_known_to_have_none(what, client):
    assert hubframe.packages_df(what, kinds="golang", client=client).empty
    remove_layer(what)
    assert len(hubframe.packages_df(what, kinds="all", client=client)) == 6


def test_a_binary_that_cannot_be_read_ends_no_call(client, tmp_path):
    layer = archive((STATUS, debs(a="1")), ("bad.jar", b"PK\3\4" + bytes(99)))
    what = f"oci:{write_layout(tmp_path / 'bad', layer)}"
    with pytest.warns(hubframe.IncompleteWarning, match="bad.jar"):
        found = hubframe.packages_df(what, kinds="all", client=client)
    assert found["name"].tolist() == ["a"]
    assert hubframe.packages_df(what, client=client).attrs["hubframe"]["complete"]


def test_what_is_wrong_with_a_kind_is_told_only_where_it_is_asked_for(client, tmp_path):
    layer = archive((STATUS, debs(a="1")), ("app/app.deps.json", b"{"), ("etc/os-release", DEBIAN))
    what = f"oci:{write_layout(tmp_path / 'bad', layer)}"
    assert hubframe.packages_df(what, client=client).attrs["hubframe"]["complete"]
    assert hubframe.packages_df(what, kinds="gem", client=client).attrs["hubframe"]["complete"]
    assert hubframe.distributions_df(what, client=client).attrs["hubframe"]["complete"]
    with pytest.warns(hubframe.IncompleteWarning, match=r"app\.deps\.json"):
        found = hubframe.packages_df(what, kinds="all", client=client)
    assert found["name"].tolist() == ["a"]


def test_packages_of_one_name_are_compared_by_group_and_vendor(client, tmp_path):
    one = json.dumps([{"name": "a/log", "version": "1"}, {"name": "b/log", "version": "1"}])
    two = json.dumps([{"name": "a/log", "version": "1"}, {"name": "b/log", "version": "2"}])
    frames = [
        hubframe.packages_df(
            f"oci:{write_layout(tmp_path / name, archive(('composer/installed.json', body.encode())))}",
            kinds="all", client=client,
        )
        for name, body in (("one", one), ("two", two))
    ]  # fmt: skip
    found = hubframe.compare_df([{"packages": frame} for frame in frames])
    rows = found[found["aspect"] == "packages"][["key", "left", "right"]]
    assert rows.to_numpy().tolist() == [["composer/b/log", "1", "2"]]


def test_a_layer_that_fails_costs_its_image(what, client, tmp_path):
    blobs = tmp_path / "image" / "blobs" / "sha256"
    layers = hubframe.layers_df(what, client=client)
    (blobs / layers["layer_digest"][1].partition(":")[2]).write_bytes(b"damaged")
    with pytest.raises(hubframe.DigestMismatchError):
        hubframe.packages_df(what, client=client)
    with pytest.warns(hubframe.IncompleteWarning):
        found = hubframe.packages_df(what, errors="collect", client=client)
    assert found.empty
    assert not found.attrs["hubframe"]["complete"]


def test_a_database_that_is_none_is_a_failure(client, tmp_path):
    layer = archive(
        ("var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0" + bytes(100)), (STATUS, debs(a="1"))
    )
    what = f"oci:{write_layout(tmp_path / 'bad', layer)}"
    with pytest.warns(hubframe.IncompleteWarning, match="rpmdb"):
        found = hubframe.packages_df(what, errors="collect", client=client)
    assert found["name"].tolist() == ["a"]


@pytest.mark.parametrize("order", [("files", "packages", "distributions"), ("packages", "files")])
def test_what_is_kept_needs_no_layer(what, client, tmp_path, order):
    for name in order:
        getattr(hubframe, f"{name}_df")(what, client=client)
    blobs = tmp_path / "image" / "blobs" / "sha256"
    for digest in hubframe.layers_df(what, client=client)["layer_digest"]:
        (blobs / digest.partition(":")[2]).unlink()
    assert len(hubframe.packages_df(what, client=client)) == 6
    assert hubframe.distributions_df(what, client=client)["id"].tolist() == ["debian"]
    assert len(hubframe.files_df(what, client=client)) > 6


def test_csv_round_trip(what, client, tmp_path):
    for name in ("packages", "distributions"):
        frame = getattr(hubframe, f"{name}_df")(what, client=client)
        path = tmp_path / f"{name}.csv"
        hubframe.write_csv(frame, path)
        assert hubframe.read_csv(path, name).equals(frame)


def test_windows_images_are_not_read(client, tmp_path):
    folder = write_layout(tmp_path / "image", archive(("Files/Windows/x", b"x")))
    index = json.loads((folder / "index.json").read_text())
    blob = folder / "blobs" / "sha256"
    manifest = json.loads((blob / index["manifests"][0]["digest"].partition(":")[2]).read_text())
    config = json.loads((blob / manifest["config"]["digest"].partition(":")[2]).read_text())
    config |= {"os": "windows", "os.version": "10.0.20348.2700"}

    def put(body):
        encoded = hashlib.sha256(body).hexdigest()
        (blob / encoded).write_bytes(body)
        return {"digest": f"sha256:{encoded}", "size": len(body)}

    manifest["config"] |= put(json.dumps(config).encode())
    index["manifests"][0] |= put(json.dumps(manifest).encode())
    (folder / "index.json").write_text(json.dumps(index))
    what = f"oci:{folder}"
    found = hubframe.distributions_df(what, platform="windows/amd64", client=client)
    assert found[["id", "version_id", "evidence"]].to_numpy().tolist() == [
        ["windows", "10.0.20348.2700", "config"]
    ]
    packages = hubframe.packages_df(what, platform="windows/amd64", client=client)
    assert packages.empty
    assert packages.attrs["hubframe"]["complete"]
    (unknown,) = packages.attrs["hubframe"]["unknown"]
    assert "Windows are not read" in unknown["message"]


def test_all_layers_of_a_call_hold_so_many_packages(client, tmp_path, monkeypatch):
    layers = [archive((STATUS, debs(a=version, b="1"))) for version in "123"]
    what = f"oci:{write_layout(tmp_path / 'image', *layers)}"
    monkeypatch.setattr("hubframe.frames.packages.MOST_PACKAGES_OF_CALL", 6)
    assert len(hubframe.packages_df(what, client=client)) == 2
    monkeypatch.setattr("hubframe.frames.packages.MOST_PACKAGES_OF_CALL", 5)
    with pytest.raises(hubframe.PayloadError, match="more than 5 packages"):
        hubframe.packages_df(what, client=client)


def test_which_images_hold_a_package(client, tmp_path):
    one = write_layout(tmp_path / "one", archive((STATUS, debs(curl="7", git="2"))))
    two = write_layout(tmp_path / "two", archive((STATUS, debs(curl="8"))))
    frames = [hubframe.packages_df(f"oci:{folder}", client=client) for folder in (one, two, two)]
    packages = pd.concat(frames, ignore_index=True)
    used = hubframe.packages_used_df(packages)
    columns = ["name", "version_count", "image_count", "repo_count", "versions"]
    assert used[columns].to_numpy().tolist() == [["curl", 2, 2, 2, "7 8"], ["git", 1, 1, 1, "2"]]
    assert hubframe.packages_used_df(packages, "gi*")["name"].tolist() == ["git"]
    assert hubframe.packages_used_df(packages, "c.rl").empty
    assert hubframe.packages_used_df(packages, ["gi*", "curl"])["name"].tolist() == ["curl", "git"]
    assert hubframe.packages_used_df(packages, []).empty
    for bad in (3, [None]):
        with pytest.raises(TypeError, match="name must be"):
            hubframe.packages_used_df(packages, bad)
    assert hubframe.packages_used_df(packages[:0]).empty


def test_packages_are_compared(what, client, tmp_path):
    other = f"oci:{write_layout(tmp_path / 'other', FOUR[0])}"
    found = hubframe.compare_df([other, what], packages=True, client=client)
    rows = found[found["aspect"] == "packages"][["key", "left", "right", "change"]]
    assert rows.fillna("").to_numpy().tolist() == [["pypi/pip", "23", "24", "changed"]]
    assert found.attrs["hubframe"]["unknown"] == []
    assert "packages" not in set(hubframe.compare_df([other, what], client=client)["aspect"])


def test_a_comparison_says_of_which_image_packages_are_not_known(what, client, tmp_path):
    """Else what it has would look removed."""
    other = f"oci:{write_layout(tmp_path / 'other', archive(('etc/os-release', DEBIAN), WHEEL))}"
    found = hubframe.compare_df([what, other], packages=True, client=client)
    (unknown,) = found.attrs["hubframe"]["unknown"]
    assert "no database of its system's packages" in unknown["message"]


SPDX = {
    "spdxVersion": "SPDX-2.3",
    "creationInfo": {"creators": ["Tool: syft-v1.18.1"], "created": "2024-05-06T07:08:09Z"},
    "packages": [
        {
            "SPDXID": "SPDXRef-1",
            "name": "curl",
            "versionInfo": "9",
            "externalRefs": [
                {"referenceType": "purl", "referenceLocator": "pkg:deb/debian/curl@9?arch=amd64"}
            ],
        }
    ],
}


@pytest.fixture
def documented(tmp_path):
    return document(tmp_path, SPDX)


def document(tmp_path, bill):
    """Make two images of a layout, one of them with a bill of materials."""
    layout = Layout(tmp_path / "documented")
    layer = layout.put(archive((STATUS, debs(curl="7"))), "application/vnd.oci.image.layer.v1.tar")
    for name in ("with", "without"):
        config = {"os": "linux", "architecture": "amd64", "config": {"Labels": {"name": name}}}
        config["rootfs"] = {"type": "layers", "diff_ids": [layer["digest"]]}
        at = layout.put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
        image = layout.json(MANIFEST, config=at, layers=[layer])
        layout.add(name, image)
        if name == "with":
            body = layout.put(json.dumps(bill).encode(), "application/spdx+json")
            empty = layout.put(b"{}", "application/vnd.oci.empty.v1+json")
            told = {"artifactType": "application/spdx+json", "config": empty, "layers": [body]}
            layout.add(None, layout.json(MANIFEST, subject=image, **told))
    return f"oci:{layout.path}"


def test_documents_and_layers_as_evidence(documented, client):
    def rows(evidence):
        found = hubframe.packages_df(documented, evidence=evidence, client=client)
        assert found.attrs["hubframe"]["complete"]
        return sorted(map(tuple, found[["tag", "version", "evidence", "tool"]].to_numpy()))

    layers = [("with", "7", "layers", "hubframe"), ("without", "7", "layers", "hubframe")]
    document = ("with", "9", "sbom", "syft-v1.18.1")
    assert rows("layers") == layers
    assert rows("sbom") == [document]
    assert rows("both") == sorted([*layers, document])
    assert rows("auto") == [document, layers[1]]
    with pytest.raises(ValueError, match="evidence must be"):
        rows("guess")
    with pytest.raises(ValueError, match="knows no documents"):
        hubframe.packages_df(documented, evidence="sbom", source="hub", client=client)


@pytest.fixture
def bitnami(tmp_path):
    """An image with documents in it: one that is read, the same again, and one in another form."""
    body = spdx_of("pkg:bitnami/pg@17-8?arch=amd64", "pkg:bitnami/geos@3", "pkg:golang/x.org/y@v1")
    path = "opt/bitnami/pg/.spdx-pg.spdx"
    layers = (
        archive((STATUS, debs(curl="7")), ("var/lib/rpm/Packages", b"damaged")),
        archive((path, body), ("srv/copy.spdx", body), ("srv/a.spdx", b"SPDXVersion: SPDX-2.3\n")),
    )
    return path, body, f"oci:{write_layout(tmp_path / 'bitnami', *layers)}"


def test_packages_that_documents_in_the_image_tell_of(bitnami, client):
    path, _, what = bitnami
    with pytest.warns(hubframe.IncompleteWarning, match="2 of what was asked for"):
        found = hubframe.packages_df(what, evidence="layers", errors="collect", client=client)
    assert "srv/a.spdx" in str(found.attrs["hubframe"]["failures"])
    assert "tag-value" in str(found.attrs["hubframe"]["failures"])
    layers = hubframe.layers_df(what, client=client)
    row = found[found["path"] == path].iloc[0]
    assert row[["type", "name", "version", "evidence", "tool"]].tolist() == [
        *("bitnami", "pg", "17-8", "layers", "hubframe")
    ]
    assert row["purl"] == "pkg:bitnami/pg@17-8?arch=amd64"
    assert (row["position"], row["layer_digest"]) == (1, layers["layer_digest"][1])
    assert found["name"].tolist() == ["pg", "geos", "pg", "geos", "curl"]
    with pytest.warns(hubframe.IncompleteWarning):
        whole = hubframe.packages_df(what, kinds="all", evidence="layers", errors="collect", client=client)  # fmt: skip
    assert set(whole["type"]) == {"bitnami", "golang", "deb"}


def test_documents_in_the_image_are_listed_where_layers_are_asked_for(bitnami, client):
    path, body, what = bitnami
    # By default no layer is downloaded.
    assert hubframe.sboms_df(what, client=client).empty
    assert not client.layer_files.kept(with_bodies=True)
    # A damaged database of packages is none of its business.
    with pytest.warns(hubframe.IncompleteWarning, match="1 of what was asked for"):
        found = hubframe.sboms_df(what, evidence="layers", client=client)
    assert not found.duplicated([*hubframe.tables.SBOMS.key]).any()
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    rows = found[["path", "format", "format_version", "package_count", "where"]].astype(object)
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        [path, "spdx", "2.3", 3, "in the image"],
        ["srv/a.spdx", None, None, None, "in the image"],
        ["srv/copy.spdx", "spdx", "2.3", 3, "in the image"],
    ]
    assert found.loc[[0, 2], ["digest", "size"]].to_numpy().tolist() == [[digest, len(body)]] * 2
    assert found["referrer_digest"].isna().all()
    (failure,) = found.attrs["hubframe"]["failures"]
    assert "srv/a.spdx of the layer" in failure["ref"]
    with pytest.raises(ValueError, match="evidence must be sbom, layers or both"):
        hubframe.sboms_df(what, evidence="auto", client=client)


def test_documents_that_are_attached_and_in_the_image(documented, client):
    def where(**options):
        return hubframe.sboms_df(documented, **options, client=client)["where"].tolist()

    assert where() == where(evidence="both") == ["referrers"]
    assert where(evidence="layers") == []


def test_the_same_image_has_the_document_of_its_own_repository(tmp_path, client):
    for version in ("8", "9", "none"):
        layout = Layout(tmp_path / version)
        held = archive((STATUS, debs(curl="7")))
        layer = layout.put(held, "application/vnd.oci.image.layer.v1.tar")
        config = layout.put(b"{}", "application/vnd.oci.image.config.v1+json")
        image = layout.json(MANIFEST, config=config, layers=[layer])
        layout.add("1", image)
        if version != "none":
            written = json.dumps(SPDX).replace('"9"', f'"{version}"').encode()
            body = layout.put(written, "application/spdx+json")
            empty = layout.put(b"{}", "application/vnd.oci.empty.v1+json")
            told = {"artifactType": "application/spdx+json", "config": empty, "layers": [body]}
            layout.add(None, layout.json(MANIFEST, subject=image, **told))
    what = [f"oci:{tmp_path / version}:1" for version in ("8", "9", "none")]
    found = hubframe.packages_df(what, client=client, platform="all")
    assert len(set(found["image_digest"])) == 1
    assert found["version"].tolist() == ["8", "9", "7"]


@pytest.mark.parametrize("evidence", ["sbom", "auto", "layers"])
def test_each_tag_of_an_image_has_its_packages(evidence):
    web = "registry.example/shop/web"
    with hubframe.sample():
        tags = hubframe.tags_df(web).dropna(subset="version")
        found = hubframe.packages_df(web, tags=tags["tag"].tolist(), evidence=evidence)
    counts = found.groupby("tag").size()
    assert set(counts.index) == set(tags["tag"])
    assert set(counts) == ({12} if evidence == "layers" else {10})


def test_a_document_of_an_application_is_not_all_of_an_image(client, tmp_path):
    other = {"SPDXID": "SPDXRef-2", "name": "app", "versionInfo": "1"}
    what = document(tmp_path, SPDX | {"packages": [other]}) + ":with"
    for evidence in ("auto", "sbom"):
        found = hubframe.packages_df(what, kinds="all", evidence=evidence, client=client)
        assert found["name"].tolist() == ["app"]
        (unknown,) = found.attrs["hubframe"]["unknown"]
        assert "lists no packages of a system (deb, apk, rpm)" in unknown["message"]
    for how in ({"evidence": "both"}, {"kinds": "npm"}):
        found = hubframe.packages_df(what, client=client, **how)
        assert found.attrs["hubframe"]["unknown"] == []


def test_an_empty_document_is_none_in_place_of_which_layers_tell(client, tmp_path):
    what = document(tmp_path, SPDX | {"packages": []}) + ":with"
    found = hubframe.packages_df(what, client=client)
    assert found[["name", "evidence"]].to_numpy().tolist() == [["curl", "layers"]]
    assert found.attrs["hubframe"]["unknown"] == []
    assert hubframe.packages_df(what, evidence="sbom", client=client).empty


def test_a_document_downloads_no_layer(documented, client, tmp_path):
    digest = hubframe.layers_df(documented, client=client)["layer_digest"][0].partition(":")[2]
    (tmp_path / "documented" / "blobs" / "sha256" / digest).unlink()
    found = hubframe.packages_df(f"{documented}:with", client=client)
    assert found["evidence"].tolist() == ["sbom"]


PATHS = ["etc/os-release", STATUS, "srv/app.conf"]
CALLS = {
    "packages": lambda what, client: hubframe.packages_df(what, evidence="layers", client=client),
    "distributions": lambda what, client: hubframe.distributions_df(what, client=client),
    "files": lambda what, client: hubframe.files_df(what, client=client),
    "contents": lambda what, client: hubframe.contents_df(what, PATHS, client=client),
}


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with shelf.serve() as running:
        running.referrers = {}
        yield running


@pytest.fixture
def shared(registry):
    """Three tags that share layers, two of them one image; returns the sizes of the layers."""
    layers = [registry.put(packed(one), OCI_LAYER) for one in FOUR]
    release = registry.put(archive(("etc/os-release", DEBIAN), ("srv/app.conf", b"a")), OCI_LAYER)
    for tags, held in ((("1", "one"), [*layers[:2], release]), (("2",), [*layers, release])):
        told = {"os": "linux", "architecture": "amd64"}
        config = registry.put({**told, "for": tags}, OCI_CONFIG)
        for tag in tags:
            registry.manifest(tag, config=config, layers=held)
    return {layer["digest"]: layer["size"] for layer in (*layers, release)}


def downloaded(registry, shared):
    """The layers that were asked for."""
    asked = [one.path.rpartition("/")[2] for one in registry.asked("/blobs/")]
    return sorted(digest for digest in asked if digest in shared)


NAMES = list(CALLS)
ORDERS = [
    order for at in range(4) for order in (NAMES[at:] + NAMES[:at], NAMES[at::-1] + NAMES[:at:-1])
]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_each_layer_is_asked_for_once_whatever_the_order(registry, shared, client, order):
    rows = {name: len(CALLS[name](registry.repo, client)) for name in order}
    # Of files that tell of no package the content is not kept before it is asked for.
    again = [] if order[0] == "contents" else [list(shared)[-1]]
    assert downloaded(registry, shared) == sorted([*shared, *again])
    assert rows == {
        "packages": 2 * 5 + 6,
        "distributions": 3,
        "files": rows["files"],
        "contents": 9,
    }
    for name in order:
        assert len(CALLS[name](registry.repo, client)) == rows[name]
    assert len(downloaded(registry, shared)) == len([*shared, *again])


@pytest.mark.parametrize("name", [*CALLS, "sboms"])
def test_a_plan_tells_the_bytes_that_the_call_downloads(registry, shared, client, name):
    call = CALLS.get(name, partial(hubframe.sboms_df, evidence="layers"))
    before = hubframe.plan(registry.repo, name, evidence="layers", client=client)
    assert downloaded(registry, shared) == []
    call(registry.repo, client=client)
    asked = downloaded(registry, shared)
    assert (before.size, before.requests["layer"]) == (sum(shared[one] for one in asked), 5)
    layer = before.to_frame().set_index("kind").loc["layer"]
    assert (layer["count"], layer["size"]) == (5, before.size)
    is_open = name == "contents"
    assert (before.bound, before.is_exact) == ("at least" if is_open else "exactly", not is_open)
    # The rest it needs is there by then.
    assert sum(before.requests.values()) == 5
    after = hubframe.plan(registry.repo, name, evidence="layers", client=client)
    assert (after.size, sum(after.requests.values())) == (0, 0)
    call(f"{registry.repo}:2", client=client)
    assert downloaded(registry, shared) == asked


def test_plans_of_downloads_in_words(registry, shared, client):
    what = f"{registry.repo}:1"
    own = sum(hubframe.layers_df(what, client=client)["size"])
    size = amounts.size(own)
    plan = hubframe.plan(what, "files", client=client)
    assert f"download: {size}" in str(plan)
    assert "about 0 s and the download" in str(plan)
    # What documents tell takes no layer, and which images have one is not known before.
    plan = hubframe.plan(what, "packages", client=client)
    assert (plan.size, plan.bound, plan.is_exact) == (own, "at most", False)
    assert f"download: at most {size}" in str(plan)
    for evidence, told in (("sbom", 0), ("both", own)):
        plan = hubframe.plan(what, "packages", evidence=evidence, client=client)
        assert (plan.size, plan.bound) == (told, "exactly")
    hubframe.files_df(what, client=client)
    assert hubframe.plan(what, "distributions", client=client).size == 0
    assert hubframe.plan(registry.repo, "files", client=client).size == sum(shared.values()) - own
    with pytest.raises(ValueError, match="evidence must be"):
        hubframe.plan(what, "packages", evidence="guess", client=client)


def test_a_layer_whose_size_is_not_told_and_one_of_windows(registry, client):
    layer = registry.put(archive((STATUS, debs(a="1"))), OCI_LAYER)
    told = {"os": "linux", "architecture": "amd64"}
    unsized = {name: layer[name] for name in ("mediaType", "digest")}
    registry.manifest("1", config=registry.put(told, OCI_CONFIG), layers=[unsized])
    plan = hubframe.plan(f"{registry.repo}:1", "files", client=client)
    assert (plan.size, plan.bound, plan.requests["layer"]) == (0, "at least", 1)
    config = registry.put({**told, "os": "windows"}, OCI_CONFIG)
    registry.manifest("2", config=config, layers=[layer])
    how = {"platform": "windows/amd64", "client": client}
    assert hubframe.plan(f"{registry.repo}:2", "files", **how).size == layer["size"]
    plan = hubframe.plan(f"{registry.repo}:2", "packages", evidence="layers", **how)
    assert (plan.size, plan.bound) == (0, "exactly")


def test_nothing_is_downloaded_of_what_is_on_the_disk(what, client):
    plan = hubframe.plan(what, "packages", evidence="layers", client=client)
    assert (plan.size, sum(plan.requests.values()), plan.is_exact) == (0, 0, True)


@pytest.mark.parametrize("setting", ["_TOGETHER", "_BYTES_TOGETHER"])
def test_layers_that_no_later_image_has_make_room_for_others(monkeypatch, setting):
    web, few = [f"registry.example/shop/web:1.{minor}.0" for minor in (2, 1, 0)], 20
    with hubframe.sample():
        packages = hubframe.packages_df(web, evidence="layers")
        release = hubframe.contents_df(web, "etc/os-release")
        assert packages["tag"].nunique() == len(web)
        # Their layers have more entries together; those of each image have not.
        with pytest.raises(hubframe.PayloadError, match="more than 20 entries"):
            hubframe.files_df(web, max_entries=few)
        monkeypatch.setattr(files, setting, 1)
        monkeypatch.setattr(contents, "_CAPS", Caps(2**20, few))
        few_held = hubframe.packages_df(web, evidence="layers", max_entries=few)
        assert_frame_equal(few_held, packages)
        assert_frame_equal(hubframe.contents_df(web, "etc/os-release"), release)
