"""Package URLs: https://github.com/package-url/purl-spec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubframe.oci.contents.packages import Package, read_url, source_package, write_url


@pytest.mark.parametrize(
    ("package", "url"),
    [
        (
            Package("deb", "libc6", "2.36-9+deb12u8", "debian", "amd64"),
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u8?arch=amd64&distro=x-1",
        ),
        (
            Package("rpm", "gcc-c++", "1:4.4-19.6.1", "fedora", "x86_64"),
            "pkg:rpm/fedora/gcc-c%2B%2B@4.4-19.6.1?arch=x86_64&distro=x-1&epoch=1",
        ),
        (
            Package("deb", "passwd", "1:4.13+dfsg1-1", "debian"),
            "pkg:deb/debian/passwd@1:4.13%2Bdfsg1-1?distro=x-1",
        ),
        (Package("npm", "fs.realpath", "1.0.0"), "pkg:npm/fs.realpath@1.0.0"),
        (Package("npm", "core", "7.1.0", "babel"), "pkg:npm/%40babel/core@7.1.0"),
        (Package("pypi", "ruamel-yaml", "0.18~x"), "pkg:pypi/ruamel-yaml@0.18~x"),
        (Package("gem", "rake", "13.0.6"), "pkg:gem/rake@13.0.6"),
        (
            Package("gem", "jruby-launcher", "1.1.2", architecture="java"),
            "pkg:gem/jruby-launcher@1.1.2?platform=java",
        ),
        (Package("composer", "laravel", "5.5.0", "laravel"), "pkg:composer/laravel/laravel@5.5.0"),
        (
            Package("nuget", "EnterpriseLibrary.Common", "6.0.1304"),
            "pkg:nuget/EnterpriseLibrary.Common@6.0.1304",
        ),
        (
            Package("golang", "errors", "v0.9.1", "github.com/pkg"),
            "pkg:golang/github.com/pkg/errors@v0.9.1",
        ),
        (
            Package("maven", "log4j-core", "2.17", "org.apache.logging.log4j"),
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.17",
        ),
        (Package("cran", "R6"), "pkg:cran/R6"),
    ],
)
def test_urls_are_written_and_read(package, url):
    assert write_url(package, "x-1") == url
    assert read_url(url) == package


@pytest.mark.parametrize(
    ("package", "url"),
    [
        (Package("golang", "github.com/cli/cli/v2", "v2.4.0+x"), "pkg:golang/github.com/cli/cli/v2@v2.4.0%2Bx"),
        (Package("golang", "stdlib", "1.22"), "pkg:golang/stdlib@1.22"),
        (Package("golang", "example.org/app"), "pkg:golang/example.org/app"),
        (Package("composer", "Log", "1", "Acme"), "pkg:composer/acme/log@1"),
        (Package("maven", "app", "1"), "pkg:maven/app@1"),
    ],
)  # fmt: skip
def test_names_are_written_as_the_types_of_urls_say(package, url):
    assert write_url(package, "x-1") == url


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("pkg:PyPI/Foo_Bar@1", Package("pypi", "foo-bar", "1")),
        ("pkg://npm/a@1?x=%20#sub/path", Package("npm", "a", "1")),
        (
            "pkg:deb/debian/a@1?upstream=aa%402&arch=all",
            Package("deb", "a", "1", "debian", "all", "aa", "2"),
        ),
        (
            "pkg:rpm/rhel/bash@5-1?upstream=bash-5-1.el9.src.rpm&epoch=2",
            Package("rpm", "bash", "2:5-1", "rhel", None, "bash", "5-1.el9"),
        ),
        ("", None), ("npm/a@1", None), ("pkg:npm", None), ("pkg:npm/", None), ("pkg:/a@1", None),
        ("pkg:npm//@1", None), ("pkg:npm/a" + "a" * 5000, None),
    ],
)  # fmt: skip
def test_other_spellings_are_read_and_what_is_none_is_none(url, package):
    assert read_url(url) == package


@pytest.mark.parametrize(
    ("distribution", "vendor"),
    [("rhel", "redhat"), ("opensuse-leap", "opensuse"), ("fedora", "fedora"), ("sles", "sles")],
)
def test_the_namespace_of_rpm_is_the_vendor(distribution, vendor):
    assert write_url(Package("rpm", "a", "1-1", distribution)) == f"pkg:rpm/{vendor}/a@1-1"


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("bash-5.1.8-6.el9.src.rpm", ("bash", "5.1.8-6.el9")),
        ("java-17-openjdk-17.0.1-1.nosrc.rpm", ("java-17-openjdk", "17.0.1-1")),
        ("(none)", ("(none)", "")),
        ("", ("", "")),
    ],
)
def test_sources_of_rpm_have_a_name_and_a_version(file, found):
    assert source_package(file) == found


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(TEXT, TEXT, TEXT)
def test_whatever_a_name_is_its_url_is_read_alike(name, version, architecture):
    package = Package("generic", name, version, architecture=architecture)
    url = write_url(package)
    assert url.isascii()
    assert read_url(url) == package


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    for written in (text, f"pkg:{text}", f"pkg:npm/a@1?{text}"):
        read_url(written)
    assert write_url(Package("npm", text, text, text)).isascii()
