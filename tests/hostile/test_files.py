"""Files that name images, as strangers might write them: rows, or one kind of refusal."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hubframe
from hubframe.errors import IncompleteWarning
from hubframe.readers.references import documents, files
from tests.fuzz.seeds import NAMING
from tests.fuzz.targets import OF_REFERENCES, TARGETS, is_declared

KINDS = st.sampled_from(OF_REFERENCES)
TOKENS = st.sampled_from(
    [
        *(
            "FROM ",
            "image: ",
            "- ",
            "\n",
            "\r\n",
            "  ",
            "${",
            "$A",
            ":-",
            "}",
            "{{",
            "}}",
            "{%",
            "%}",
        ),
        *("'", '"', "\\", "`", "#", "<<", "&a ", "*a", "!!python/object:os.system ", "[", "]", "{"),
        *(
            "apiVersion: v1\nkind: Pod\n",
            "services:\n",
            "a:1",
            "@sha256:",
            "\ue000",
            "\ue001",
            "\0",
        ),
    ]
)


@given(KINDS, st.data())
def test_spoilt_files(kind, data):
    seed = bytearray(data.draw(st.sampled_from(NAMING[kind])))
    for _ in range(data.draw(st.integers(1, 5))):
        seed[data.draw(st.integers(0, len(seed) - 1))] = data.draw(st.integers(0, 255))
    TARGETS[f"references-{kind}"](bytes(seed[: data.draw(st.integers(1, len(seed)))]))


@given(KINDS, st.lists(TOKENS, max_size=60))
def test_text_of_what_files_are_made_of(kind, tokens):
    TARGETS[f"references-{kind}"]("".join(tokens).encode())


HEAD = b"apiVersion: v1\nkind: Pod\nimage: a\n"
# Each is a list of the one before twice.
ALIASES = b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in range(98, 122))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("kubernetes", HEAD + b"a: " + b"[" * 200_000),
        ("kubernetes", HEAD + b"a: " + b"{b: " * 100_000),
        ("kubernetes", HEAD + b"- " * 100_000),
        ("kubernetes", HEAD + b"a: &a [x, x]\n" + ALIASES),
        ("kubernetes", HEAD + b"a: &a [*a, {image: *a, b: *a}]\n"),
        ("kubernetes", HEAD + b"a: [" + b"x, " * 200_000 + b"]\n"),
        ("compose", b"image: x\n---\n" * 20_000),
        ("helm values", b"{{" * 100_000),
        ("helm values", b"{{" * 20_000 + b"}}"),
        ("helm values", b"a: {{ a }}\n" * 20_000),
        ("helm values", b"image: " + b"x" * 1_000_000),
        ("dockerfile", b"FROM a" + b"\\\n" * 100_000),
        ("dockerfile", b"FROM " + b"${a:-" * 100_000),
        ("dockerfile", b"ARG A=x\n" + b"ARG A=$A$A\n" * 100 + b"FROM $A"),
        (
            "dockerfile",
            b"ARG A=x\n" + b"".join(b"ARG A=$A$B%d\n" % n for n in range(5_000)) + b"FROM $A",
        ),
        ("gitlab", b"variables:\n" + b"  A: $A$A\n" * 100 + b"image: $A"),
        ("kubernetes", HEAD + b"? " + b"k" * 1_000_000 + b"\n:" + b"\n- {image: a}" * 2_000),
        ("compose", b"a: &a {image: b}\n" + b"a: &a {<<: [*a, *a], image: c}\n" * 5_000),
        ("devcontainer", b'{"image": "' + b"${localEnv:a:" * 100_000 + b'"}'),
        ("dockerfile", b"FROM a\n" + b"RUN <<A <<B <<C\n" * 3_000),
        ("dockerfile", b"FROM a\nCOPY " + b"--from=b " * 3_000),
        ("dockerfile", b'FROM a\nRUN --mount="' + b"a" * 500_000),
        ("dockerfile", b"ARG " + b'a="' * 100_000 + b"\nFROM a"),
        ("buildpacks", b"[io.buildpacks]\na = " + b"[" * 50_000),
        ("devcontainer", b'{"image": "' + b"/*" * 300_000),
        ("devcontainer", b'{"image": ' + b'"' * 100_001),
        ("github actions", b"jobs: {a: {container: '${{" + b" ${{" * 20_000 + b"'}}\n"),
        ("quadlet", b"[" * 100_000 + b"\nImage" + b" " * 100_000),
    ],
    ids=range(28),
)
def test_what_is_deep_or_long_takes_no_long_time(kind, body):
    begin = time.process_time()
    TARGETS[f"references-{kind}"](body)
    assert time.process_time() - begin < 5


def read(folder, **how):
    frame = hubframe.references_df(folder, **how)
    is_declared(frame, "references")
    return frame


def test_what_aliases_repeat_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MOST_REPEATED", 30)
    jobs = "".join(f"job{number}: {{image: a, services: *x}}\n" for number in range(3))
    (tmp_path / ".gitlab-ci.yml").write_text(f"x: &x [{'{name: y}, ' * 3}]\n{jobs}")
    assert len(read(tmp_path)) == 12
    (tmp_path / ".gitlab-ci.yml").write_text(f"x: &x [{'{name: y}, ' * 4}]\n{jobs}")
    with pytest.warns(IncompleteWarning, match="line 4: .* 30 in its aliases"):
        assert read(tmp_path).empty


def test_no_name_of_a_field_is_longer_than_a_reference_may_be(tmp_path):
    (tmp_path / "a.yaml").write_bytes(HEAD + b"? " + b"k" * 5_000 + b"\n: [{image: b}]\n")
    (tmp_path / "Dockerfile").write_text("ARG A=x\n" + "ARG A=$A$A$B\n" * 20 + "FROM $A\n")
    frame = read(tmp_path)
    assert len(frame) == 3
    assert max(frame[["field", "variable"]].stack().str.len()) == 1000


def test_nothing_in_a_file_is_run_or_made(tmp_path):
    made = tmp_path / "made"
    (tmp_path / "a.yaml").write_text(
        f"apiVersion: v1\nkind: Pod\nimage: !!python/object/apply:os.mkdir ['{made}']\n"
        f"b: {{image: !!python/name:os.system x}}\nc: {{image: 'good:1'}}\n"
    )
    assert read(tmp_path)["written"].tolist() == ["good:1"]
    assert not made.exists()


def test_what_is_too_large_is_said_and_not_read(tmp_path):
    for name in ("Dockerfile", "a.yaml", "b.json"):
        with (tmp_path / name).open("wb") as file:
            file.write(b"FROM a\n" if name == "Dockerfile" else HEAD)
            file.truncate(1024**3)
    (tmp_path / "large.json").write_bytes(b" " * (files.MOST_BYTES + 1))
    begin = time.process_time()
    with pytest.warns(IncompleteWarning, match="3 files"):
        frame = read(tmp_path)
    assert time.process_time() - begin < 5
    assert frame.empty
    told = frame.attrs["hubframe"]
    assert not told["complete"]
    assert [one["ref"] for one in told["failures"]] == ["Dockerfile", "a.yaml", "b.json"]


def test_no_link_is_followed(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    (outside / "Dockerfile").write_text("FROM secret\n")
    (inside / "real").mkdir(parents=True)
    (inside / "real" / "Dockerfile").write_text("FROM a\n")
    (inside / "Dockerfile").symlink_to(outside / "Dockerfile")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "real" / "loop").symlink_to("loop")
    (inside / "compose.yaml").write_text(
        "services:\n  a: {build: {context: folder, dockerfile: Dockerfile}}\n"
        "  b: {build: {context: .., dockerfile: outside/Dockerfile}}\n"
        f"  c: {{build: {{context: ., dockerfile: {outside}/Dockerfile}}}}\n"
    )
    os.mkfifo(inside / "pipe.Dockerfile")
    frame = read(inside, follow=True)
    assert frame["file"].tolist() == ["real/Dockerfile"]
    # A link that is named itself is somebody's own wish.
    assert read(inside / "folder")["written"].tolist() == ["secret"]


def test_what_files_name_on_this_machine_is_no_reference(tmp_path):
    names = (
        "oci:/etc/app",
        "dir:/etc",
        "docker-archive:/a.tar",
        "https://a.example/x",
        "oci:../x:1",
    )
    (tmp_path / "Dockerfile").write_text("".join(f"FROM {name}\n" for name in names))
    frame = read(tmp_path)
    assert frame["problem"].tolist() == ["invalid"] * len(names)
    assert frame["reference"].isna().all()
